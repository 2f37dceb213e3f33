# SPDX-License-Identifier: Apache-2.0

"""A cloud after moves."""

from __future__ import annotations

import copy
import random

import pytest

from nova_xen_sched.planner.cloud import Destinations
from nova_xen_sched.planner.cloud import Group
from nova_xen_sched.planner.cloud import Move
from nova_xen_sched.planner.cloud import Operation
from nova_xen_sched.planner.state import State
from tests.unit.planner import clouds

LIVE, COLD, EVACUATE = Operation


def guest_of(state, name):
    (found,) = (each for each in state.cloud.guests if each.name == name)
    return found


def go(state, name, target, operation=LIVE):
    guest = guest_of(state, name)
    state.make(Move(guest, operation, guest.host, target))


def kept(state):
    """All that a state knows, but for what it only remembers."""
    known = {
        name: copy.deepcopy(value)
        for name, value in vars(state).items()
        if name not in ('cloud', '_known', '_headrooms')
    }
    # A counter's 0 is nothing.
    for name in ('_groups', '_members'):
        known[name] = +known[name]
    known['_free'] = {
        provider: {name: each for name, each in amounts.items() if each}
        for provider, amounts in known['_free'].items()
    }
    headrooms = {host: state.headroom(host) for host in state.loads}
    return known, headrooms


@pytest.mark.parametrize('seed', range(40))
def test_undoing_restores_everything(seed):
    state = State(clouds.rich(seed))
    rng = random.Random(seed)
    known = []
    for _ in range(6):
        possible = [
            move
            for host in state.loads
            for guest in state.movable(host, list(Operation), clouds.anyone)
            for operation in Operation
            for move in state.moves_of(guest, [operation], state.loads)
        ]
        if not possible:
            break
        known.append(kept(state))
        state.make(rng.choice(possible))
        assert kept(state) != known[-1]
    while known:
        state.undo()
        assert kept(state) == known.pop()


def test_a_move_is_a_guest_less_and_one_more():
    state = State(clouds.small({'a': 2, 'b': 4}, 'a1 a2 a3'))
    assert state.overcommitted('a')
    go(state, 'a1', 'b')
    assert [state.loads['a'].hvm, state.loads['b'].hvm] == [2, 1]
    assert [state.headroom('a'), state.headroom('b')] == [0, 0.75]
    assert [guest.name for guest in state.guests('b')] == ['a1']
    assert not state.overcommitted('a')


def test_no_guest_moves_twice():
    state = State(clouds.small({'a': 2, 'b': 4}, 'a1'))
    go(state, 'a1', 'b')
    assert state.movable('b', [LIVE], clouds.anyone) == []


def booking(lets_go=True):
    """a1 and a2 hold 2 of 4 VCPUs each; b has 3, and 5 in another way."""
    cloud = clouds.small({'a': 9, 'b': 9}, 'a1 a2')
    to_b = Destinations({'b': [{'b': {'VCPU': 2}}, {'c': {'VCPU': 2}}]}, {})
    for name in ('a1', 'a2'):
        cloud = clouds.changed(
            cloud, name, holds={'a': {'VCPU': 2}}, destinations={LIVE: to_b}
        )
    return cloud._replace(
        free={'a': {'VCPU': 0}, 'b': {'VCPU': 3}, 'c': {'VCPU': 2}},
        lets_go=lets_go,
    )


def test_placement_books_there_and_frees_here():
    state = State(booking())
    go(state, 'a1', 'b')
    assert state.carried_out().free == {
        'a': {'VCPU': 2},
        'b': {'VCPU': 1},
        'c': {'VCPU': 2},
    }
    # The other way, for which there is enough.
    go(state, 'a2', 'b')
    assert state.carried_out().free['c'] == {'VCPU': 0}
    moved = {each.name: each for each in state.carried_out().guests}
    assert moved['a1'].holds == {'b': {'VCPU': 2}}
    assert moved['a2'].holds == {'c': {'VCPU': 2}}
    assert moved['a1'].host == 'b'


def test_placement_has_not_enough():
    cloud = booking()
    state = State(cloud._replace(free={**cloud.free, 'c': {'VCPU': 1}}))
    go(state, 'a1', 'b')
    why = state.why_not(guest_of(state, 'a2'), LIVE, 'b')
    assert why == 'placement has not enough left there'
    with pytest.raises(ValueError):
        go(state, 'a2', 'b')


@pytest.mark.parametrize('lets_go', [True, False])
def test_an_over_full_provider(lets_go):
    cloud = booking(lets_go)
    state = State(cloud._replace(free={**cloud.free, 'a': {'VCPU': -1}}))
    guest = guest_of(state, 'a1')
    assert bool(state.why_stays(guest, LIVE)) is not lets_go
    assert ('VCPU' in state.why_stays(guest, LIVE)) is not lets_go
    # nova books it anew on the host that has failed.
    guest = guest._replace(destinations={EVACUATE: clouds.to('b')})
    assert bool(state.why_stays(guest, EVACUATE)) is not lets_go


def test_what_an_evacuated_guest_holds_stays():
    cloud = booking()
    to_b = Destinations({'b': [{'b': {'VCPU': 2}}]}, {})
    state = State(clouds.changed(cloud, 'a1', destinations={EVACUATE: to_b}))
    go(state, 'a1', 'b', EVACUATE)
    assert state.carried_out().free['a'] == {'VCPU': 0}
    assert state.carried_out().free['b'] == {'VCPU': 1}


def test_a_group_apart():
    cloud = clouds.small({'a': 9, 'b': 9, 'c': 9}, 'a1 b1')
    for name in ('a1', 'b1'):
        cloud = clouds.changed(cloud, name, group=Group('g', 1))
    state = State(cloud)
    guest = guest_of(state, 'a1')
    assert not state.why_stays(guest, LIVE)
    assert 'server group' in state.why_not(guest, LIVE, 'b')
    go(state, 'b1', 'c')
    assert not state.why_not(guest, LIVE, 'b')
    assert 'server group' in state.why_not(guest, LIVE, 'c')


def test_a_group_together():
    cloud = clouds.small({'a': 9, 'b': 9}, 'a1 a2 b1')
    together, alone = Group('g', None), Group('h', None)
    for name, group in (('a1', together), ('a2', together), ('b1', alone)):
        cloud = clouds.changed(cloud, name, group=group)
    state = State(cloud)
    assert 'on one host' in state.why_stays(guest_of(state, 'a1'), LIVE)
    # Its only member may go.
    assert not state.why_stays(guest_of(state, 'b1'), LIVE)


def test_an_older_hypervisor_takes_none_live():
    state = State(
        clouds.small(
            {'a': 9, 'b': 9, 'c': 9},
            'a1',
            a={'version': 4014},
            b={'version': 4013},
            c={'version': 4014},
        )
    )
    guest = guest_of(state, 'a1')
    assert 'older than that of a' in state.why_not(guest, LIVE, 'b')
    assert not state.why_not(guest, COLD, 'b')
    assert not state.why_not(guest, LIVE, 'c')


def test_why_nova_refuses():
    cloud = clouds.small({'a': 9, 'b': 9, 'c': 9}, 'a1')
    here = Destinations({'b': [{}]}, {'c': 'it is full'})
    cloud = clouds.changed(
        cloud, 'a1', destinations={LIVE: here}, refused={COLD: 'it is locked'}
    )
    state = State(cloud)
    guest = guest_of(state, 'a1')
    assert state.why_stays(guest, COLD) == 'it is locked'
    assert state.why_not(guest, LIVE, 'c') == 'it is full'
    assert state.why_not(guest, LIVE, 'b') == ''
