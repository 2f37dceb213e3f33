# SPDX-License-Identifier: Apache-2.0

"""Even headroom: move guests from the fullest dom0s to the emptiest."""

from __future__ import annotations

import itertools
import typing as ty

from nova_xen_sched import dom0
from nova_xen_sched.planner.cloud import Allowed
from nova_xen_sched.planner.cloud import Move
from nova_xen_sched.planner.cloud import Operation
from nova_xen_sched.planner.settle import settle
from nova_xen_sched.planner.state import State

#: The headroom in points (of 100) that a move has to gain by default. Less
#: is hardly worth a migration: the weigher, too, speaks with less weight
#: where hosts differ by less than 15.
MIN_GAIN = 5
#: What a move has to gain always, so that moves come to an end.
_LEAST_GAIN = 1e-6
#: How many destinations are compared for a guest: those with most headroom.
_COMPARED = 16


def even(
    state: State,
    operations: ty.Sequence[Operation],
    allowed: Allowed,
    min_gain: float = MIN_GAIN,
    most: int | None = None,
) -> None:
    """Move guests as long as a move gains enough.

    What a move gains is how far it raises the headroom of the fuller one of
    its two hosts. No dom0 is overcommitted by it.

    :param state: the moves are made in it.
    :param operations: in the order in which they are preferred.
    :param allowed: which guests may be moved.
    :param min_gain: in points of 100.
    :param most: how many moves the plan may have in all; None for any number.
    """
    least = max(min_gain / 100 - dom0.ROUNDING, _LEAST_GAIN)

    def plan(each: State) -> None:
        # A host without a move hardly ever has one later, for others become
        # fuller: it is looked at again only when no other has one.
        without: set[str] = set()
        looked_at_all = True
        while most is None or len(each.moves) < most:
            move = _next(each, operations, allowed, least, without)
            if move is not None:
                each.make(move)
                looked_at_all = not without
            elif looked_at_all:
                return
            else:
                without.clear()
                looked_at_all = True

    settle(state, plan, most)


def _next(
    state: State,
    operations: ty.Sequence[Operation],
    allowed: Allowed,
    min_gain: float,
    without: set[str],
) -> Move | None:
    """The best move of the fullest host that has one.

    :param without: hosts that are not looked at; those that have no move are
        added.
    """
    fullest_first = sorted(
        state.loads, key=lambda host: (state.headroom(host), host)
    )
    emptiest_first = fullest_first[::-1]
    for host in fullest_first:
        now = state.headroom(host)
        if state.headroom(emptiest_first[0]) - now < min_gain:
            return None
        if host in without:
            continue
        best: tuple[float, int, Move] | None = None
        for guest in state.alike(host, operations, allowed):
            left = state.headroom_without(host, guest)
            moves = state.moves_of(guest, operations, emptiest_first)
            for move in itertools.islice(moves, _COMPARED):
                there = state.headroom_with(move.target, guest)
                if there is None:
                    continue
                gain = min(left, there) - now
                # Of moves that gain alike the one with less RAM to copy.
                if gain >= min_gain and (
                    best is None
                    or (gain, -guest.memory_mb) > (best[0], -best[1])
                ):
                    best = gain, guest.memory_mb, move
        if best:
            return best[2]
        without.add(host)
    return None
