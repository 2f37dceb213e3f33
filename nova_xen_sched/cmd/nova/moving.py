# SPDX-License-Identifier: Apache-2.0

"""A plan of moves, each judged as nova would after the moves before it."""

from __future__ import annotations

import math
import typing as ty

from nova_xen_sched import facts
from nova_xen_sched.cmd.nova import destinations
from nova_xen_sched.cmd.nova import guests
from nova_xen_sched.cmd.nova import placement
from nova_xen_sched.cmd.nova import refused
from nova_xen_sched.cmd.nova.scheduler import Cloud
from nova_xen_sched.planner.cloud import Destinations
from nova_xen_sched.planner.cloud import Guest
from nova_xen_sched.planner.cloud import Move
from nova_xen_sched.planner.cloud import Operation
from nova_xen_sched.planner.state import State

#: How often a plan is made anew without a move that nova would refuse.
_ROUNDS = 30
#: What of a nova HostState its guests change.
_CHANGED = (
    *('free_ram_mb', 'vcpus_used', 'num_instances'),
    *('stats', 'instances'),
)


def planned(
    cloud: Cloud, found: guests.Guests, plan: ty.Callable[[State], None]
) -> tuple[State, str]:
    """A plan of which nova would take each move.

    Where nova refuses some, the plan is made anew without these destinations.

    :param plan: makes moves in the state that it is given.
    :returns: the state with these moves; and why it has fewer than were
        planned, '' if it has all.
    :raises errors.Failure: if a filter fails.
    """
    known, after = found.cloud, AfterMoves(cloud, found)
    for _ in range(_ROUNDS):
        state = State(known)
        plan(state)
        taken, refusals = _taken(after, known, state.moves)
        if not refusals:
            return state, ''
        known = _without(known, taken.moves, refusals)
    others = len(state.moves) - len(taken.moves) - 1
    # In the cloud that has the last refusals, too.
    state = State(known)
    for move in taken.moves:
        state.make(move)
    move, why = refusals[0]
    short = '%s would not take %s: %s' % (
        move.target,
        move.guest.name,
        why.rstrip('.'),
    )
    if others:
        short += '; nor can %d more be moved as planned' % others
    return state, short


def _taken(
    after: AfterMoves, known: ty.Any, moves: ty.Iterable[Move]
) -> tuple[State, list[tuple[Move, str]]]:
    """The state with those of these moves that nova takes, and its refusals.

    A move that needs a refused one is left out, and not judged.
    """
    state = State(known)
    refusals: list[tuple[Move, str]] = []
    # What it refuses of one guest, it refuses of those alike.
    refused: set[tuple[Operation, int, str]] = set()
    # These have a guest that was to leave: what they take isn't known.
    fuller: set[str] = set()
    try:
        for move in moves:
            guest, operation, target = move.guest, move.operation, move.target
            alike = operation, id(guest.destinations[operation]), target
            if (
                alike in refused
                or target in fuller
                or (refusals and not _is_possible(state, move))
            ):
                fuller.add(move.source)
                continue
            why = after.refusal(move)
            if why:
                refusals.append((move, why))
                refused.add(alike)
                fuller.add(move.source)
                continue
            after.make(move)
            state.make(move)
    finally:
        after.undo()
    return state, refusals


def _is_possible(state: State, move: Move) -> bool:
    moves = state.moves_of(move.guest, [move.operation], [move.target])
    return (
        any(moves) and state.headroom_with(move.target, move.guest) is not None
    )


def _without(
    cloud: ty.Any,
    taken: ty.Iterable[Move],
    refusals: ty.Iterable[tuple[Move, str]],
) -> ty.Any:
    """A cloud in which guests, and those alike, can't go to some hosts.

    :param taken: moves that nova takes, whose guests still can.
    """
    fine = {each.guest.uuid for each in taken}
    fewer: dict[tuple[Operation, int], Destinations] = {}
    for move, why in refusals:
        before = move.guest.destinations[move.operation]
        key = move.operation, id(before)
        ways, refused = fewer.get(key, before)
        fewer[key] = Destinations(
            {h: w for h, w in ways.items() if h != move.target},
            {**refused, move.target: why},
        )

    def changed(guest: Guest) -> Guest:
        if guest.uuid in fine:
            return guest
        return guest._replace(
            destinations={
                operation: fewer.get((operation, id(each)), each)
                for operation, each in guest.destinations.items()
            }
        )

    return cloud._replace(guests=[changed(each) for each in cloud.guests])


class AfterMoves:
    """The nova HostStates of hosts, after moves.

    NUMA topologies and PCI devices stay as they are now.
    """

    def __init__(self, cloud: Cloud, found: guests.Guests) -> None:
        self._cloud = cloud
        self._found = found
        self._made: list[Move] = []
        # What both hosts had before each.
        self._before: list[list[tuple[ty.Any, dict[str, ty.Any]]]] = []
        self._overhead = found.cloud.model.overhead
        # Where members of server groups are.
        self._hosts = {each.uuid: each.host for each in found.cloud.guests}
        # By host, the guests that came and went.
        self._changes: dict[str, list[tuple[str, str]]] = {}
        # What Xen would report as free, below 0 where it would report 0.
        self._free_mb: dict[str, int] = {}
        # Of moves, with what had changed: plans made anew are much alike.
        self._known: dict[ty.Any, str] = {}

    def refusal(self, move: Move) -> str:
        """Why nova would refuse a move now; '' if it wouldn't.

        Placement's answer is the planner's own arithmetic, on what placement
        has said before.
        """
        guest, target = move.guest, move.target
        spec = self._found.servers[guest.uuid].request_spec
        changes = self._changes.get(target, [])
        if 'instance_group' in spec and spec.instance_group:
            # Where its members are counts, too.
            changes = [(each.guest.uuid, each.target) for each in self._made]
        key = guest.uuid, move.operation, target, frozenset(changes)
        if key not in self._known:
            self._known[key] = self._judge(move)
        return self._known[key]

    def _judge(self, move: Move) -> str:
        server = self._found.servers[move.guest.uuid]
        spec = destinations.request(self._cloud, server, move.operation)
        self._regroup(spec)
        state = self._found.hosts[move.target].state
        self._found.kept_up()
        placement.attach(state, None)
        found = refused.by_filters(self._cloud, [state], spec, hard=True)
        return ''.join(each.why for each in found.values())

    def _regroup(self, spec: ty.Any) -> None:
        """Have a request know where its group's members are after moves."""
        group = spec.instance_group if 'instance_group' in spec else None
        if group is None or not self._made:
            return
        members = set(group.members or ()) - {spec.instance_uuid}
        known = {self._hosts[uuid] for uuid in members & set(self._hosts)}
        left = {
            move.source
            for move in self._made
            if move.guest.uuid in members and move.source not in known
        }
        names = self._found.hosts
        group.hosts = sorted(
            set(group.hosts or ()) - {names[h].state.host for h in left}
            | {names[h].state.host for h in known}
        )

    def make(self, move: Move) -> None:
        """Have a guest on its new host."""
        names = move.source, move.target
        states = [self._found.hosts[name].state for name in names]
        self._before.append(
            [
                (s, {name: getattr(s, name) for name in _CHANGED})
                for s in states
            ]
        )
        self._count(move.guest, move.source, -1)
        self._count(move.guest, move.target, 1)
        for name in names:
            change = move.guest.uuid, move.target
            self._changes.setdefault(name, []).append(change)
        self._hosts[move.guest.uuid] = move.target
        self._made.append(move)

    def undo(self) -> None:
        """Have all guests back where they are."""
        while self._made:
            move = self._made.pop()
            self._hosts[move.guest.uuid] = move.source
            for state, before in self._before.pop():
                for name, value in before.items():
                    setattr(state, name, value)
        self._changes.clear()
        self._free_mb.clear()

    def _count(self, guest: Guest, host: str, sign: int) -> None:
        state = self._found.hosts[host].state
        instance = self._found.servers[guest.uuid].instance
        flavor = instance.flavor
        state.free_ram_mb -= sign * flavor.memory_mb
        state.vcpus_used += sign * flavor.vcpus
        state.num_instances += sign
        stats = dict(state.stats or {})
        # Those beyond it count as placed by the request that is judged. A host
        # that never had a guest has none of it.
        reported = int(stats.get('num_instances') or 0)
        stats['num_instances'] = reported + sign
        self._count_free_memory(guest, host, stats, sign)
        state.stats = stats
        there = dict(state.instances)
        if sign > 0 and guest.mode is not None:
            there[guest.uuid] = instance
        else:
            there.pop(guest.uuid, None)
        state.instances = there

    def _count_free_memory(
        self, guest: Guest, host: str, stats: dict[str, ty.Any], sign: int
    ) -> None:
        if facts.FREE_MEMORY not in stats:
            return
        if host not in self._free_mb:
            try:
                free_mb = facts.parse_natural(stats[facts.FREE_MEMORY])
            except ValueError:
                return  # as unknown as ever
            self._free_mb[host] = free_mb
        flavor = self._found.servers[guest.uuid].instance.flavor
        whole_mb = self._overhead.whole_mb(
            guest.mode, flavor.memory_mb, flavor.vcpus
        )
        self._free_mb[host] -= sign * math.ceil(whole_mb)
        # Xen never reports less than nothing.
        stats[facts.FREE_MEMORY] = str(max(self._free_mb[host], 0))
