# SPDX-License-Identifier: Apache-2.0

"""Hosts that fail."""

from __future__ import annotations

from nova_xen_sched.planner import failures
from nova_xen_sched.planner.cloud import Group
from nova_xen_sched.planner.cloud import Operation
from nova_xen_sched.planner.state import State
from tests.unit.planner import clouds

EVACUATE = Operation.EVACUATE


def of(cloud, *hosts):
    state = State(cloud)
    found = failures.Failures(state).of(hosts)
    # It is left as it was.
    assert state.moves == []
    assert state.loads == State(cloud).loads
    return found


def nowhere(failure):
    return {guest.name: why for guest, why in failure.nowhere}


def test_all_fit_elsewhere():
    found = of(clouds.small({'a': 9, 'b': 9}, 'a1 a2 b1'), 'a')
    assert len(found.guests) == 2
    assert found == failures.Failure(('a',), found.guests, (), ())


def test_nova_takes_more_than_dom0_serves():
    found = of(clouds.small({'a': 9, 'b': 2}, 'a1 a2 b1'), 'a')
    assert (nowhere(found), found.overcommitted) == ({}, ('b',))


def test_what_is_overcommitted_already_is_not_named():
    found = of(clouds.small({'a': 9, 'b': 1}, 'a1 b1 b2'), 'a')
    assert found.overcommitted == ()


def test_guests_are_spread():
    """Two on c, and one on b: neither is overcommitted by it."""
    found = of(clouds.small({'a': 9, 'b': 1, 'c': 2}, 'a1 a2 a3'), 'a')
    assert found.overcommitted == ()


def test_nowhere_to_go_and_why():
    cloud = clouds.small({'a': 9, 'b': 9, 'c': 9}, 'a1 a2 a3 b1')
    cloud = clouds.changed(cloud, 'a1', destinations={EVACUATE: clouds.to()})
    cloud = clouds.changed(
        cloud, 'a2', destinations={}, refused={EVACUATE: 'it is stopped'}
    )
    apart = Group('g', 1)
    for name in ('a3', 'b1'):
        cloud = clouds.changed(cloud, name, group=apart)
    cloud = clouds.changed(
        cloud, 'a3', destinations={EVACUATE: clouds.to('a', 'b')}
    )
    assert nowhere(of(cloud, 'a')) == {
        'a1': 'nova refuses it (2 hosts)',
        'a2': 'it is stopped',
        'a3': 'it has a member of its server group (1 host); '
        'nova refuses it (1 host)',
    }


def test_a_host_that_fails_as_well_takes_none():
    cloud = clouds.small({'a': 9, 'b': 9, 'c': 1}, 'a1 a2 b1')
    assert of(cloud, 'a').overcommitted == ()
    assert of(cloud, 'a', 'b').overcommitted == ('c',)
    assert len(of(cloud, 'a', 'b').guests) == 3


def test_the_same_alone_as_after_another():
    """What is remembered of one failure doesn't count for the next."""
    for seed in range(30):
        cloud = clouds.rich(seed)
        together = failures.Failures(State(cloud))
        for host in cloud.hosts:
            assert together.of([host]) == of(cloud, host)


def test_the_worst():
    cloud = clouds.small({'a': 9, 'b': 9, 'c': 9}, 'a1 b1 b2 c1')
    for name in ('b1', 'b2'):
        cloud = clouds.changed(cloud, name, destinations={})
    found = failures.Failures(State(cloud))
    one, two, three = found.worst(['a', 'b', 'c'], 3)
    assert one.hosts == ('b',)
    assert two.hosts[0] == 'b'
    assert len(three.nowhere) == 4
