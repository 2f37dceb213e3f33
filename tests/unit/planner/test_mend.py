# SPDX-License-Identifier: Apache-2.0

"""Overcommitted dom0s, mended by few moves."""

from __future__ import annotations

import pytest

from nova_xen_sched.planner import mend
from nova_xen_sched.planner.cloud import Group
from nova_xen_sched.planner.cloud import Operation
from nova_xen_sched.planner.state import State
from tests.unit.planner import clouds

LIVE, COLD = Operation.LIVE, Operation.COLD


def plan(cloud, operations=(LIVE, COLD), allowed=clouds.anyone, most=None):
    state = State(cloud)
    mend.mend(state, operations, allowed, most)
    return clouds.steps(state)


def test_nothing_to_mend():
    assert plan(clouds.small({'a': 2, 'b': 4}, 'a1 a2 b1')) == []


def test_as_few_as_must_leave():
    assert plan(clouds.small({'a': 2, 'b': 9}, 'a1 a2 a3')) == ['a1>b']


def test_to_the_emptiest_host():
    cloud = clouds.small({'a': 2, 'b': 4, 'c': 9}, 'a1 a2 a3 b1')
    assert plan(cloud) == ['a1>c']


def test_the_smallest_that_is_enough():
    """Less RAM to copy."""
    cloud = clouds.small({'a': 2, 'b': 9}, 'a1 a2 a3')
    assert plan(clouds.changed(cloud, 'a3', memory_mb=512)) == ['a3>b']


def test_live_rather_than_cold():
    cloud = clouds.small({'a': 2, 'b': 9}, 'a1 a2 a3')
    for name in ('a1', 'a2'):
        cloud = clouds.changed(
            cloud, name, destinations={COLD: clouds.to('b')}, memory_mb=512
        )
    assert plan(cloud) == ['a3>b']
    assert plan(cloud, [COLD]) == ['a1>b cold']


def test_who_may_not_be_moved_stays():
    cloud = clouds.small({'a': 2, 'b': 9}, 'a1 a2 a3')
    assert plan(cloud, allowed=lambda each: each.name == 'a2') == ['a2>b']
    assert plan(cloud, allowed=lambda each: False) == []


def test_another_guest_makes_room():
    cloud = clouds.small({'a': 1, 'b': 1, 'c': 1}, 'a1 a2 b1')
    for name in ('a1', 'a2'):
        cloud = clouds.changed(
            cloud, name, destinations={LIVE: clouds.to('b')}
        )
    assert plan(cloud) == ['b1>c', 'a1>b']


def test_two_hosts_share_what_room_there_is():
    """b1 has to leave c to a1, which can go nowhere else."""
    cloud = clouds.small({'a': 1, 'b': 1, 'c': 1, 'd': 1}, 'a1 a2 b1 b2')
    for name in ('a1', 'a2'):
        cloud = clouds.changed(
            cloud, name, destinations={LIVE: clouds.to('c')}
        )
    assert sorted(plan(cloud)) == ['a1>c', 'b1>d']


@pytest.mark.parametrize(
    'most, expected',
    [(0, []), (1, ['a1>b']), (2, ['a1>b', 'a2>b']), (9, ['a1>b', 'a2>b'])],
)
def test_no_more_than_so_many_moves(most, expected):
    cloud = clouds.small({'a': 1, 'b': 9}, 'a1 a2 a3')
    assert plan(cloud, most=most) == expected


def test_no_room_is_made_for_a_move_that_is_one_too_many():
    cloud = clouds.small({'a': 1, 'b': 1, 'c': 1}, 'a1 a2 b1')
    for name in ('a1', 'a2'):
        cloud = clouds.changed(
            cloud, name, destinations={LIVE: clouds.to('b')}
        )
    assert plan(cloud, most=1) == []


def test_eased_as_far_as_it_goes():
    cloud = clouds.small({'a': 1, 'b': 2}, 'a1 a2 a3 a4')
    assert plan(cloud) == ['a1>b', 'a2>b']


def test_no_dom0_is_overcommitted_for_another():
    assert plan(clouds.small({'a': 1, 'b': 1}, 'a1 a2 b1')) == []


def test_a_dom0_without_anything_can_not_be_mended():
    assert plan(clouds.small({'a': 0, 'b': 9}, 'a1 a2')) == []


def test_a_group_stays_apart():
    cloud = clouds.small({'a': 1, 'b': 9, 'c': 2}, 'a1 a2 b1')
    for name in ('a1', 'a2', 'b1'):
        cloud = clouds.changed(cloud, name, group=Group('g', 2))
    assert plan(clouds.changed(cloud, 'a1', group=None), [LIVE]) == ['a1>b']
    apart = Group('g', 1)
    for name in ('a1', 'b1'):
        cloud = clouds.changed(cloud, name, group=apart)
    cloud = clouds.changed(cloud, 'a2', group=None, destinations={})
    assert plan(cloud) == ['a1>c']


def test_a_group_stays_together():
    cloud = clouds.small({'a': 2, 'b': 9}, 'a1 a2 a3')
    for name in ('a1', 'a2'):
        cloud = clouds.changed(cloud, name, group=Group('g', None))
    assert plan(cloud) == ['a3>b']


def test_a_great_many_moves():
    """More than Python has calls in calls."""
    many = ' '.join('a%d' % number for number in range(1200))
    moves = plan(clouds.small({'a': 100, 'b': 1000, 'c': 1000}, many))
    assert len(moves) == 1100


def test_a_great_many_hosts_together():
    """Each can be mended, but for z, and all are more than are searched."""
    names = [chr(ord('a') + i) for i in range(20)]
    guests = ['%s%d' % (name, i) for name in [*names, 'z'] for i in range(40)]
    slots = {**dict.fromkeys(names, 20), 'z': 20, 'B': 400}
    cloud = clouds.small(slots, ' '.join(guests))
    state = State(cloud)
    mend.mend(state, [LIVE], clouds.anyone)
    assert len(state.moves) == 400
    assert sum(map(state.overcommitted, state.loads)) == 1
