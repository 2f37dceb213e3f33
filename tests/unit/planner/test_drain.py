# SPDX-License-Identifier: Apache-2.0

"""A host that is emptied."""

from __future__ import annotations

from nova_xen_sched.planner import drain
from nova_xen_sched.planner.cloud import Group
from nova_xen_sched.planner.cloud import Operation
from nova_xen_sched.planner.state import State
from tests.unit.planner import clouds

LIVE, COLD = Operation.LIVE, Operation.COLD


def plan(cloud, operations=(LIVE, COLD), allowed=clouds.anyone):
    state = State(cloud)
    drain.drain(state, 'a', operations, allowed)
    return clouds.steps(state)


def test_to_where_most_headroom_is_left():
    cloud = clouds.small({'a': 9, 'b': 4, 'c': 10}, 'a1 a2 b1')
    assert plan(cloud) == ['a1>c', 'a2>c']


def test_no_dom0_is_overcommitted():
    assert plan(clouds.small({'a': 9, 'b': 2}, 'a1 a2 a3 b1')) == ['a1>b']


def test_cold_where_live_is_not_possible():
    cloud = clouds.small({'a': 9, 'b': 9}, 'a1 a2')
    cloud = clouds.changed(cloud, 'a1', destinations={COLD: clouds.to('b')})
    assert sorted(plan(cloud)) == ['a1>b cold', 'a2>b']
    assert plan(cloud, [LIVE]) == ['a2>b']


def test_the_choosy_first():
    """c has room for one: a2, which can go nowhere else."""
    cloud = clouds.small({'a': 9, 'b': 1, 'c': 1}, 'a1 a2')
    cloud = clouds.changed(cloud, 'a2', destinations={LIVE: clouds.to('c')})
    assert plan(cloud) == ['a2>c', 'a1>b']


def test_who_may_not_be_moved_stays():
    cloud = clouds.small({'a': 9, 'b': 9}, 'a1 a2')
    assert plan(cloud, allowed=lambda each: each.name == 'a2') == ['a2>b']


def test_a_group_stays_apart():
    cloud = clouds.small({'a': 9, 'b': 9, 'c': 3}, 'a1 b1')
    for name in ('a1', 'b1'):
        cloud = clouds.changed(cloud, name, group=Group('g', 1))
    assert plan(cloud) == ['a1>c']


def test_nothing_to_drain():
    assert plan(clouds.small({'a': 9, 'b': 9}, 'b1')) == []
