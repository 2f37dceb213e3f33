# SPDX-License-Identifier: Apache-2.0

"""nova-xen-sched drain: a destination for each guest of a host."""

from __future__ import annotations

import argparse
import shlex
import typing as ty

from nova_xen_sched.cmd import base
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd import one_object
from nova_xen_sched.cmd import options
from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd.moves import fields
from nova_xen_sched.cmd.moves import plan
from nova_xen_sched.cmd.moves import read
from nova_xen_sched.cmd.moves import stays
from nova_xen_sched.cmd.progress import Progress
from nova_xen_sched.planner import drain
from nova_xen_sched.planner.state import State

_DISABLE = (
    "openstack compute service set --disable --disable-reason 'to be drained' "
    '%s nova-compute'
)

_EPILOG = """\
columns:
%s

The first row disables the host's nova-compute, unless it is, so that no new
guest comes; it has no server. json and yaml are one object: outcome (as of
rebalance; stays are the guests that can't be moved, that may come back and
that are on their way here, as kind says, and why), and moves, a list with
these columns. Check it with rebalance --check.

No dom0 is overcommitted by it. Each move is judged as nova would judge it
after the moves before it. Nothing is moved here.

exit codes:
  0  every guest has a destination, or there is none
  1  some guest stays or is on its way here, a migration waits to be
     confirmed, or a cell could not be read
  2  wrong usage, or something needed is out of reach
""" % tables.described(fields.COLUMNS)


class Drain(base.Lister):
    """Find a destination for each guest of a host to be emptied."""

    COLUMNS = fields.COLUMNS
    _epilog = _EPILOG

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            'host',
            metavar='HOST',
            type=options.filled,
            help='A Xen host: a name, or a pattern of one host.',
        )
        fields.add_arguments(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> ty.Any:
        args = parsed_args
        planned = read.read(self, args)
        # These import nova, which is there now.
        from nova_xen_sched.cmd.nova import migrations
        from nova_xen_sched.cmd.nova import moving

        found = planned.found
        host = read.host(found, args.host)

        def make(state: State) -> None:
            drain.drain(state, host, planned.operations, planned.allowed)

        with Progress('Planning'):
            after, short = moving.planned(planned.cloud, found, make)
        left = [
            {
                'server': guest.name,
                'server_id': guest.uuid,
                'why': stays.why(after, guest, planned.operations)
                if planned.allowed(guest)
                else stays.EXCLUDED,
                'kind': 'stays',
                'commands': [],
            }
            for guest in after.guests(host)
        ]
        there = planned.cloud, found.hosts[host]
        known = {each.uuid for each in found.cloud.guests if each.host == host}
        # A guest that was resized where it is, is among those that stay.
        waiting = [
            {
                'server': name,
                'server_id': uuid,
                'why': 'it went to %s, and its %s waits to be confirmed or '
                'reverted' % (target, kind),
                'kind': 'unconfirmed',
                'commands': [
                    'openstack server resize %s %s' % (each, uuid)
                    for each in ('confirm', 'revert')
                ],
            }
            for uuid, name, target, kind in migrations.unconfirmed(*there)
            if uuid not in known
        ]
        coming = [
            {
                'server': name,
                'server_id': uuid,
                'why': 'it is on its way here from %s (%s): plan again when '
                'it has come' % (source, kind),
                'kind': 'arriving',
                'commands': [],
            }
            for uuid, name, source, kind in migrations.arriving(*there, known)
        ]
        for line in _sentences(host, after, left, waiting, coming):
            self.say(line)
        if short:
            self.say('The plan is not complete: %s.' % tables.text(short))
        if left or waiting or coming:
            self.exit_code = errors.FINDINGS
        if args.formatter in ('json', 'yaml'):
            before = plan.overcommitted(State(found.cloud))
            outcome = plan.outcome(
                found.cloud,
                fields.flags(args),
                before,
                after,
                [*left, *waiting, *coming],
            )
            outcome['host'] = host
            self.formatter: ty.Any = one_object.OneObject(
                self.formatter, outcome, 'moves'
            )
        elif args.formatter in base.PERSONS and not args.columns:
            self.parts = _parts('%s stays: %s.', left)
            self.parts += _parts('%s may come back: %s.', waiting)
            self.parts += _parts('%s: %s.', coming)
        rows = plan.rows(found, after.moves)
        return tuple(fields.COLUMNS), [*_disable(found.hosts[host]), *rows]


def _disable(host: ty.Any) -> list[tuple[ty.Any, ...]]:
    """The row of what comes first, if that isn't so already."""
    from nova_xen_sched.cmd.nova import xen_hosts

    if xen_hosts.service_state(host.state) == 'disabled':
        return []
    name = str(host.state.host)
    cells = {
        'source': host.name,
        'operation': 'disable',
        'command': _DISABLE % shlex.quote(name),
    }
    return [tuple(cells.get(column) for column in fields.COLUMNS)]


def _sentences(
    host: str,
    after: State,
    left: ty.Sized,
    waiting: ty.Sized,
    coming: ty.Sized,
) -> ty.Iterator[str]:
    if not (after.moves or left or waiting or coming):
        yield '%s has no guests.' % host
        return
    yield '%s of %s to move, %.1f GiB of RAM to copy; %d %s.' % (
        tables.counted(len(after.moves), 'guest'),
        host,
        sum(move.guest.memory_mb for move in after.moves) / 1024,
        len(left),
        'stays' if len(left) == 1 else 'stay',
    )
    others = []
    if waiting:
        others.append('%d may come back' % len(waiting))
    if len(coming) == 1:
        others.append('1 is on its way here')
    elif coming:
        others.append('%d are on their way here' % len(coming))
    if others:
        yield '%s.' % ', '.join(others)


def _parts(
    sentence: str, left: ty.Iterable[ty.Mapping[str, ty.Any]]
) -> list[tables.Part]:
    parts: list[tables.Part] = []
    for each in left:
        parts += [
            '',
            tables.text(sentence % (each['server'], each['why'].rstrip('.'))),
            *(tables.Line('  ' + command) for command in each['commands']),
        ]
    return parts
