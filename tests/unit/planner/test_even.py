# SPDX-License-Identifier: Apache-2.0

"""Even headroom."""

from __future__ import annotations

import pytest

from nova_xen_sched.planner import even
from nova_xen_sched.planner import mend
from nova_xen_sched.planner.cloud import Operation
from nova_xen_sched.planner.settle import settle
from nova_xen_sched.planner.state import State
from tests.unit.planner import clouds

LIVE, COLD = Operation.LIVE, Operation.COLD


def plan(cloud, allowed=clouds.anyone, **options):
    state = State(cloud)
    even.even(state, [LIVE, COLD], allowed, **options)
    return clouds.steps(state)


def test_from_the_fullest_to_the_emptiest():
    cloud = clouds.small({'a': 10, 'b': 10, 'c': 10}, 'a1 a2 a3 a4 b1')
    assert plan(cloud) == ['a1>c', 'a2>c']


def test_even_already():
    assert plan(clouds.small({'a': 10, 'b': 10}, 'a1 a2 b1')) == []


@pytest.mark.parametrize('min_gain, moves', [(5, 2), (10, 2), (11, 0), (0, 2)])
def test_a_move_has_to_gain_so_much(min_gain, moves):
    cloud = clouds.small({'a': 10, 'b': 10}, 'a1 a2 a3 a4')
    assert len(plan(cloud, min_gain=min_gain)) == moves


@pytest.mark.parametrize('most, moves', [(0, 0), (1, 1), (9, 2)])
def test_no_more_than_so_many_moves(most, moves):
    cloud = clouds.small({'a': 10, 'b': 10}, 'a1 a2 a3 a4')
    assert len(plan(cloud, most=most)) == moves


def test_less_ram_to_copy():
    cloud = clouds.small({'a': 10, 'b': 10}, 'a1 a2')
    assert plan(clouds.changed(cloud, 'a2', memory_mb=512)) == ['a2>b']


def test_live_rather_than_cold():
    cloud = clouds.small({'a': 10, 'b': 10}, 'a1 a2')
    cold = {COLD: clouds.to('b')}
    for name in ('a1', 'a2'):
        assert plan(clouds.changed(cloud, name, destinations=cold))
    assert plan(cloud) == ['a1>b']
    assert plan(clouds.changed(cloud, 'a1', destinations=cold)) == [
        'a1>b cold'
    ]


def test_who_may_not_be_moved_stays():
    cloud = clouds.small({'a': 10, 'b': 10}, 'a1 a2')
    assert plan(cloud, lambda each: each.name == 'a2') == ['a2>b']


def test_the_next_fullest_where_the_fullest_has_no_move():
    cloud = clouds.small({'a': 10, 'b': 10, 'c': 10}, 'a1 a2 a3 b1 b2')
    for name in ('a1', 'a2', 'a3'):
        cloud = clouds.changed(cloud, name, destinations={})
    assert plan(cloud) == ['b1>c']


def test_two_moves_of_a_guest_become_one():
    """Nothing but the planner's own first choice keeps a1 from c."""
    state = State(clouds.small({'a': 10, 'b': 10, 'c': 10}, 'a1 a2 a3'))
    targets = iter(['b', 'c'])

    def plan(each):
        (guest,) = (guest for guest in each.cloud.guests if guest.name == 'a1')
        for target in targets:
            (move,) = each.moves_of(guest, [LIVE], [target])
            each.make(move)
            return

    settle(state, plan)
    assert clouds.steps(state) == ['a1>c']
    assert state.loads['b'].hvm == 0


def test_after_mending():
    cloud = clouds.small({'a': 2, 'b': 10, 'c': 10}, 'a1 a2 a3')
    state = State(cloud)
    mend.mend(state, [LIVE], clouds.anyone)
    assert clouds.steps(state) == ['a1>b']
    even.even(state, [LIVE], clouds.anyone)
    assert clouds.steps(state) == ['a1>b', 'a2>c', 'a3>c']
