# SPDX-License-Identifier: Apache-2.0


"""nova-xen-sched capacity: how many more guests fit, and what runs out."""

from __future__ import annotations

import argparse
import collections
import typing as ty

from nova_xen_sched.cmd import base
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd import guest_arguments
from nova_xen_sched.cmd import nova
from nova_xen_sched.cmd import tables

_EPILOG = """\
columns:
  host            the host, as HOST:NODE where they differ
  fits            how many more fit: the least of the columns behind it, 0 if
                  it is refused
  runs_out_first  what limits it: one of the columns behind it, or another
                  resource class of placement
  dom0_memory     how many fit into dom0's memory,
  dom0_cpu        dom0's vCPUs,
  host_memory     the host's RAM beside dom0, by the dom0 model;
  ram             how many fit into placement's MEMORY_MB,
  vcpus           VCPU,
  disk            DISK_GB, less what is reserved, times the allocation ratio
  refused         why it takes none, whatever it has left: placement, or the
                  first of nova's enabled filters that refuses it

The dom0 model counts whether refuse_dom0_overcommit is set or not. nova's
filters are asked once, for the first guest. Hosts that share storage share
what it has: then fewer fit in all than the column adds up to. The last line,
in all, goes to the terminal; with --total it is the only row.
It changes nothing. Exit code: 0 fine, 1 a cell could not be read, 2 something
needed is out of reach.
"""


class Capacity(base.Lister):
    """Say how many more guests of a kind fit on Xen hosts."""

    _epilog = _EPILOG

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            'hosts', metavar='HOST', nargs='*', help='Only these hosts.'
        )
        parser.add_argument(
            '--total',
            action='store_true',
            help='One row, of all hosts together; its host is *.',
        )
        guest_arguments.add_arguments(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> ty.Any:
        # The nova that is configured must be loaded before any of its own.
        seen_from = nova.open_view(self.app.options)
        from nova_xen_sched.cmd.hosts import count_fits
        from nova_xen_sched.cmd.hosts import fits as capacity
        from nova_xen_sched.cmd.nova import xen_hosts

        flavor = guest_arguments.flavor(seen_from, parsed_args)
        named = xen_hosts.named(
            xen_hosts.see(seen_from.host_states()), parsed_args.hosts
        )
        seen = [each for each in named if each.host.is_xen]
        if parsed_args.hosts and len(seen) < len(named):
            others = (each.name for each in named if not each.host.is_xen)
            raise errors.Failure(
                'Capacity is counted of Xen hosts, and this is none: %s.'
                % ', '.join(others)
            )
        counted = count_fits.count(
            seen_from, seen, flavor, parsed_args.vm_mode
        )
        total = capacity.in_all(counted)
        self.partial(seen_from.silent)
        self.say(
            'In all %s more %s on %d Xen host%s.%s'
            % (
                'any number of' if total is None else total,
                guest_arguments.label(flavor, parsed_args.vm_mode),
                len(counted),
                '' if len(counted) == 1 else 's',
                _first(counted),
            )
        )
        columns: tuple[str, ...] = (
            *('host', 'fits', 'runs_out_first'),
            *capacity.LIMITS,
        )
        rows = [
            (
                each.host,
                tables.count(each.count),
                each.first,
                *(
                    tables.count(each.limits.get(name))
                    for name in capacity.LIMITS
                ),
                each.refused,
            )
            for each in counted
        ]
        if parsed_args.total:
            rows = [('*', tables.count(total), _most_often(counted))]
            columns = columns[:3]
        else:
            columns = (*columns, 'refused')
        return columns, rows


def _ways(counted: ty.Any) -> ty.Any:
    return collections.Counter(each.first for each in counted if each.first)


def _most_often(counted: ty.Any) -> str:
    found = _ways(counted).most_common(1)
    return str(found[0][0]) if found else ''


def _first(counted: ty.Any) -> str:
    """What runs out first, by how many hosts."""
    parts = [
        '%s on %d' % (name, number)
        for name, number in _ways(counted).most_common()
    ]
    refused = sum(bool(each.refused) for each in counted)
    if refused:
        parts.append('%d take none at all' % refused)
    return ' What runs out first: %s.' % ', '.join(parts) if parts else ''
