# SPDX-License-Identifier: Apache-2.0

"""nova-xen-sched simulate: what would happen if more guests were booted."""

from __future__ import annotations

import argparse
import typing as ty

from nova_xen_sched.cmd import base
from nova_xen_sched.cmd import columns
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd import guest_arguments
from nova_xen_sched.cmd import nova
from nova_xen_sched.cmd import one_object
from nova_xen_sched.cmd import options
from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd.simulate import mix
from nova_xen_sched.cmd.simulate import report
from nova_xen_sched.cmd.simulate.result import Simulated

if ty.TYPE_CHECKING:
    from nova_xen_sched.cmd.nova.scheduler import Cloud
    from nova_xen_sched.cmd.simulate.settings import Setting

#: Guests that are booted, where nothing else is said.
COUNT = 10

_EPILOG = """\
columns of the hosts that change; those of --set only with it:
%s

json and yaml are one object: outcome (the guests, the options of --set, and
for now and set how many guests find a host, where each goes, which is refused
first and why, and what becomes overcommitted or full), and hosts, a list with
these columns.

Each guest is booted when the one before it is there. Of hosts that weigh the
same it is the first by name, whatever host_subset_size and
shuffle_best_same_weighed_hosts are. Hosts are read once, for both sides.
Nothing is claimed and nothing is changed.

a mix, a file in YAML, whose guests come in turn, in proportion:
  - {count: 30, flavor: m1.small, image: debian-13}
  - {count: 10, ram: 4096, vcpus: 2, disk: 40, vm_mode: pv}

exit codes:
  0  all guests find a host, with the options in force
  1  some find none, or a cell could not be read
  2  wrong usage, or something needed is out of reach
""" % tables.described(report.COLUMNS)


class Simulate(base.Lister):
    """Say where more guests would go, and what would fill.

    They go through nova's own filters and weighers, with the options in force
    and, side by side, with others.
    """

    COLUMNS = report.COLUMNS
    _epilog = _EPILOG

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        group = parser.add_argument_group(
            'the guests',
            'Without any: %d HVM guests of %d MiB, %d vCPU, %d GiB of disk.\n'
            'With a disk of 0 they boot from volumes.'
            % (
                COUNT,
                guest_arguments.RAM,
                guest_arguments.VCPUS,
                guest_arguments.DISK,
            ),
        )
        group.add_argument(
            '--count',
            metavar='N',
            type=guest_arguments.whole,
            help='How many (%d).' % COUNT,
        )
        guest_arguments.add_sizes(group)
        group.add_argument(
            '--image',
            metavar='IMAGE',
            type=options.filled,
            help='Its name or id in Glance, which is read with the usual '
            'OS_* variables or clouds.yaml.',
        )
        guest_arguments.add_vm_mode(group, None)
        group.add_argument(
            '--mix',
            metavar='FILE.yaml',
            type=options.filled,
            help='Guests of several kinds instead: a list, see below.',
        )
        parser.add_argument(
            '--set',
            metavar='NAME=VALUE',
            action='append',
            default=[],
            help='Also with this option of [xen_scheduler], such as '
            'dom0_guests_per_vcpu=30; filter_scheduler.NAME=VALUE is one of '
            "nova's [filter_scheduler], such as ram_weight_multiplier. May "
            'be given several times: all of them together.',
        )
        return parser

    def check_usage(self, parsed_args: argparse.Namespace) -> None:
        # Help needs no oslo.config.
        from nova_xen_sched.cmd.simulate import settings

        columns.check(
            parsed_args, report.COLUMNS if parsed_args.set else report.NOW
        )
        guest_arguments.check(parsed_args)
        args = parsed_args
        guest = guest_arguments.named(args) or args.image or args.vm_mode
        if args.mix and (guest or args.count):
            raise errors.Failure(
                '--mix goes without --count, and without the flavor, the size '
                'and the image of one kind of guest.'
            )
        if args.image and args.vm_mode:
            raise errors.Failure('--image goes without --vm-mode.')
        settings.parse(args.set, settings.ours())
        self._mix = mix.read(args.mix) if args.mix else [_of_one_kind(args)]
        mix.check(self._mix)

    def take_action(self, parsed_args: argparse.Namespace) -> ty.Any:
        cloud = nova.open_cloud(self.app.options)
        # It imports nova, which is there now.
        from nova_xen_sched.cmd.simulate import boots
        from nova_xen_sched.cmd.simulate import settings

        chosen = settings.parse(parsed_args.set, boots.known_options())
        simulated = _simulate(cloud, self._mix, chosen)
        self.say_missing(cloud.unreachable)
        if simulated.now.found < len(simulated.now.placed):
            self.exit_code = errors.FINDINGS
        lines = report.sentences(simulated, chosen)
        if parsed_args.formatter in ('json', 'yaml'):
            self.formatter: ty.Any = one_object.OneObject(
                self.formatter,
                report.outcome(simulated, chosen, bool(cloud.unreachable)),
                'hosts',
            )
        elif parsed_args.formatter in base.PERSONS and not parsed_args.columns:
            self.parts = ['', *lines] if simulated.hosts else lines
        else:
            for line in lines:
                self.say(line)
        names = report.COLUMNS if chosen else report.NOW
        return tuple(names), report.rows(simulated)


def _of_one_kind(args: argparse.Namespace) -> mix.Guests:
    return mix.Guests(
        args.count or COUNT,
        args.flavor,
        args.ram,
        args.vcpus,
        args.disk,
        args.image,
        args.vm_mode or 'hvm',
    )


def _simulate(
    cloud: Cloud,
    guests: ty.Sequence[mix.Guests],
    chosen: ty.Sequence[Setting],
) -> Simulated:
    """Boot the guests once or twice, from the same hosts."""
    import nova.conf

    from nova_xen_sched.cmd.simulate import boots
    from nova_xen_sched.cmd.simulate import requests
    from nova_xen_sched.cmd.simulate import settings

    snapshot = boots.read(cloud)
    kinds = requests.read(cloud, guests)
    order = mix.order([each.count for each in kinds])
    now = boots.boot(cloud, snapshot, kinds, order)
    other = None
    if chosen:
        with settings.in_force(nova.conf.CONF, chosen):
            other = boots.boot(
                boots.other_cloud(),
                snapshot,
                kinds,
                order,
                'Booting them with the other options',
            )
    return Simulated([(each.label, each.count) for each in kinds], now, other)
