# SPDX-License-Identifier: Apache-2.0

"""nova-xen-sched host list and host show: hosts as the scheduler has them."""

from __future__ import annotations

import argparse
import typing as ty

from nova_xen_sched.cmd import base
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd import guest_arguments
from nova_xen_sched.cmd import nova
from nova_xen_sched.cmd import tables

Column, LONG = tables.Column, tables.LONG

COLUMNS = {
    'host': Column('Host', 'the host, as HOST:NODE where they differ'),
    'guest_types': Column(
        'Guests', 'what it runs, and on which architectures', LONG
    ),
    'libvirt': Column(
        'Libvirt', 'its libvirt; >=4.0.0 where only a lower bound is known'
    ),
    'libvirt_source': Column(
        'Source',
        'the source of facts that says so; "stale" if it is older than '
        'facts_max_age',
        LONG,
    ),
    'xen': Column(
        'Xen', 'its Xen; 4.17 alone where the patch level is unknown'
    ),
    'xen_source': Column(
        'Source', 'likewise; nova where no fact says it', LONG
    ),
    'live_migration': Column(
        'Live migration',
        'yes, no or unknown, with the code of the refusal behind it: what the '
        'libvirt rule says of a live migration, whatever '
        'live_migration_check and unknown_version make of it',
    ),
    'dom0_memory_mb': Column(
        'Dom0 MiB', 'dom0\'s size; "default" where no fact says it', LONG
    ),
    'dom0_vcpus': Column('Dom0 vCPUs', 'likewise', LONG),
    'headroom': Column(
        'Headroom',
        "what is left of the fullest of dom0's rooms, from 1 (empty); below 0 "
        'it is overcommitted',
    ),
    'scarcest': Column(
        'Scarcest',
        'what runs out first for the kind of guest that is counted: '
        'runs_out_first of capacity',
    ),
    'fits': Column(
        'Fits',
        'how many more guests of the kind that is counted fit: see '
        'nova-xen-sched help capacity',
    ),
}

_LIST_EPILOG = """\
columns:
%s

Hosts that run no Xen through libvirt have neither facts nor rooms here.
It changes nothing. Exit code: 0 fine, 1 a cell could not be read, 2 something
needed is out of reach.
""" % tables.described(COLUMNS)
_SHOW_EPILOG = (
    """\
fields: those of host list, and
  hypervisor, service_version  as nova has them
  live_migration_why           why, and what to do
  *_source                     where a fact comes from; "default" is nova.conf
  observed_at                  when the facts were read, if they say so
  guests_hvm, _pv, _pvh        guests by mode; _unknown: of unknown mode
  room_*                       what guests take of each room, and what it has
                               for them
  room_*_source                how the former is known: computed, or reported
                               by Xen, where that leaves less
  fits_of                      the kind of guest that fits counts
  fits_*                       how many of them by each limit
  runs_out_first, refused      see nova-xen-sched help capacity
  logs                         where to look on the host if a guest fails

"""
    + _LIST_EPILOG
)


class HostLister(base.Lister):
    """A command that lists hosts: all, or those that are named."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            'hosts', metavar='HOST', nargs='*', help='Only these hosts.'
        )
        guest_arguments.add_arguments(parser)
        return parser


class List(HostLister):
    """List Xen hosts as nova-scheduler sees them now."""

    COLUMNS = COLUMNS
    _epilog = _LIST_EPILOG

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            '--all', action='store_true', help='Other hosts than Xen, too.'
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> ty.Any:
        counted = count(self, parsed_args, parsed_args.hosts)
        from nova_xen_sched.cmd.hosts import report

        every = parsed_args.all or parsed_args.hosts
        others = len(counted.hosts) - len(counted.fits)
        self.say(
            '%s%s; fits counts %s.'
            % (
                tables.counted(len(counted.fits), 'Xen host'),
                ', and %d of other hypervisors (--all)' % others
                if others and not every
                else '',
                counted.guests,
            )
        )
        rows = [
            report.row(each, counted)
            for each in counted.hosts
            if each.host.is_xen or every
        ]
        return tuple(COLUMNS), [
            [row[name] for name in COLUMNS] for row in rows
        ]


class Show(base.ShowOne):
    """Show all that nova-scheduler knows of one host."""

    _epilog = _SHOW_EPILOG

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument('host', metavar='HOST')
        guest_arguments.add_arguments(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> ty.Any:
        counted = count(self, parsed_args, [parsed_args.host])
        from nova_xen_sched.cmd.hosts import report

        if len(counted.hosts) > 1:
            raise errors.Failure(
                '%s has several nodes: name one of %s.'
                % (
                    parsed_args.host,
                    ', '.join(each.name for each in counted.hosts),
                )
            )
        (host,) = counted.hosts
        details = report.details(host, counted)
        return tuple(details), tuple(details.values())


def count(
    command: base.Command, parsed_args: argparse.Namespace, names: list[str]
) -> ty.Any:
    """How many more guests fit on the hosts of these names, all if none.

    :returns: a count_fits.Counted.
    """
    cloud = nova.open_cloud(command.app.options)
    # It imports nova, whose configuration had to be loaded first.
    from nova_xen_sched.cmd.hosts import count_fits

    counted = count_fits.count(cloud, parsed_args, names)
    for why in cloud.unreachable.values():
        command.say('The answer lacks hosts: %s' % why)
        command.exit_code = errors.FINDINGS
    return counted
