# SPDX-License-Identifier: Apache-2.0

"""nova-xen-sched explain: what would happen to a request, and why."""

from __future__ import annotations

import argparse
import typing as ty

from nova_xen_sched.cmd import base
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd import guest_arguments
from nova_xen_sched.cmd import nova
from nova_xen_sched.cmd import one_object
from nova_xen_sched.cmd import options
from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd.explain import OPERATIONS
from nova_xen_sched.cmd.explain import rows

#: How many hosts each list of the table format shows.
LIMIT = 20
#: The arguments that only a server to boot has.
_BOOT = ('boot_from_volume', 'availability_zone', 'hint', 'project')

_EPILOG = """
columns of csv and value, a row for each host:
%s

json and yaml are one object: outcome (whether a host is found, what nova
refuses before it asks its scheduler, which hosts come first, and by step and
cause how many hosts are refused), and hosts, a list with these columns.

Nothing is claimed and nothing is changed. Without -f, the answer is written
for a person: the outcome first, then the hosts by weight, then who is refused
and why.

exit codes:
  0  a host would be found
  1  none would (with --host: not this one), nova refuses the operation itself,
     or a cell or placement could not be read
  2  wrong usage, or something else is out of reach
""" % tables.described(rows.COLUMNS)


class Explain(base.Lister):
    """What would nova-scheduler do with a request, and why.

    The request is an image and a flavor, or a server that exists and what is
    to be done with it.
    """

    COLUMNS = rows.COLUMNS
    _epilog = _EPILOG

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        image = parser.add_argument_group('the image')
        image.add_argument(
            '--image',
            metavar='IMAGE',
            type=options.filled,
            help='Its name or id in Glance, which is read with the usual '
            'OS_* variables or clouds.yaml.',
        )
        image.add_argument(
            '--property',
            metavar='KEY=VALUE',
            action='append',
            default=[],
            help='A property of the image; may be given several times. '
            'Without --image, Glance is not read; with it, this property '
            "stands in place of the image's own.",
        )
        image.add_argument(
            '--disk-format',
            type=options.filled,
            default='raw',
            help="The image's disk_format, without --image (%(default)s).",
        )
        guest_arguments.add_sizes(parser.add_argument_group('the flavor'))
        boot = parser.add_argument_group('the server to boot')
        boot.add_argument(
            '--boot-from-volume',
            action='store_true',
            help='Its root disk is a volume.',
        )
        boot.add_argument(
            '--availability-zone',
            metavar='ZONE',
            type=options.filled,
            help='As with openstack server create; ZONE:HOST forces a host.',
        )
        boot.add_argument(
            '--hint',
            metavar='KEY=VALUE',
            action='append',
            default=[],
            help='A scheduler hint, as group=ID; may be given several times.',
        )
        boot.add_argument(
            '--project',
            metavar='ID',
            type=options.filled,
            help='The project it would belong to.',
        )
        server = parser.add_argument_group('or a server that exists')
        server.add_argument(
            '--server',
            metavar='SERVER',
            type=options.filled,
            help='Its id, or its name (wildcards: * ?) if no other server has '
            'such a name.',
        )
        server.add_argument(
            '--operation',
            choices=list(OPERATIONS),
            type=str.lower,
            metavar='OPERATION',
            help='What is to be done with it: %s. boot is as if it were '
            'booted now. resize takes a flavor, and cold-migrate with one is '
            'the same; rebuild takes an image.' % ', '.join(OPERATIONS),
        )
        shown = parser.add_argument_group('what is shown')
        shown.add_argument(
            '--host',
            type=options.filled,
            help='This host alone, and in full; with wildcards (* ? [ ]) all '
            'hosts of such names.',
        )
        shown.add_argument(
            '--limit',
            metavar='N',
            type=guest_arguments.natural,
            default=None,
            help='As many hosts in each list, 0 for all (%d for a person, '
            'else all).' % LIMIT,
        )
        return parser

    def check_usage(self, parsed_args: argparse.Namespace) -> None:
        super().check_usage(parsed_args)
        guest_arguments.check(parsed_args)
        args = parsed_args
        server, flavor = args.server, guest_arguments.named(args)
        zone = args.availability_zone or ''
        for wrong, complaint in (
            *(
                (
                    text.find('=') < 1,
                    '--%s %s is not KEY=VALUE.' % (name, text),
                )
                for name in ('property', 'hint')
                for text in getattr(args, name)
            ),
            (
                zone.count(':') > 2,
                '--availability-zone %s is not ZONE, ZONE:HOST or '
                'ZONE:HOST:NODE.' % zone,
            ),
            (args.operation and not server, '--operation needs --server.'),
            *(
                (
                    server and getattr(args, name),
                    '--%s goes without --server.' % name.replace('_', '-'),
                )
                for name in _BOOT
            ),
            (
                server
                and (args.image or args.property)
                and args.operation != 'rebuild',
                '--image and --property go with --server only for --operation '
                'rebuild.',
            ),
            (
                server
                and flavor
                and args.operation not in ('resize', 'cold-migrate'),
                'A flavor goes with --server only for --operation resize.',
            ),
            (
                args.operation == 'resize' and not flavor,
                '--operation resize needs a flavor: --flavor, or some of '
                '--ram, --vcpus and --disk.',
            ),
        ):
            if wrong:
                raise errors.Failure(complaint)

    def take_action(self, parsed_args: argparse.Namespace) -> ty.Any:
        cloud = nova.open_cloud(self.app.options)
        # These import nova, which is there now.
        from nova_xen_sched.cmd.explain import inputs
        from nova_xen_sched.cmd.explain import report
        from nova_xen_sched.cmd.explain import report_host
        from nova_xen_sched.cmd.nova import xen_hosts

        found, spec = inputs.explain(cloud, parsed_args)
        names = [parsed_args.host] if parsed_args.host else []
        hosts: ty.Sequence[ty.Any] = found.hosts
        if hosts:
            hosts = xen_hosts.named(hosts, names)
        if (
            found.partial
            or found.nova_refuses
            or not any(each.rank for each in hosts)
        ):
            self.exit_code = errors.FINDINGS
        for line in found.partial:
            self.say('The answer is partial. ' + line)
        limit = parsed_args.limit
        if parsed_args.formatter in base.PERSONS and not parsed_args.columns:
            self.parts = report.of_all(
                found, LIMIT if limit is None else limit
            )
            if names and hosts:
                pages = [
                    report_host.of_one(
                        found, each, inputs.resources(cloud, spec, each)
                    )
                    for each in hosts
                ]
                # An empty line between two.
                self.parts = [part for page in pages for part in ('', *page)][
                    1:
                ]
            return tuple(rows.COLUMNS), ()
        if parsed_args.formatter in ('json', 'yaml'):
            self.formatter: ty.Any = one_object.OneObject(
                self.formatter, rows.outcome(found), 'hosts'
            )
        else:
            for line in found.nova_refuses + found.notes:
                self.say('\n    '.join([line, *line.commands]))
        shown = hosts[: limit or None]
        if len(shown) < len(hosts):
            self.say(
                '%d of %d hosts are shown; --limit 0 shows all.'
                % (len(shown), len(hosts))
            )
        return tuple(rows.COLUMNS), [
            rows.row(found, each, inputs.resources(cloud, spec, each))
            for each in shown
        ]
