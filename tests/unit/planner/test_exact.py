# SPDX-License-Identifier: Apache-2.0

"""How few moves a plan has, beside the least that an exact solver finds."""

from __future__ import annotations

import pytest

from nova_xen_sched.planner import mend
from nova_xen_sched.planner.cloud import Operation
from nova_xen_sched.planner.search import Search
from nova_xen_sched.planner.state import State
from tests.unit.planner import clouds

_LIVE = Operation.LIVE
_FULL = (0.6, 0.75, 0.85)


def _cloud(seed):
    return clouds.cloud(seed, full=_FULL[seed % len(_FULL)])


def an_order(cloud, targets):
    """Whether guests can go where they are to go, one after the other.

    No dom0 may be overcommitted by it in between. Every order is tried.
    """
    state = State(cloud)
    guests = [guest for guest in cloud.guests if guest.uuid in targets]
    seen = set()

    def ends():
        made = frozenset(move.guest.uuid for move in state.moves)
        if len(made) == len(guests):
            return True
        if made in seen:
            return False
        seen.add(made)
        for guest in guests:
            target = targets[guest.uuid]
            if (
                guest.uuid not in made
                and state.headroom_with(target, guest) is not None
            ):
                (move,) = state.moves_of(guest, [_LIVE], [target])
                state.make(move)
                if ends():
                    return True
                state.undo()
        return False

    return ends()


def a_plan(cloud, count):
    """Whether any plan of so many moves takes each dom0 out of overcommitment.

    Each is tried, but for those in which more guests than moves are left have
    to leave.
    """
    state = State(cloud)
    search = Search(state, [_LIVE], clouds.anyone)

    def ends(left):
        over = search.overcommitted()
        if not over:
            return True
        slack = left - sum(map(search.least, over))
        if slack < 0:
            return False
        hosts = list(state.loads) if slack else over
        for guest in [guest for host in hosts for guest in state.guests(host)]:
            if guest.uuid in {move.guest.uuid for move in state.moves}:
                continue
            for move in state.moves_of(guest, [_LIVE], list(state.loads)):
                if state.headroom_with(move.target, guest) is not None:
                    state.make(move)
                    if ends(left - 1):
                        return True
                    state.undo()
        return False

    return ends(count)


@pytest.mark.once
def test_few_moves():
    """200 clouds of up to 8 hosts and 24 guests."""
    # Of the environment that make makes, and of none of tox's.
    from tests.unit.planner import exact

    ours = least = solved = 0
    missed, impossible, fine = [], [], []
    for seed in range(200):
        cloud = _cloud(seed)
        state = State(cloud)
        before = set(filter(state.overcommitted, state.loads))
        if not before:
            fine.append(seed)
            continue
        mend.mend(state, [_LIVE], clouds.anyone)
        left = set(filter(state.overcommitted, state.loads))
        targets = exact.fewest_moves(cloud)
        if targets is None:
            assert left
            impossible.append(seed)
        elif left:
            missed.append((seed, len(targets), an_order(cloud, targets)))
        else:
            assert len(state.moves) >= len(targets)
            # So what finds no plan below would find one.
            assert len(targets) > 2 or a_plan(cloud, len(targets))
            solved += 1
            ours += len(state.moves)
            least += len(targets)
    figures = (
        '%d clouds mended by %d moves, the least is %d; %d are fine, %d '
        "can't be mended; missed (seed, moves, whether they have an order): %s"
        % (solved, ours, least, len(fine), len(impossible), missed)
    )
    assert solved > 100, figures
    assert ours <= 1.02 * least, figures
    assert len(missed) <= 4, figures
    # The solver knows no order: in none do its moves work.
    assert not any(works for *_, works in missed), figures
    for seed, count, _ in missed:
        if count <= 3:
            assert not a_plan(_cloud(seed), count), figures
