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


@pytest.fixture
def planned(monkeypatch):
    """A plan of guests of host a, where nova refuses some moves."""

    def make(refused, guests='aa'):
        cloud = clouds.cloud({'a': 1, 'b': 9, 'c': 9}, guests)
        found = mock.MagicMock(cloud=cloud)
        monkeypatch.setattr(
            moving.AfterMoves,
            'refusal',
            lambda self, move: refused.get((move.guest.name, move.target), ''),
        )
        monkeypatch.setattr(moving.AfterMoves, '_count', mock.Mock())

        def plan(state):
            for guest in list(state.guests('a')):
                state.make(next(state.moves_of(guest, [LIVE], 'bc')))

        return moving.planned(mock.Mock(), found, plan)

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


def test_rounds_end_and_what_was_taken_stays(planned, monkeypatch):
    monkeypatch.setattr(moving, '_ROUNDS', 1)
    state, short = planned({('guest1', 'b'): 'a filter refuses it'})
    assert targets(state) == {'guest0': 'b'}
    assert short == 'b would not take guest1: a filter refuses it'


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
