# SPDX-License-Identifier: Apache-2.0

"""Plans that nova's filters refuse are made anew."""

from __future__ import annotations

from unittest import mock

import pytest

from nova_xen_sched.cmd.nova import moving
from nova_xen_sched.planner.cloud import Move
from nova_xen_sched.planner.cloud import Operation
from tests.unit.cmd.moves import clouds

LIVE = Operation.LIVE


def apart(cloud):
    """The cloud with guests none of which is alike another."""
    return cloud._replace(
        guests=[
            each._replace(
                destinations={
                    LIVE: each.destinations[LIVE]._replace(refused={})
                }
            )
            for each in cloud.guests
        ]
    )


@pytest.fixture
def judged():
    """The names of guests and hosts that nova's filters were asked of."""
    return []


@pytest.fixture
def planned(monkeypatch, judged):
    """A plan of guests of host a, where nova refuses some moves."""

    def make(refused, guests='aa', slots=9, plan=None, alike=True):
        cloud = clouds.cloud({'a': 1, 'b': slots, 'c': 9}, guests)
        if not alike:
            cloud = apart(cloud)
        found = mock.MagicMock(cloud=cloud)

        def judge(self, move):
            judged.append((move.guest.name, move.target))
            return refused.get(judged[-1], '')

        monkeypatch.setattr(moving.AfterMoves, '_judge', judge)
        monkeypatch.setattr(moving.AfterMoves, '_count', mock.Mock())

        def to_the_first(state):
            for guest in list(state.guests('a')):
                moves = state.moves_of(guest, [LIVE], 'bc')
                state.make(
                    next(
                        move
                        for move in moves
                        if state.headroom_with(move.target, guest) is not None
                    )
                )

        return moving.planned(mock.Mock(), found, plan or to_the_first)

    return make


def targets(state):
    return {move.guest.name: move.target for move in state.moves}


def test_what_nova_takes_stays_as_it_was_planned(planned):
    state, short = planned({})
    assert (targets(state), short) == ({'guest0': 'b', 'guest1': 'b'}, '')


def test_a_guest_goes_elsewhere_where_nova_refuses_the_first(planned):
    state, short = planned({('guest1', 'b'): 'a filter refuses it'})
    assert (targets(state), short) == ({'guest0': 'b', 'guest1': 'c'}, '')
    # Why stays known, but not of guests that nova takes.
    first, second = (
        next(g for g in state.cloud.guests if g.name == name)
        for name in ('guest0', 'guest1')
    )
    assert state.why_not(second, LIVE, 'b') == 'a filter refuses it'
    assert state.why_not(first, LIVE, 'b') == ''


def test_what_nova_took_is_not_judged_again(planned, judged):
    state, short = planned({('guest1', 'b'): 'no'}, 'aaaa')
    assert short == ''
    # Those alike as guest1 follow it, and what went before them stays.
    assert targets(state) == {
        'guest0': 'b',
        **dict.fromkeys(['guest1', 'guest2', 'guest3'], 'c'),
    }
    assert judged == [
        *[('guest0', 'b'), ('guest1', 'b')],
        *[('guest1', 'c'), ('guest2', 'c'), ('guest3', 'c')],
    ]


def test_a_move_is_judged_again_after_others_to_its_host(planned, judged):
    def plan(state):
        guests = {each.name: each for each in state.guests('a')}
        names = ['guest0', 'guest1']
        # In the other order in the second round.
        if state.why_not(guests['guest2'], LIVE, 'b'):
            names.reverse()
        else:
            names.append('guest2')
        for name in names:
            state.make(Move(guests[name], LIVE, 'a', 'b'))

    planned({('guest2', 'b'): 'no'}, 'aaa', plan=plan)
    assert judged == [
        *[('guest0', 'b'), ('guest1', 'b'), ('guest2', 'b')],
        *[('guest1', 'b'), ('guest0', 'b')],
    ]


def test_several_refusals_take_one_round(planned, monkeypatch):
    monkeypatch.setattr(moving, '_ROUNDS', 2)
    refused = dict.fromkeys([('guest0', 'b'), ('guest2', 'b')], 'no')
    state, short = planned(refused, 'aaa', alike=False)
    assert short == ''
    assert targets(state) == {'guest0': 'c', 'guest1': 'b', 'guest2': 'c'}


def test_rounds_end_and_only_what_was_refused_is_left_out(
    planned, monkeypatch
):
    monkeypatch.setattr(moving, '_ROUNDS', 1)
    refused = {('guest1', 'b'): 'a filter refuses it.'}
    state, short = planned(refused, 'aaa', alike=False)
    assert targets(state) == {'guest0': 'b', 'guest2': 'b'}
    assert short == 'b would not take guest1: a filter refuses it'


def test_what_needed_a_refused_move_is_left_out_with_it(
    planned, judged, monkeypatch
):
    monkeypatch.setattr(moving, '_ROUNDS', 1)

    def plan(state):
        (other,) = state.guests('b')
        first, second = state.guests('a')
        state.make(Move(other, LIVE, 'b', 'c'))
        state.make(Move(first, LIVE, 'a', 'b'))
        state.make(Move(second, LIVE, 'a', 'c'))

    refused = {('guest2', 'c'): 'no'}
    state, short = planned(refused, 'aab', 1, plan, alike=False)
    assert targets(state) == {'guest1': 'c'}
    assert ('guest0', 'b') not in judged
    assert short == (
        'c would not take guest2: no; nor can 1 more be moved as planned'
    )


def host_state(**stats):
    count = int(stats.get('num_instances', 0))
    return mock.Mock(
        free_ram_mb=8192 - 512 * count,
        vcpus_used=count,
        num_instances=count,
        stats=stats,
        instances={'uuid-%d' % i: mock.Mock() for i in range(count)},
    )


@pytest.mark.parametrize('empty', [{}, {'num_instances': '0'}])
def test_a_guest_counts_once_where_there_was_none(empty):
    cloud = clouds.cloud({'a': 1, 'b': 9}, 'aa')
    states = {'a': host_state(num_instances='2'), 'b': host_state(**empty)}
    states['a'].stats['xen_free_memory_mb'] = '4000'
    found = mock.Mock(cloud=cloud)
    found.hosts = {n: mock.Mock(state=s) for n, s in states.items()}
    flavor = mock.Mock(memory_mb=512, vcpus=1)
    found.servers = {
        each.uuid: mock.Mock(**{'instance.flavor': flavor})
        for each in cloud.guests
    }
    after = moving.AfterMoves(mock.Mock(), found)
    for guest in cloud.guests:
        after.make(Move(guest, LIVE, 'a', 'b'))

    def counted(name):
        state = states[name]
        return (
            *(state.num_instances, int(state.stats.get('num_instances') or 0)),
            *(len(state.instances), state.vcpus_used, state.free_ram_mb),
        )

    assert counted('a') == (0, 0, 0, 0, 8192)
    assert counted('b') == (2, 2, 2, 2, 8192 - 1024)
    # Xen gets back what it gave, with what it needs beside.
    assert int(states['a'].stats['xen_free_memory_mb']) >= 4000 + 1024
    after.undo()
    assert counted('a') == (2, 2, 2, 2, 8192 - 1024)
    assert counted('b') == (0, 0, 0, 0, 8192)
    assert states['a'].stats['xen_free_memory_mb'] == '4000'


def test_xen_reports_nothing_as_free_never_less():
    cloud = clouds.cloud({'a': 1, 'b': 9}, 'aa')
    states = {name: host_state(num_instances='2') for name in 'ab'}
    states['b'].stats['xen_free_memory_mb'] = '700'
    found = mock.Mock(cloud=cloud)
    found.hosts = {n: mock.Mock(state=s) for n, s in states.items()}
    flavor = mock.Mock(memory_mb=512, vcpus=1)
    server = mock.Mock(**{'instance.flavor': flavor})
    found.servers = {each.uuid: server for each in cloud.guests}
    after = moving.AfterMoves(mock.Mock(), found)
    reported = []
    for guest, *hosts in (
        (cloud.guests[0], 'a', 'b'),
        (cloud.guests[1], 'a', 'b'),
        (cloud.guests[0], 'b', 'a'),
    ):
        after.make(Move(guest, LIVE, *hosts))
        reported.append(states['b'].stats['xen_free_memory_mb'])
    # Two would take more than there is.
    assert reported[1:] == ['0', reported[0]]
    assert 0 < int(reported[0]) < 200
    after.undo()
    assert states['b'].stats['xen_free_memory_mb'] == '700'
