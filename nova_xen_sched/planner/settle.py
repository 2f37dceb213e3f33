# SPDX-License-Identifier: Apache-2.0

"""Plans that are complete: made again after they were carried out, empty.

A plan moves no guest twice, so that once all is where it says, moving one of
those again may gain something. Then that is planned too, and both moves of
such a guest become one, if there is an order of all moves in which each works;
else the plan goes on without its first one. Rarely no order works, and there
is no complete plan that mends as much: then a second plan is needed.
"""

from __future__ import annotations

import typing as ty

from nova_xen_sched.planner.cloud import Guest
from nova_xen_sched.planner.cloud import Move
from nova_xen_sched.planner.cloud import Operation
from nova_xen_sched.planner.state import State

#: How often a plan goes on without moves that are made twice.
_TRIES = 5


class _Step(ty.NamedTuple):
    """Where a guest is to go, and by what it may."""

    guest: Guest
    operations: ty.Set[Operation]
    target: str


def settle(
    state: State, plan: ty.Callable[[State], None], most: int | None = None
) -> None:
    """Make moves until a plan has none to add.

    :param state: the moves are made in it.
    :param plan: makes moves in the state that it is given.
    :param most: how many moves there may be in all; None for any number.
    """
    begin = len(state.moves)
    plan(state)
    tries = _TRIES
    while state.moves and (most is None or len(state.moves) < most):
        again = State(state.carried_out())
        plan(again)
        if not again.moves:
            break
        if not _added(state, again.moves):
            if not tries:
                break
            tries -= 1
            # They are moved behind all others, once.
            state.stay = {move.guest.uuid for move in again.moves}
            _leave_out(state, state.stay)
            plan(state)
            state.stay = set()
    while most is not None and len(state.moves) > max(most, begin):
        state.undo()


def _added(state: State, more: ty.Sequence[Move]) -> bool:
    """Add moves, as many as there is an order for; whether it has some."""
    before = list(state.moves)
    count = len(more)
    while count:
        for steps in _joined(before, more[:count]):
            while state.moves:
                state.undo()
            if _made(state, steps):
                return True
        count //= 2
    while state.moves:
        state.undo()
    for move in before:
        state.make(move)
    return False


def _leave_out(state: State, guests: ty.Collection[str]) -> None:
    """Take the moves of some guests back, and those that needed these."""
    before = list(state.moves)
    while state.moves:
        state.undo()
    for move in before:
        if move.guest.uuid not in guests:
            step = _Step(move.guest, {move.operation}, move.target)
            _made(state, [step])


def _joined(
    first: ty.Sequence[Move], then: ty.Sequence[Move]
) -> ty.Iterator[list[_Step]]:
    """All moves with one a guest, in the orders that are worth a try."""
    steps = {
        each.guest.uuid: _Step(each.guest, {each.operation}, each.target)
        for each in (*then, *first)
    }
    for move in then:
        step = steps[move.guest.uuid]
        # A guest that went cold may not be let go further live from here.
        operations = {*step.operations, move.operation}
        steps[move.guest.uuid] = _Step(step.guest, operations, move.target)
    uuids = [each.guest.uuid for each in (*first, *then)]
    early = dict.fromkeys(uuids)
    late = list(dict.fromkeys(reversed(uuids)))[::-1]
    for order in (late, early):
        found = [steps[uuid] for uuid in order]
        # A guest may be back where it was.
        yield [step for step in found if step.target != step.guest.host]


def _made(state: State, steps: list[_Step]) -> bool:
    """Make all these moves, each as soon as it can be made.

    :returns: False if there is none that can be made next.
    """
    left = list(steps)
    while left:
        lowest = min(map(state.headroom, state.loads))
        for step in left:
            move = _move(state, step, lowest)
            if move is not None:
                state.make(move)
                left.remove(step)
                break
        else:
            return False
    return True


def _move(state: State, step: _Step, lowest: float) -> Move | None:
    headroom = state.headroom_with(step.target, step.guest)
    # With less, the fullest dom0 would become fuller.
    if headroom is None or headroom < lowest:
        return None
    # In the order in which they are better.
    operations = [each for each in Operation if each in step.operations]
    moves = state.moves_of(step.guest, operations, [step.target])
    return next(moves, None)
