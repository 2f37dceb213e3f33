# SPDX-License-Identifier: Apache-2.0

"""nova-xen-sched host list and host show: hosts as the scheduler has them."""

from __future__ import annotations

import argparse
import typing as ty

from nova_xen_sched.cmd import base
from nova_xen_sched.cmd import columns
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd import guest_arguments
from nova_xen_sched.cmd import nova
from nova_xen_sched.cmd import options
from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd.hosts import fields
from nova_xen_sched.cmd.progress import Progress

if ty.TYPE_CHECKING:
    from nova_xen_sched.cmd.hosts.count_fits import Counted
    from nova_xen_sched.cmd.nova.scheduler import Cloud
    from nova_xen_sched.cmd.nova.xen_hosts import ComputeHost

_NAMES = "a shell pattern in quotes, 'xen-a*', names all that match."
_EPILOG = """\
%s

Hosts of other hypervisors have neither facts nor headroom here. What depends
on placement (fits, refused) is empty if placement is out of reach. Nothing is
changed.

exit codes:
  0  fine
  1  a cell could not be read, or placement is out of reach
  2  wrong usage, or something needed is out of reach
"""
_LIST_EPILOG = _EPILOG % ('columns:\n' + tables.described(fields.LIST))
_SHOW_EPILOG = _EPILOG % '\n\n'.join(
    '%s:\n%s'
    % (heading or 'fields', tables.described(found, ' (structured formats)'))
    for heading, found in fields.SHOW.items()
)


class HostLister(base.Lister):
    """A command that lists hosts: all, or those that are named."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            'hosts',
            metavar='HOST',
            nargs='*',
            type=options.filled,
            help='Only these hosts; ' + _NAMES,
        )
        guest_arguments.add_arguments(parser)
        return parser

    def check_usage(self, parsed_args: argparse.Namespace) -> None:
        super().check_usage(parsed_args)
        guest_arguments.check(parsed_args)


class List(HostLister):
    """List Xen hosts as nova-scheduler sees them now."""

    COLUMNS = fields.LIST
    _epilog = _LIST_EPILOG

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            '--all',
            action='store_true',
            help='Also hosts of other hypervisors than Xen.',
        )
        parser.add_argument(
            '--state',
            choices=('up', 'down', 'disabled'),
            type=str.lower,
            help='Only hosts whose nova-compute has this state.',
        )
        parser.add_argument(
            '--refused',
            action='store_true',
            help='Only hosts that take no guest at all.',
        )
        parser.add_argument(
            '--scarce',
            metavar='PERCENT',
            type=guest_arguments.percent,
            help='Only hosts whose headroom is below this share, 0 to 100.',
        )
        parser.add_argument(
            '--plot',
            metavar='FILE.svg',
            type=options.filled,
            help='Also draw the headroom of each resource of these hosts, the '
            'fullest first, in a picture. matplotlib has to be installed.',
        )
        return parser

    def check_usage(self, parsed_args: argparse.Namespace) -> None:
        super().check_usage(parsed_args)
        if parsed_args.plot is None:
            return
        if not parsed_args.plot.endswith('.svg'):
            raise errors.Failure(
                'The name of the picture ends in .svg: %s.' % parsed_args.plot
            )
        errors.need('matplotlib')

    def take_action(self, parsed_args: argparse.Namespace) -> ty.Any:
        cloud, every = read(self, parsed_args.hosts)
        # These import nova, which is there now.
        from nova_xen_sched.cmd.hosts import count_fits
        from nova_xen_sched.cmd.hosts import report

        counted = count_fits.count(
            cloud,
            parsed_args,
            [each for each in every if _is_wanted(each, parsed_args)],
        )
        if counted.failure and parsed_args.refused:
            # The answer would be empty, and wrong.
            raise counted.failure
        go_on(self, counted)
        rows = [report.row(each, counted) for each in counted.hosts]
        if parsed_args.refused:
            rows = [row for row in rows if tables.text(row['refused'])]
        if parsed_args.plot:
            listed = {tables.text(row['host']) for row in rows}
            _draw([e for e in every if e.name in listed], parsed_args.plot)
        self.say(_sentence(rows, every, parsed_args, counted))
        return tuple(fields.LIST), [
            [row[name] for name in fields.LIST] for row in rows
        ]


def _is_wanted(host: ComputeHost, parsed_args: argparse.Namespace) -> bool:
    """Whether a host is to be listed, as far as that needs no placement."""
    from nova_xen_sched import dom0
    from nova_xen_sched.cmd.nova import xen_hosts

    if not (host.host.is_xen or parsed_args.all or parsed_args.hosts):
        return False
    if parsed_args.scarce is not None:
        if not host.resources:
            return False
        headroom = dom0.scarcest(host.resources).headroom
        if not headroom * 100 < parsed_args.scarce:
            return False
    return parsed_args.state in (None, xen_hosts.service_state(host.state))


def _draw(hosts: ty.Sequence[ComputeHost], path: str) -> None:
    from nova_xen_sched.cmd.hosts import plot

    found = [(each.name, each.resources) for each in hosts]
    with errors.writing(path):
        plot.draw(found, path)


def _sentence(
    rows: ty.Sequence[ty.Any],
    every: ty.Sequence[ComputeHost],
    parsed_args: argparse.Namespace,
    counted: Counted,
) -> str:
    """How many hosts are listed, and which guests are counted."""
    xen = sum(each.host.is_xen for each in every)
    if parsed_args.all or parsed_args.hosts:
        total, others = tables.counted(len(every)), 0
    else:
        total, others = tables.counted(xen, 'Xen host'), len(every) - xen
    return '%s%s.%s\nFits counts %s.' % (
        '' if total.startswith('%d ' % len(rows)) else '%d of ' % len(rows),
        total,
        ' Left out: %s of other hypervisors (--all).' % tables.counted(others)
        if others
        else '',
        tables.text(counted.guests),
    )


class Show(base.ShowOne):
    """Show all that nova-scheduler knows of one host."""

    FIELDS = fields.SHOW
    _epilog = _SHOW_EPILOG

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            'host',
            metavar='HOST',
            type=options.filled,
            help='A name, or a pattern of one host.',
        )
        guest_arguments.add_arguments(parser)
        return parser

    def check_usage(self, parsed_args: argparse.Namespace) -> None:
        # What else placement has is known only when it was asked.
        early = argparse.Namespace(
            columns=[
                name
                for name in parsed_args.columns
                if not name.lower().startswith('fits')
            ]
        )
        columns.check(
            early, [name for group in fields.SHOW.values() for name in group]
        )
        guest_arguments.check(parsed_args)

    def take_action(self, parsed_args: argparse.Namespace) -> ty.Any:
        cloud, hosts = read(self, [parsed_args.host])
        from nova_xen_sched.cmd.hosts import count_fits
        from nova_xen_sched.cmd.hosts import report

        if len(hosts) > 1:
            raise errors.Failure(
                '%s matches more than one host: name one of %s.'
                % (parsed_args.host, tables.listed(h.name for h in hosts))
            )
        counted = count_fits.count(cloud, parsed_args, hosts)
        go_on(self, counted)
        details = report.details(hosts[0], counted)
        known = {name for group in fields.SHOW.values() for name in group}
        # Other resource classes of placement.
        more = {
            name: tables.Column('by ' + name[len('fits_') :].upper(), '')
            for name in details
            if name not in known
        }
        self.FIELDS = {
            heading: {**found, **more} if 'fits' in found else found
            for heading, found in fields.SHOW.items()
        }
        names = [name for group in self.FIELDS.values() for name in group]
        return names, [details[name] for name in names]


def read(
    command: base.Command, names: ty.Sequence[str]
) -> tuple[Cloud, ty.Sequence[ComputeHost]]:
    """The cloud, and its hosts of these names, all if none.

    :raises errors.Failure: if there is no host of a name, or nova's databases
        are out of reach.
    """
    cloud = nova.open_cloud(command.app.options)
    # It imports nova, whose configuration had to be loaded first.
    from nova_xen_sched.cmd.nova import xen_hosts

    with Progress('Reading hosts'):
        hosts = xen_hosts.named(xen_hosts.read(cloud.host_states()), names)
    command.say_missing(cloud.unreachable)
    return cloud, hosts


def go_on(
    command: base.Command,
    counted: Counted,
    empty: str = 'Fits and Refused are empty',
) -> None:
    """Say which cells are empty, if guests could not be counted."""
    if counted.failure:
        command.trace(counted.failure)
        command.say('%s: %s' % (empty, counted.failure), error=True)
        command.exit_code = errors.FINDINGS
