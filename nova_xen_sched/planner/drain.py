# SPDX-License-Identifier: Apache-2.0

"""A destination for each guest of a host that is to be emptied."""

from __future__ import annotations

import typing as ty

from nova_xen_sched.planner.cloud import Allowed
from nova_xen_sched.planner.cloud import Guest
from nova_xen_sched.planner.cloud import Move
from nova_xen_sched.planner.cloud import Operation
from nova_xen_sched.planner.state import State

#: How many orders of the guests are tried.
_TRIES = 8


def drain(
    state: State,
    host: str,
    operations: ty.Sequence[Operation],
    allowed: Allowed,
) -> None:
    """Move guests off a host, as many as can be, and overcommit no dom0.

    Guests with few destinations go first, and of those the large ones; each
    goes where most headroom is left.

    :param state: the moves are made in it.
    :param operations: in the order in which they are preferred.
    :param allowed: which guests may be moved.
    """
    begin = len(state.moves)
    best: list[Move] = []
    # Those that found no place have the first choice next time.
    first: dict[str, int] = {}
    for number in range(_TRIES):
        order = _largest if number == 1 else _fewest_destinations
        for guest in sorted(
            state.movable(host, operations, allowed),
            key=lambda each: (-first.get(each.uuid, 0), order(each)),
        ):
            move = _best(state, guest, operations)
            if move:
                state.make(move)
        found = state.moves[begin:]
        left = state.movable(host, operations, allowed)
        if len(found) > len(best):
            best = found
        if not left:
            return
        for guest in left:
            first[guest.uuid] = number + 1
        while len(state.moves) > begin:
            state.undo()
    for move in best:
        state.make(move)


def _fewest_destinations(guest: Guest) -> tuple[int, int, str]:
    fewest = sum(len(each.ways) for each in guest.destinations.values())
    return fewest, -guest.memory_mb, guest.uuid


def _largest(guest: Guest) -> tuple[int, str]:
    return -guest.memory_mb, guest.uuid


def _best(
    state: State, guest: Guest, operations: ty.Sequence[Operation]
) -> Move | None:
    """By the first operation that takes it anywhere, to the emptiest host."""
    for operation in operations:
        found = [
            (headroom, move)
            for move in state.moves_of(guest, [operation], sorted(state.loads))
            for headroom in [state.headroom_with(move.target, guest)]
            if headroom is not None
        ]
        if found:
            return max(found, key=lambda each: each[0])[1]
    return None
