# SPDX-License-Identifier: Apache-2.0

"""nova-xen-sched capacity: how many more guests fit, and what runs out."""

from __future__ import annotations

import argparse
import collections
import typing as ty

from nova_xen_sched.cmd import columns
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd import guest_arguments
from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd.hosts import command
from nova_xen_sched.cmd.hosts import failures
from nova_xen_sched.cmd.hosts import fields
from nova_xen_sched.cmd.hosts import fits

if ty.TYPE_CHECKING:
    from nova_xen_sched.cmd.hosts.count_fits import Counted
    from nova_xen_sched.cmd.nova.xen_hosts import ComputeHost

#: The columns of --total.
_TOTAL = ('host', 'fits', 'runs_out_first')

_EPILOG = """\
columns:
%s

columns with --failures:
%s

The dom0 model counts whether refuse_dom0_overcommit is set or not. nova's
filters judge once, for the first guest. Hosts that share storage share
what the storage has: then fewer fit in all than the column adds up to. How
many fit in all is a line on stderr; with --total it is the only row. Nothing
is changed.

exit codes:
  0  fine
  1  a cell could not be read, or placement is out of reach: then only what
     the dom0 model limits is known, and with --total nothing; with
     --failures: a guest has nowhere to go, or a dom0 would be overcommitted
  2  wrong usage, or something needed is out of reach
""" % (
    tables.described(fields.CAPACITY),
    tables.described(fields.FAILURES),
)


class Capacity(command.HostLister):
    """Say how many more guests of a kind fit on Xen hosts."""

    COLUMNS: ty.Mapping[str, tables.Column] = fields.CAPACITY
    _epilog = _EPILOG

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            '--total',
            action='store_true',
            help='One row, for all hosts together; its host is *.',
        )
        parser.add_argument(
            '--failures',
            metavar='N',
            type=guest_arguments.whole,
            help='Instead: what becomes of the guests that there are, when N '
            'hosts fail. With 1 each host, with more the worst that are '
            'found.',
        )
        parser.add_argument(
            '--shared-storage',
            action='store_true',
            help='With --failures: the disks of guests (instances_path) are '
            'on storage that all Xen hosts share, so that none starts empty.',
        )
        return parser

    def check_usage(self, parsed_args: argparse.Namespace) -> None:
        if parsed_args.failures:
            if parsed_args.total or guest_arguments.named(parsed_args):
                raise errors.Failure(
                    '--failures counts the guests that there are: it goes '
                    'without --total and the size of a guest.'
                )
            self.COLUMNS = fields.FAILURES
        elif parsed_args.shared_storage:
            raise errors.Failure('--shared-storage needs --failures.')
        if parsed_args.total:
            columns.check(
                parsed_args, {name: fields.CAPACITY[name] for name in _TOTAL}
            )
        super().check_usage(parsed_args)

    def take_action(self, parsed_args: argparse.Namespace) -> ty.Any:
        if parsed_args.failures:
            return failures.answer(self, parsed_args)
        cloud, every = command.read(self, parsed_args.hosts)
        # These import nova, which is there now.
        from nova_xen_sched.cmd.hosts import count_fits
        from nova_xen_sched.cmd.hosts import report

        xen = [each for each in every if each.host.is_xen]
        if parsed_args.hosts:
            _check_named(parsed_args.hosts, every, xen)
        counted = count_fits.count(cloud, parsed_args, xen)
        if counted.failure:
            if parsed_args.total:
                # The answer would be empty.
                raise counted.failure
            command.go_on(
                self,
                counted,
                'Only dom0 memory, dom0 vCPUs and Host memory are known '
                '(--long)',
            )
            return tuple(self.COLUMNS), [
                _row(each.name, counted) for each in xen
            ]
        hosts = list(counted.fits.values())
        total = fits.in_all(hosts)
        first = collections.Counter(each.first for each in hosts if each.first)
        self.say(
            '%s: %s more fit on %s.%s'
            % (
                tables.text(counted.guests),
                'any number' if total is None else total,
                tables.counted(len(hosts), 'Xen host'),
                _summary(first, sum(bool(each.refused) for each in hosts)),
            )
        )
        if parsed_args.total:
            most = first.most_common(1)
            name = most[0][0] if most else ''
            return _TOTAL, [('*', tables.count(total), report.limit(name))]
        return tuple(self.COLUMNS), [
            _row(each.host, counted) for each in hosts
        ]


def _row(host: str, counted: Counted) -> tuple[ty.Any, ...]:
    from nova_xen_sched.cmd.hosts import report

    fit = counted.fits.get(host)
    limits = report.limits(host, counted)
    return (
        host,
        tables.count(fit.count) if fit else tables.Cell(None),
        report.limit(fit.first if fit else ''),
        *(limits[name] for name in fits.LIMITS),
        report.refused(fit),
        report.refused_why(fit),
    )


def _check_named(
    names: ty.Sequence[str],
    hosts: ty.Sequence[ComputeHost],
    xen: ty.Sequence[ComputeHost],
) -> None:
    """Refuse a host that is named and no Xen host; a pattern needs one."""
    lowered = {name.lower() for name in names}
    others = [
        each.name
        for each in hosts
        if not each.host.is_xen
        and (
            not xen
            or not lowered.isdisjoint(
                {each.name.lower(), str(each.state.host).lower()}
            )
        )
    ]
    if others:
        raise errors.Failure(
            'capacity counts on Xen hosts alone, and this is none: %s.'
            % tables.listed(others)
        )


def _summary(first: ty.Counter[str], refused: int) -> str:
    """What runs out first, by how many hosts."""
    parts = [
        '%s on %d' % (fields.limit(name), count)
        for name, count in first.most_common()
    ]
    if refused:
        parts.append('%d refused' % refused)
    return '\nWhat runs out first: %s.' % ', '.join(parts) if parts else ''
