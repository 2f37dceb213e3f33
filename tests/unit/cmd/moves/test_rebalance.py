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
        if refused:
            return State(found.cloud), refused[0]
        state = State(found.cloud)
        make(state)
        return state, ''

    refused = []

    def run(cloud, *arguments, short=''):
        refused[:] = [short] if short else []
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
        '  guest0: it is not to be moved (--exclude)',
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
        'The plan of %s holds: 2 of 2 moves made, 0 left.\n' % made_at
    )
    gone = clouds.cloud({'a': 1, 'b': 4}, 'a')
    code, out, err = ran(gone, '--check', str(path), '-f', 'json')
    schemas.check('rebalance', json.loads(out))
    assert (code, err) == (
        1,
        'The plan of %s holds no more: guest1 is on no Xen host any more.\n'
        % made_at,
    )


def test_a_plan_that_holds_but_is_not_enough_any_more(ran, tmp_path):
    path = tmp_path / 'plan.json'
    path.write_text(
        ran(clouds.cloud({'a': 1, 'b': 4}, 'aaa'), '-f', 'json')[1]
    )
    # Two guests came, and one of the plan has moved.
    more = clouds.cloud({'a': 1, 'b': 4}, 'abaaa')
    code, out, err = ran(more, '--check', str(path), '-f', 'json')
    found = json.loads(out)
    schemas.check('rebalance', found)
    check = found['outcome']['check']
    assert (code, check['holds'], check['reached']) == (1, True, False)
    assert err.splitlines()[0].endswith('holds: 1 of 2 moves made, 1 left.')
    assert err.splitlines()[1:] == [
        'Hosts or guests are not as it saw them.',
        '1 dom0 stays overcommitted after it: a.',
    ]


def test_a_plan_of_drain_is_to_empty_its_host(ran, tmp_path):
    path = tmp_path / 'plan.json'
    cloud = clouds.cloud({'a': 2, 'b': 1}, 'aab')
    plan_of_drain = json.loads(ran(cloud, '-f', 'json')[1])
    plan_of_drain['outcome']['host'] = 'a'
    path.write_text(json.dumps(plan_of_drain))
    code, _, err = ran(cloud, '--check', str(path))
    assert code == 1
    assert err.splitlines()[1] == '2 guests stay on a after it.'
    # That another dom0 is overcommitted is not what it is about.
    done = clouds.cloud({'a': 2, 'b': 1}, 'bbb')
    assert ran(done, '--check', str(path))[0] == 0


def test_a_plan_that_holds_no_more_prints_none_of_its_commands(ran, tmp_path):
    path = tmp_path / 'plan.json'
    path.write_text(
        ran(clouds.cloud({'a': 1, 'b': 4}, 'aaa'), '-f', 'json')[1]
    )
    # The first move could be made.
    gone = clouds.cloud({'a': 1, 'b': 4}, 'aa')
    argv = ('--check', str(path), '-f', 'value', '-c', 'command')
    code, out, err = ran(gone, *argv)
    assert (code, out) == (1, '')
    assert 'guest2 is on no Xen host any more' in err


def test_a_plan_of_which_nova_refuses_all_is_not_nothing_to_do(ran):
    cloud = clouds.cloud({'a': 4, 'b': 4}, 'aab')
    argv = ('--until', 'even')
    assert ran(cloud, *argv, short='b would not take guest1: no') == (
        *(1, ''),
        'The plan is not complete: b would not take guest1: no.\n'
        'None of the dom0s of 2 Xen hosts is overcommitted.\n',
    )
    code, _, err = ran(clouds.cloud({'a': 4, 'b': 4}, 'ab'), *argv)
    assert (code, err) == (
        0,
        'Nothing to do: none of the dom0s of 2 Xen hosts is overcommitted.\n'
        'No live migration gains enough headroom (--min-gain).\n',
    )


@pytest.mark.parametrize(
    ('argv', 'words'),
    [
        (['--min-gain', '5'], '--min-gain goes with --until even alone.'),
        (
            ['--check', 'plan.json', '--min-gain', '5'],
            '--check goes without --until, --min-gain,',
        ),
        (['--check', 'plan.json', '--until', 'even'], '--check goes without'),
    ],
)
def test_arguments_that_go_together_with_none(ran, argv, words):
    code, out, err = ran(clouds.cloud({'a': 1}, 'a'), *argv)
    assert (code, out) == (2, '')
    assert words in err


def test_guests_of_other_hosts_than_those_named(ran):
    cloud = clouds.cloud({'a': 1, 'b': 1, 'c': 4}, 'aabb')
    code, out, _ = ran(cloud, '--from', 'a')
    assert code == 1
    assert 'guests of its host are not to be moved (--from)' in out


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
