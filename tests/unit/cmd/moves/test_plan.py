# SPDX-License-Identifier: Apache-2.0

"""What is printed of a plan: rows, totals and its digest."""

from __future__ import annotations

import json
from unittest import mock

import pytest

from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd.moves import fields
from nova_xen_sched.cmd.moves import plan
from nova_xen_sched.planner.cloud import Move
from nova_xen_sched.planner.cloud import Operation
from nova_xen_sched.planner.state import State
from tests.unit.cmd.moves import clouds

LIVE, COLD = Operation.LIVE, Operation.COLD


def test_headroom_is_that_after_the_moves_before():
    cloud = clouds.cloud(slots={'a': 2, 'b': 4}, guests='aaaa')
    first, second, *_ = cloud.guests
    moves = [Move(first, LIVE, 'a', 'b'), Move(second, COLD, 'a', 'b')]
    steps = plan.steps(cloud, moves)
    assert [step.source[0] < 0 for step in steps] == [True, True]
    # What a move leaves, the next one finds.
    assert steps[0].source[1] == steps[1].source[0]
    assert steps[0].target[1] == steps[1].target[0]
    assert steps[1].source[1] == pytest.approx(0)
    rows = [dict(zip(fields.COLUMNS, plan.row(step, 'b'))) for step in steps]
    assert [row['server'] for row in rows] == ['guest0', 'guest1']
    assert tables.text(rows[0]['resource']) == 'dom0 memory'
    assert tables.text(rows[0]['source_headroom']) == '%.0f -> %.0f %%' % (
        steps[0].source[0] * 100,
        steps[0].source[1] * 100,
    )
    assert rows[0]['source_headroom'].bad
    assert not rows[1]['source_headroom'].bad
    assert tables.text(rows[0]['ram_mb']) == '512 MiB'


def test_commands_never_force_and_a_cold_one_is_confirmed():
    guest = clouds.cloud(slots={'a': 2, 'b': 4}, guests='a').guests[0]
    assert plan.command(Move(guest, LIVE, 'a', 'b:n'), 'b') == (
        'openstack --os-compute-api-version 2.30 server migrate '
        '--live-migration --host b --wait uuid-0'
    )
    assert plan.command(Move(guest, COLD, 'a', 'b:n'), 'b') == (
        'openstack --os-compute-api-version 2.56 server migrate --host b '
        '--wait uuid-0 && openstack server resize confirm uuid-0'
    )


def test_a_command_names_the_host_without_its_node():
    cloud = clouds.cloud(slots={'a': 1, 'b:b.example': 4}, guests='a')
    found = mock.Mock(cloud=cloud)
    found.hosts = {'b:b.example': mock.Mock(**{'state.host': 'b'})}
    move = Move(cloud.guests[0], LIVE, 'a', 'b:b.example')
    (row,) = plan.rows(found, [move])
    cells = dict(zip(fields.COLUMNS, row))
    assert cells['target'] == 'b:b.example'
    assert ' --host b --wait' in cells['command']


def test_totals():
    cloud = clouds.cloud(slots={'a': 2, 'b': 4}, guests='aaa')
    state = State(cloud)
    before = plan.overcommitted(state)
    state.make(Move(cloud.guests[0], LIVE, 'a', 'b'))
    found = plan.outcome(cloud, {}, before, state, [])
    assert found['overcommitted_before'] == ['a']
    assert found['overcommitted_after'] == []
    assert (found['moves'], found['live'], found['ram_mb']) == (1, 1, 512)
    assert json.dumps(found)


def test_a_digest_is_the_same_of_the_same_and_of_nothing_else():
    given = {'slots': {'a': 2, 'b': 4}, 'guests': 'aab'}
    first = plan.digest(clouds.cloud(**given))
    assert first == plan.digest(clouds.cloud(**given))
    cloud = clouds.cloud(**given)
    # What placement has left changes without what a plan rests on.
    shuffled = cloud._replace(
        guests=cloud.guests[::-1], hosts=dict(reversed(cloud.hosts.items()))
    )
    assert first == plan.digest(shuffled)
    free = cloud.hosts['a'].load._replace(free_mb=5)
    hosts = {**cloud.hosts, 'a': cloud.hosts['a']._replace(load=free)}
    assert first == plan.digest(cloud._replace(hosts=hosts))
    guest, *others = cloud.guests
    for changed in (
        {'host': 'b'},
        {'memory_mb': 1024},
        {'vcpus': 2},
        {'mode': None},
        {'uuid': 'x'},
        {'refused': {LIVE: 'it is locked'}},
    ):
        guests = [guest._replace(**changed), *others]
        assert first != plan.digest(cloud._replace(guests=guests)), changed
    assert first != plan.digest(cloud._replace(guests=others))
    hosts = {**cloud.hosts, 'a': cloud.hosts['a']._replace(version=1)}
    assert first != plan.digest(cloud._replace(hosts=hosts))
    model = cloud.model._replace(hvm_memory_mb=1)
    assert first != plan.digest(cloud._replace(model=model))
    smaller = clouds.cloud(slots={'a': 3, 'b': 4}, guests='aab')
    assert first != plan.digest(smaller)


def test_a_digest_is_the_same_after_moves_of_the_plan():
    first = plan.digest(clouds.cloud({'a': 2, 'b': 4}, 'aab'))
    cloud = clouds.cloud({'a': 2, 'b': 4}, 'bab')
    assert first != plan.digest(cloud)
    assert first == plan.digest(cloud, {'uuid-0': 'a'})
    # Another that moved is none of the plan's.
    cloud = clouds.cloud({'a': 2, 'b': 4}, 'bbb')
    assert first != plan.digest(cloud, {'uuid-0': 'a'})
