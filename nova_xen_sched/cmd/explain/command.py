# SPDX-License-Identifier: Apache-2.0

"""nova-xen-sched explain: what would happen to a request, and why."""

from __future__ import annotations

import argparse
import typing as ty

from nova_xen_sched.cmd import base
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd import guest_arguments
from nova_xen_sched.cmd import nova
from nova_xen_sched.cmd.explain import columns

#: How many hosts each list of the table format shows.
LIMIT = 20

_OPERATIONS = ('boot', 'live-migrate', 'cold-migrate', 'evacuate', 'rebuild')

_EPILOG = """
columns of json, yaml, csv and value, one row a host:
%s

Nothing is claimed and nothing is changed. Without -f, the answer is written
for a person: the outcome first, then the hosts by weight, then who is refused
and why.

exit codes: 0 a host would be found, 1 none would (with --host: not this one),
or some cell could not be read; 2 wrong usage, or something is out of reach
"""


class Explain(base.Lister):
    """What would nova-scheduler do with a request, and why.

    The request is an image and a flavor, or a server that exists and what is
    to be done with it.
    """

    #: What is written for a person.
    _parts: ty.Sequence[ty.Any] = ()

    def get_epilog(self) -> str:
        return _EPILOG % _columns()

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        image = parser.add_argument_group('the image')
        image.add_argument(
            '--image',
            metavar='IMAGE',
            help='Its name or id in Glance, which is read with the usual '
            'OS_* variables or clouds.yaml.',
        )
        image.add_argument(
            '--property',
            metavar='KEY=VALUE',
            action='append',
            default=[],
            help='A property of the image; may be given several times. '
            'Without --image, Glance is not asked; with it, this property '
            "stands in place of the image's own.",
        )
        image.add_argument(
            '--disk-format',
            default='raw',
            help="The image's disk_format, without --image (%(default)s).",
        )
        flavor = parser.add_argument_group('the flavor')
        flavor.add_argument(
            '--flavor', metavar='FLAVOR', help='Its name or id.'
        )
        for name, unit in (('ram', 'MiB'), ('vcpus', 'N'), ('disk', 'GiB')):
            flavor.add_argument(
                '--' + name,
                metavar=unit,
                type=guest_arguments.natural
                if name == 'disk'
                else guest_arguments.whole,
                help='Of a flavor that need not exist.',
            )
        boot = parser.add_argument_group('the server to boot')
        boot.add_argument(
            '--boot-from-volume',
            action='store_true',
            help='Its root disk is a volume.',
        )
        boot.add_argument(
            '--availability-zone',
            metavar='ZONE',
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
            '--project', metavar='ID', help='The project it would belong to.'
        )
        server = parser.add_argument_group('or a server that exists')
        server.add_argument('--server', metavar='ID')
        server.add_argument(
            '--operation',
            choices=_OPERATIONS,
            default=None,
            help='What is to be done with it (boot: as if it were booted '
            'now). cold-migrate with a flavor is a resize; rebuild takes an '
            'image.',
        )
        shown = parser.add_argument_group('what is shown')
        shown.add_argument('--host', help='This host alone, and in full.')
        shown.add_argument(
            '--limit',
            metavar='N',
            type=guest_arguments.natural,
            default=None,
            help='As many hosts in each list, 0 for all (%d for a person, '
            'else all).' % LIMIT,
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> ty.Any:
        _check_usage(parsed_args)
        opened = nova.open_view(self.app.options)
        # These import nova, which is there now.
        from nova_xen_sched.cmd.explain import inputs
        from nova_xen_sched.cmd.explain import report
        from nova_xen_sched.cmd.explain import rows
        from nova_xen_sched.cmd.nova import xen_hosts

        asked = inputs.ask(opened, parsed_args)
        answer = asked.answer
        chosen = answer.hosts
        if parsed_args.host:
            chosen = tuple(xen_hosts.named(chosen, [parsed_args.host]))
        if answer.partial or not any(each.weighed for each in chosen):
            self.exit_code = errors.FINDINGS
        for line in answer.partial:
            self.say('The answer is partial. ' + line)
        if parsed_args.formatter == 'table' and not parsed_args.columns:
            limit = LIMIT if parsed_args.limit is None else parsed_args.limit
            if parsed_args.host:
                self._parts = [
                    part
                    for each in chosen
                    for part in report.of_one(
                        answer, each, inputs.rooms(opened, asked, each)
                    )
                ]
            else:
                self._parts = report.of_all(answer, limit)
            return tuple(columns.COLUMNS), ()
        for line in answer.notes:
            self.say(line)
        shown = chosen[: parsed_args.limit or None]
        if len(shown) < len(chosen):
            self.say(
                '%d of %d hosts are shown; --limit 0 shows all.'
                % (len(shown), len(chosen))
            )
        structured = parsed_args.formatter in ('json', 'yaml')
        return tuple(columns.COLUMNS), [
            rows.row(
                answer, each, inputs.rooms(opened, asked, each), structured
            )
            for each in shown
        ]

    def produce_output(
        self,
        parsed_args: argparse.Namespace,
        column_names: ty.Iterable[str],
        data: ty.Iterable[ty.Any],
    ) -> int:
        if not self._parts:
            code: int = super().produce_output(parsed_args, column_names, data)
            return code
        for part in self._parts:
            if isinstance(part, str):
                self.write(part + '\n')
            else:
                rows = [list(map(base.shown, row)) for row in part.rows]
                self.formatter.emit_list(
                    part.columns, rows, self.app.stdout, parsed_args
                )
        return 0


def _columns() -> str:
    """The columns and what they have, for --help."""
    return '\n'.join(
        '  %-14s %s' % (name, what) for name, what in columns.COLUMNS.items()
    )


def _check_usage(args: argparse.Namespace) -> None:
    """Refuse options that don't go together.

    :raises errors.Failure: naming them.
    """
    sizes = [args.ram, args.vcpus, args.disk]
    sized = any(size is not None for size in sizes)
    if args.flavor and sized:
        raise errors.Failure(
            '--flavor goes without --ram, --vcpus and --disk.'
        )
    if sized and None in sizes:
        raise errors.Failure('--ram, --vcpus and --disk go together.')
    if args.server:
        _check_server(args, sized)
        return
    if args.operation:
        raise errors.Failure('--operation needs --server.')
    if not args.flavor and not sized:
        raise errors.Failure(
            'Say which flavor: --flavor, or --ram, --vcpus and --disk; or '
            'which server: --server.'
        )


def _check_server(args: argparse.Namespace, sized: bool) -> None:
    for given, name in (
        (args.boot_from_volume, '--boot-from-volume'),
        (args.availability_zone, '--availability-zone'),
        (args.hint, '--hint'),
        (args.project, '--project'),
    ):
        if given:
            raise errors.Failure('%s goes without --server.' % name)
    if (args.image or args.property) and args.operation != 'rebuild':
        raise errors.Failure(
            '--image and --property go with --server only for --operation '
            'rebuild.'
        )
    if (args.flavor or sized) and args.operation != 'cold-migrate':
        raise errors.Failure(
            'A flavor goes with --server only for --operation cold-migrate, '
            'which is a resize then.'
        )
