# SPDX-License-Identifier: Apache-2.0

"""Whether a plan that was written down still holds."""

from __future__ import annotations

import argparse
import json
import typing as ty

from nova_xen_sched import log
from nova_xen_sched.cmd import base
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd.moves import fields
from nova_xen_sched.cmd.moves import plan
from nova_xen_sched.planner.cloud import Move
from nova_xen_sched.planner.cloud import Operation
from nova_xen_sched.planner.state import State

if ty.TYPE_CHECKING:
    from nova_xen_sched.cmd.moves.read import Planned

#: A file larger than this is no plan: 10,000 moves take 6 MiB.
_MOST = 64 << 20
_WANTED = ('server', 'server_id', 'source', 'target')


class Kept(ty.NamedTuple):
    """A plan as it was written down.

    :ivar flags: by the names of fields.FLAGS, those that it was made with.
    :ivar host: the one that it is to empty; None of rebalance.
    :ivar moves: of each, _WANTED and its operation.
    """

    made_at: str
    digest: str
    flags: ty.Mapping[str, bool]
    host: str | None
    moves: ty.Sequence[ty.Mapping[str, str]]


def load(path: str) -> Kept:
    """Read a plan.

    :raises errors.Failure: naming what of it is wrong.
    """
    try:
        with open(path, encoding='utf-8') as file:
            text = file.read(_MOST + 1)
        if len(text) > _MOST:
            raise ValueError('it is larger than 64 MiB')
        return _kept(json.loads(text))
    except OSError as e:
        raise errors.Failure(
            "%s can't be read: %s." % (path, e.strerror or e)
        ) from e
    except (ValueError, RecursionError) as e:
        raise errors.Failure(
            '%s is no plan: %s. Write one with nova-xen-sched rebalance -f '
            'json, or drain.' % (path, errors.one_line(e))
        ) from e


def _kept(found: ty.Any) -> Kept:
    """A plan of what a file has.

    :raises ValueError: saying what is wrong, and where.
    """
    if not isinstance(found, dict):
        raise ValueError('it is no object')
    outcome, moves = found.get('outcome'), found.get('moves')
    if not isinstance(outcome, dict) or not isinstance(moves, list):
        raise ValueError('it lacks outcome, an object, or moves, a list')
    for name in ('made_at', 'digest'):
        _text(outcome, name, 'outcome')
    flags = outcome.get('flags')
    if not isinstance(flags, dict) or not all(
        isinstance(flags.get(name), bool) for name in fields.FLAGS
    ):
        raise ValueError(
            'outcome has no flags, as of a plan of an earlier version'
        )
    host = None
    if 'host' in outcome:
        host = _text(outcome, 'host', 'outcome')
    kept = []
    numbers: dict[str, int] = {}
    for number, move in enumerate(moves, 1):
        where = 'move %d' % number
        if not isinstance(move, dict):
            raise ValueError(where + ' is no object')
        operation = _text(move, 'operation', where)
        # The first row of drain's plans moves nothing.
        if operation == 'disable':
            continue
        if operation not in ('live', 'cold'):
            raise ValueError(
                '%s has the operation %s, which is neither live nor cold'
                % (where, log.shown(operation))
            )
        for name in _WANTED:
            _text(move, name, where)
        if move['server_id'] in numbers:
            raise ValueError(
                '%s moves the same server as move %d'
                % (where, numbers[move['server_id']])
            )
        numbers[move['server_id']] = number
        kept.append(move)
    return Kept(outcome['made_at'], outcome['digest'], flags, host, kept)


def _text(found: ty.Mapping[str, ty.Any], name: str, where: str) -> str:
    value = found.get(name)
    if not isinstance(value, str):
        raise ValueError('%s has no text as %s' % (where, name))
    return value


def use_flags(args: argparse.Namespace, kept: Kept) -> None:
    """Have a plan checked with the flags that it was made with.

    :raises errors.Failure: if another was given.
    """
    for name, flag in fields.FLAGS.items():
        if getattr(args, name) and not kept.flags[name]:
            raise errors.Failure(
                '%s was made without %s, and is checked without it.'
                % (args.check, flag)
            )
        setattr(args, name, kept.flags[name])


class Checked(ty.NamedTuple):
    """What is so of a plan now.

    :ivar made_at: when it was made.
    :ivar holds: whether the moves that are left can be made.
    :ivar why: why the next one can't; None if all can.
    :ivar made: how many of its moves were made already.
    :ivar left: how many were not.
    :ivar reached: whether it does what it was made for: no dom0 is
        overcommitted after it, or the host is empty.
    """

    made_at: str
    holds: bool
    why: str | None
    made: int
    left: int
    reached: bool


def check(
    command: base.Command, planned: Planned, kept: Kept
) -> tuple[State, Checked]:
    """Say whether a plan still holds.

    :returns: the state after those of its moves that are left; without moves
        if it doesn't hold, lest a part of it is carried out.
    """
    cloud = planned.found.cloud
    state, made, refusal = _after(planned, kept)
    count, left = len(kept.moves), len(kept.moves) - len(made)
    about = 'The plan of %s' % tables.text(kept.made_at)
    lacks = ''
    if refusal:
        state = State(cloud)
        command.say(
            '%s holds no more: %s.' % (about, refusal.rstrip('.')), error=True
        )
    else:
        is_same = kept.digest == plan.digest(cloud, made)
        if is_same and not made:
            command.say(
                '%s holds: hosts and guests are as it saw them.' % about
            )
        else:
            command.say(
                '%s holds: %d of %s made, %d left.'
                % (about, len(made), tables.counted(count, 'move'), left)
            )
        if not is_same:
            command.say('Hosts or guests are not as it saw them.')
        lacks = _lacks(state, kept.host)
        if lacks:
            command.say(lacks, error=True)
    if refusal or lacks:
        command.exit_code = errors.FINDINGS
    return state, Checked(
        kept.made_at,
        not refusal,
        refusal or None,
        len(made),
        left,
        not (refusal or lacks),
    )


def _lacks(state: State, host: str | None) -> str:
    """What a plan doesn't do that it was made for, '' if it does it."""
    if host is None:
        over = plan.overcommitted(state)
        if not over:
            return ''
        return '%s overcommitted after it: %s.' % (
            _stays(len(over), 'dom0'),
            tables.names(over),
        )
    guests = state.guests(host) if host in state.loads else []
    if not guests:
        return ''
    return '%s on %s after it.' % (
        _stays(len(guests), 'guest'),
        tables.text(host),
    )


def _stays(number: int, noun: str) -> str:
    verb = 'stays' if number == 1 else 'stay'
    return '%s %s' % (tables.counted(number, noun), verb)


def _after(planned: Planned, kept: Kept) -> tuple[State, dict[str, str], str]:
    """The state after the moves that hold; by the guests that were moved
    already, where they were; and why the next one doesn't hold, '' if all do.
    """
    # It imports nova, which is there now.
    from nova_xen_sched.cmd.nova import moving

    found = planned.found
    guests = {each.uuid: each for each in found.cloud.guests}
    state = State(found.cloud)
    after = moving.AfterMoves(planned.cloud, found)
    made: dict[str, str] = {}
    refusal = ''
    for each in kept.moves:
        name, target = tables.text(each['server']), each['target']
        guest = guests.get(each['server_id'])
        if guest is None:
            refusal = '%s is on no Xen host any more' % name
        elif guest.host == target:
            server = found.servers.get(guest.uuid)
            if server is None or server.instance.vm_state != 'resized':
                made[guest.uuid] = each['source']
                continue
            refusal = (
                '%s is on %s, and waits to be confirmed (openstack server '
                'resize confirm %s)' % (name, target, guest.uuid)
            )
        elif guest.host != each['source']:
            refusal = '%s is on %s now, not on %s' % (
                name,
                guest.host,
                tables.text(each['source']),
            )
        else:
            move = Move(
                guest, Operation(each['operation']), guest.host, target
            )
            refusal = _why_not(state, move) or after.refusal(move)
            if not refusal:
                state.make(move)
                after.make(move)
                continue
            refusal = "%s can't go to %s: %s" % (
                name,
                tables.text(target),
                refusal,
            )
        break
    after.undo()
    return state, made, refusal


def _why_not(state: State, move: Move) -> str:
    """What speaks against a move by the planner's rules."""
    guest, operation, target = move.guest, move.operation, move.target
    if target not in state.loads:
        return 'there is no such Xen host'
    return (
        state.why_stays(guest, operation)
        or state.why_not(guest, operation, target)
        or (
            'its dom0 would be overcommitted'
            if state.headroom_with(target, guest) is None
            else ''
        )
    )
