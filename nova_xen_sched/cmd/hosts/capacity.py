# SPDX-License-Identifier: Apache-2.0

"""nova-xen-sched capacity: how many more guests fit, and what runs out."""

from __future__ import annotations

import argparse
import collections
import typing as ty

from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd.hosts import command
from nova_xen_sched.cmd.hosts import fits

Column = tables.Column

COLUMNS = {
    'host': Column('Host', 'the host, as HOST:NODE where they differ'),
    'fits': Column(
        'Fits',
        'how many more fit: the least of the columns behind it, 0 if it is '
        'refused',
    ),
    'runs_out_first': Column(
        'Runs out first',
        'what limits it: one of the columns behind it, or another resource '
        'class of placement',
    ),
    'dom0_memory': Column('dom0 RAM', "how many fit into dom0's memory,"),
    'dom0_cpu': Column('dom0 CPU', "dom0's vCPUs,"),
    'host_memory': Column(
        'Host RAM', "the host's RAM beside dom0, by the dom0 model;"
    ),
    'ram': Column('RAM', "how many fit into placement's MEMORY_MB,"),
    'vcpus': Column('vCPUs', 'VCPU,'),
    'disk': Column(
        'Disk', 'DISK_GB, less what is reserved, times the allocation ratio'
    ),
    'refused': Column(
        'Refused',
        'why it takes none, whatever it has left: placement, or the first of '
        "nova's enabled filters that refuses it",
    ),
}

_EPILOG = """\
columns:
%s

The dom0 model counts whether refuse_dom0_overcommit is set or not. nova's
filters are asked once, for the first guest. Hosts that share storage share
what it has: then fewer fit in all than the column adds up to. The last line,
in all, goes to the terminal; with --total it is the only row.
It changes nothing. Exit code: 0 fine, 1 a cell could not be read, 2 something
needed is out of reach.
""" % tables.described(COLUMNS)


class Capacity(command.HostLister):
    """Say how many more guests of a kind fit on Xen hosts."""

    COLUMNS = COLUMNS
    _epilog = _EPILOG

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            '--total',
            action='store_true',
            help='One row, of all hosts together; its host is *.',
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> ty.Any:
        counted = command.count(self, parsed_args, parsed_args.hosts)
        others = [each.name for each in counted.hosts if not each.host.is_xen]
        if parsed_args.hosts and others:
            raise errors.Failure(
                'Capacity is counted of Xen hosts, and this is none: %s.'
                % ', '.join(others)
            )
        hosts = list(counted.fits.values())
        total = fits.in_all(hosts)
        first = collections.Counter(each.first for each in hosts if each.first)
        self.say(
            'In all %s more %s on %s.%s'
            % (
                'any number of' if total is None else total,
                counted.guests,
                tables.counted(len(hosts), 'Xen host'),
                _summary(first, sum(bool(each.refused) for each in hosts)),
            )
        )
        if parsed_args.total:
            most = first.most_common(1)
            return tuple(COLUMNS)[:3], [
                ('*', tables.count(total), most[0][0] if most else '')
            ]
        return tuple(COLUMNS), [
            (
                each.host,
                tables.count(each.count),
                each.first,
                *(tables.count(each.limits.get(name)) for name in fits.LIMITS),
                each.refused,
            )
            for each in hosts
        ]


def _summary(first: ty.Counter[str], refused: int) -> str:
    """What runs out first, by how many hosts."""
    parts = ['%s on %d' % each for each in first.most_common()]
    if refused:
        parts.append('%d take none at all' % refused)
    return ' What runs out first: %s.' % ', '.join(parts) if parts else ''
