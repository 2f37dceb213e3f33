# SPDX-License-Identifier: Apache-2.0

"""What rebalance says of a cloud, without nova."""

from __future__ import annotations

import io
import json
from unittest import mock

import pytest

from nova_xen_sched.cmd import application
from nova_xen_sched.cmd.moves import plan
from nova_xen_sched.cmd.moves import read
from nova_xen_sched.cmd.nova import moving
from nova_xen_sched.planner.cloud import Operation
from nova_xen_sched.planner.state import State
from tests.unit.cmd import schemas
from tests.unit.cmd.moves import clouds

LOCKED = {
    'destinations': {},
    'refused': dict.fromkeys(
        (Operation.LIVE, Operation.COLD), 'it is locked (--include-locked)'
    ),
}


@pytest.fixture
def ran(monkeypatch, tmp_path):
    """The command, of a cloud whose every move nova takes."""

    def planned(_, found, make):
        state = State(found.cloud)
        make(state)
        return state, ''

    def run(cloud, *arguments):
        found = mock.Mock(cloud=cloud)
        found.hosts = {
            name: mock.Mock(**{'state.host': name}) for name in cloud.hosts
        }
        monkeypatch.setattr(
            read,
            'read',
            lambda *_: read.Planned(
                None,
                found,
                (Operation.LIVE, Operation.COLD),
                lambda guest: guest.name != 'guest0',
            ),
        )
        monkeypatch.setattr(moving, 'planned', planned)
        monkeypatch.setattr(
            moving,
            'AfterMoves',
            lambda *_: mock.Mock(**{'refusal.return_value': ''}),
        )
        out, err = io.StringIO(), io.StringIO()
        program = application.App(stdout=out, stderr=err)
        monkeypatch.setattr(program, 'configure_logging', lambda: None)
        code = program.run(['rebalance', *arguments])
        return code, out.getvalue(), err.getvalue()

    return run


def test_nothing_to_do_is_one_line_beside_an_empty_output(ran):
    cloud = clouds.cloud({'a': 4, 'b': 4}, 'aab')
    said = 'Nothing to do: none of the dom0s of 2 Xen hosts is overcommitted.'
    assert ran(cloud) == (0, '', said + '\n')
    assert ran(cloud, '-f', 'value', '-c', 'command') == (0, '', said + '\n')


def test_moves_and_those_that_may_not_be_moved(ran):
    cloud = clouds.cloud({'a': 1, 'b': 4}, 'aaa')
    code, out, err = ran(cloud, '-f', 'json')
    found = json.loads(out)
    schemas.check('rebalance', found)
    assert (code, found['outcome']['stays']) == (1, [])
    assert [each['server'] for each in found['moves']] == ['guest1', 'guest2']
    assert err == (
        '2 moves (2 live, 0 cold), 1.0 GiB of RAM to copy.\n'
        'Overcommitted dom0s: 1 now, 0 afterwards.\n'
    )


def test_a_host_that_stays_is_named_with_all_its_guests(ran):
    cloud = clouds.cloud({'a': 1, 'b': 4}, 'aaa', **LOCKED)
    code, out, err = ran(cloud)
    assert (code, err) == (1, 'Overcommitted: a. No move helps.\n')
    assert out.splitlines() == [
        '',
        'a stays overcommitted, with a headroom of -200 %. Its guests:',
        '  guest0: it is not to be moved',
        '  guest1, guest2: it is locked (--include-locked)',
    ]
    code, out, _ = ran(cloud, '-f', 'json')
    found = json.loads(out)
    schemas.check('rebalance', found)
    (left,) = found['outcome']['stays']
    assert (code, left['host'], left['headroom']) == (1, 'a', -2)
    assert [each['server_id'] for each in left['guests']] == [
        'uuid-0',
        'uuid-1',
        'uuid-2',
    ]


def test_a_plan_that_is_cut_says_what_it_leaves(ran):
    cloud = clouds.cloud({'a': 1, 'b': 4}, 'aaa')
    code, out, _ = ran(cloud, '--max-moves', '1')
    assert code == 1
    assert 'the plan leaves it there, though b would take it' in out


def test_a_plan_that_is_checked(ran, tmp_path):
    cloud = clouds.cloud({'a': 1, 'b': 4}, 'aaa')
    path = tmp_path / 'plan.json'
    path.write_text(ran(cloud, '-f', 'json')[1])
    made_at = json.loads(path.read_text())['outcome']['made_at']
    code, out, err = ran(cloud, '--check', str(path), '-f', 'json')
    assert (code, len(json.loads(out)['moves'])) == (0, 2)
    assert err == (
        'The plan of %s holds: hosts and guests are as it saw them.\n'
        % made_at
    )
    # All is made; then there is nothing below an empty heading.
    done = clouds.cloud({'a': 1, 'b': 4}, 'abb')
    code, out, err = ran(done, '--check', str(path))
    assert (code, out) == (0, '')
    assert err == (
        'The plan of %s holds: 2 of 2 moves made, 0 left.\n'
        'Hosts or guests are not as it saw them.\n' % made_at
    )
    gone = clouds.cloud({'a': 1, 'b': 4}, 'a')
    code, out, err = ran(gone, '--check', str(path), '-f', 'json')
    schemas.check('rebalance', json.loads(out))
    assert (code, err) == (
        1,
        'The plan of %s holds no more: guest1 is on no Xen host any more.\n'
        % made_at,
    )


def test_a_target_that_is_no_xen_host_any_more(ran, tmp_path):
    path = tmp_path / 'plan.json'
    path.write_text(ran(clouds.cloud({'a': 1, 'b': 4}, 'aa'), '-f', 'json')[1])
    cloud = clouds.cloud({'a': 1, 'c': 4}, 'aa')
    code, _, err = ran(cloud, '--check', str(path))
    assert code == 1
    assert "guest1 can't go to b: there is no such Xen host.\n" in err


def test_overcommitted_hosts_before_are_those_now():
    cloud = clouds.cloud({'a': 1, 'b': 1, 'c': 1}, 'aabb')
    assert plan.overcommitted(State(cloud)) == ['a', 'b']
