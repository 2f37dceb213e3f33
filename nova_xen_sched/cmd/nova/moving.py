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

    Where nova refuses one, the plan is made anew without that destination.

    :param plan: makes moves in the state that it is given.
    :returns: the state with these moves; and why it has fewer than were
        planned, '' if it has all.
    :raises errors.Failure: if a filter fails.
    """
    known = found.cloud
    for _ in range(_ROUNDS):
        state = State(known)
        plan(state)
        taken, refusal = _taken(cloud, found, state.moves)
        if not refusal:
            return state, ''
        move = state.moves[taken]
        known = _without(known, state.moves[:taken], move, refusal)
    while len(state.moves) > taken:
        state.undo()
    return state, '%s would not take %s: %s' % (
        move.target,
        move.guest.name,
        refusal,
    )


def _taken(
    cloud: Cloud, found: guests.Guests, moves: ty.Sequence[Move]
) -> tuple[int, str]:
    """How many of these moves nova takes, and why not the next."""
    after = AfterMoves(cloud, found)
    try:
        for number, move in enumerate(moves):
            refusal = after.refusal(move)
            if refusal:
                return number, refusal
            after.make(move)
    finally:
        after.undo()
    return len(moves), ''


def _without(
    cloud: ty.Any, taken: ty.Sequence[Move], move: Move, why: str
) -> ty.Any:
    """A cloud in which a guest, and those alike, can't go to a host.

    :param taken: moves that nova takes, whose guests still can.
    """
    before = move.guest.destinations[move.operation]
    ways = {h: w for h, w in before.ways.items() if h != move.target}
    after = Destinations(ways, {**before.refused, move.target: why})
    fine = {each.guest.uuid for each in taken}

    def changed(guest: Guest) -> Guest:
        theirs = guest.destinations.get(move.operation)
        if theirs is not before or guest.uuid in fine:
            return guest
        return guest._replace(
            destinations={**guest.destinations, move.operation: after}
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

    def refusal(self, move: Move) -> str:
        """Why nova would refuse a move now; '' if it wouldn't.

        Placement's answer is the planner's own arithmetic, on what placement
        has said before.
        """
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
        free_mb = stats.get(facts.FREE_MEMORY)
        if free_mb is not None and str(free_mb).isdecimal():
            whole_mb = math.ceil(
                self._overhead.whole_mb(
                    guest.mode, flavor.memory_mb, flavor.vcpus
                )
            )
            stats[facts.FREE_MEMORY] = str(int(free_mb) - sign * whole_mb)
        state.stats = stats
        there = dict(state.instances)
        if sign > 0 and guest.mode is not None:
            there[guest.uuid] = instance
        else:
            there.pop(guest.uuid, None)
        state.instances = there
