# SPDX-License-Identifier: Apache-2.0

"""Hosts that fail."""

from __future__ import annotations

import random

import pytest

from nova_xen_sched.planner import failures
from nova_xen_sched.planner.cloud import Destinations
from nova_xen_sched.planner.cloud import Group
from nova_xen_sched.planner.cloud import Move
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


def test_who_can_go_to_full_hosts_only_comes_first():
    """c has room for a2 to a4, and for none beside."""
    cloud = clouds.small({'a': 9, 'b': 2, 'c': 3}, 'a1 a2 a3 a4')
    cloud = clouds.changed(cloud, 'a1', memory_mb=2048)
    for name in ('a2', 'a3', 'a4'):
        cloud = clouds.changed(
            cloud, name, destinations={EVACUATE: clouds.to('c')}
        )
    found = of(cloud, 'a')
    assert (nowhere(found), found.overcommitted) == ({}, ())
    assert [each.name for each in found.guests] == ['a1', 'a2', 'a3', 'a4']


def test_one_dom0_is_overcommitted_rather_than_two():
    cloud = clouds.small({'a': 9, 'b': 1, 'c': 1}, 'a1 a2 b1 c1')
    assert len(of(cloud, 'a').overcommitted) == 1


def test_a_dom0_that_is_overcommitted_already_rather_than_another():
    cloud = clouds.small({'a': 9, 'b': 1, 'c': 1}, 'a1 a2 b1 b2 b3 c1')
    assert of(cloud, 'a').overcommitted == ()


def test_a_great_many_guests():
    """More than are searched."""
    many = ' '.join('a%d' % number for number in range(1200))
    found = of(clouds.small({'a': 1200, 'b': 500, 'c': 500}, many), 'a')
    assert len(found.overcommitted) == 1


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
    steps = []
    one, two, three = found.worst(
        ['a', 'b', 'c'], 3, found.of(['b']), lambda: steps.append(1)
    )
    assert len(steps) == 2 + 1
    assert one.hosts == ('b',)
    assert two.hosts[0] == 'b'
    assert len(three.nowhere) == 4


def least(cloud, host):
    """The fewest guests without a place, then the fewest overcommitted dom0s.

    Every place of every guest is tried, but for what is no better than what
    was found, since more guests make neither less.
    """
    state = State(cloud)
    now = set(filter(state.overcommitted, state.loads))
    others = set(state.loads) - {host}
    guests = state.guests(host)
    best = len(guests) + 1, 0

    def further(index, without):
        nonlocal best
        outcome = without, sum(map(state.overcommitted, others - now))
        if outcome >= best:
            return
        if index == len(guests):
            best = outcome
            return
        guest = guests[index]
        if not state.why_stays(guest, EVACUATE):
            for target in others:
                if not state.why_not(guest, EVACUATE, target):
                    state.make(Move(guest, EVACUATE, host, target))
                    further(index + 1, without)
                    state.undo()
        further(index + 1, without + 1)

    further(0, 0)
    return best


def plain(seed, full):
    """Guests differ in size and mode alone; there are more of them."""
    cloud = clouds.cloud(seed, 5, 40, full)
    return cloud._replace(
        guests=[
            guest._replace(destinations={EVACUATE: found})
            for guest in cloud.guests
            for found in guest.destinations.values()
        ]
    )


@pytest.mark.parametrize('full', [0.6, 0.75, 0.85, 1])
@pytest.mark.parametrize('cloud_of', [clouds.rich, plain])
def test_no_other_way_is_better(cloud_of, full):
    """Of each host of 400 clouds; nor was it of 1,900 that were tried once."""
    for seed in range(50):
        cloud = cloud_of(seed, full)
        each = failures.Failures(State(cloud))
        for host in cloud.hosts:
            assert each.of([host]).badness[:2] == least(cloud, host)


def pooled(seed, full):
    """Each host has two pools in placement; guests take of the one, the
    other, or either."""
    cloud = plain(seed, full)
    rng = random.Random('pools %d' % seed)
    free = {
        '%s pool %d' % (host, pool): {'X': rng.randint(1, 4)}
        for host in cloud.hosts
        for pool in (1, 2)
    }
    kinds = [
        {
            host: [{'%s pool %d' % (host, pool): {'X': 1}} for pool in pools]
            for host in cloud.hosts
        }
        for pools in ((1,), (2,), (1, 2), (2, 1))
    ]
    known = [Destinations(ways, {}) for ways in kinds]
    return cloud._replace(
        guests=[
            guest._replace(destinations={EVACUATE: rng.choice(known)})
            for guest in cloud.guests
        ],
        free=free,
    )


def test_what_a_guest_takes_of_placement_depends_on_those_before_it():
    # In 201 a search finds places for an order of its own.
    for seed in (201, *range(20)):
        cloud = pooled(seed, 0.75)
        each = failures.Failures(State(cloud))
        for host in cloud.hosts:
            found = each.of([host])
            # Each has a place or a reason, and no booking was impossible.
            assert all(why for _, why in found.nowhere)
