# SPDX-License-Identifier: Apache-2.0

"""A plan that was written down: what is wrong of it is one line."""

from __future__ import annotations

import argparse
import json

import pytest

from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd.moves import check_plan
from nova_xen_sched.cmd.moves import fields

MOVE = {
    'server': 'web-1',
    'server_id': '1',
    'source': 'a',
    'target': 'b',
    'operation': 'live',
    'resource': 'dom0_memory',
}
OTHER = dict(MOVE, server_id='2', operation='cold')
DISABLE = {'server': None, 'source': 'a', 'operation': 'disable'}
FLAGS = {'shared_storage': True, 'include_locked': False, 'live_only': False}
OUTCOME = {
    'made_at': '2026-11-29T19:00:00Z',
    'digest': 'ab',
    'flags': FLAGS,
}


def text(*moves, **outcome):
    return json.dumps(
        {'outcome': dict(OUTCOME, **outcome), 'moves': list(moves)}
    )


def without(name):
    return {key: value for key, value in MOVE.items() if key != name}


def test_moves_are_read_and_what_disables_a_host_is_not_one(tmp_path):
    path = tmp_path / 'plan.json'
    path.write_text(text(DISABLE, MOVE, OTHER))
    kept = check_plan.load(str(path))
    assert kept.moves == [MOVE, OTHER]
    assert kept[:3] == tuple(OUTCOME.values())
    assert kept.host is None
    path.write_text(text(MOVE, host='a'))
    assert check_plan.load(str(path)).host == 'a'


def test_a_plan_of_no_moves_is_one(tmp_path):
    path = tmp_path / 'plan.json'
    path.write_text(text())
    assert check_plan.load(str(path)).moves == []


@pytest.mark.parametrize(
    ('content', 'words'),
    [
        ('', 'Expecting value: line 1 column 1'),
        (text(MOVE)[:-9], 'line 1 column'),
        ('[' * 100000, 'recursion'),
        (b'\xff\xfe', "codec can't decode byte 0xff in position 0"),
        ('[]', 'it is no object'),
        ('{"moves": []}', 'it lacks outcome, an object, or moves, a list'),
        ('{"outcome": {}, "moves": {}}', 'it lacks outcome'),
        (text(made_at=None), 'outcome has no text as made_at'),
        (text(digest=1), 'outcome has no text as digest'),
        (text(host=1), 'outcome has no text as host'),
        (text(flags=None), 'no flags, as of a plan of an earlier version'),
        (text(flags=dict(FLAGS, live_only=0)), 'outcome has no flags'),
        (text(MOVE, 7), 'move 2 is no object'),
        (text(without('operation')), 'move 1 has no text as operation'),
        (
            text(dict(MOVE, operation='evacuate')),
            "move 1 has the operation 'evacuate', which is neither live nor",
        ),
        *(
            (
                text(DISABLE, OTHER, without(name)),
                'move 3 has no text as ' + name,
            )
            for name in ('server', 'server_id', 'source', 'target')
        ),
        (
            text(OTHER, MOVE, dict(MOVE, target='c')),
            'move 3 moves the same server as move 2',
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path, content, words):
    # A name that a careless template takes for its own.
    path = tmp_path / 'plan %s %d.json'
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content)
    with pytest.raises(errors.Failure) as found:
        check_plan.load(str(path))
    line = str(found.value)
    assert line.startswith('%s is no plan: ' % path)
    assert words in line
    assert 'nova-xen-sched rebalance -f json' in line
    assert '\n' not in line


def test_one_that_is_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr(check_plan, '_MOST', 10)
    path = tmp_path / 'plan.json'
    path.write_text(text(MOVE))
    with pytest.raises(errors.Failure, match='is larger than 64 MiB'):
        check_plan.load(str(path))


@pytest.mark.parametrize(
    ('name', 'words'),
    [('none.json', 'No such file'), ('.', 'Is a directory')],
)
def test_what_cant_be_read(tmp_path, name, words):
    path = tmp_path / name
    with pytest.raises(errors.Failure) as found:
        check_plan.load(str(path))
    assert str(found.value).startswith("%s can't be read: %s" % (path, words))


def test_a_plan_is_checked_with_its_own_flags(tmp_path):
    path = tmp_path / 'plan.json'
    path.write_text(text())
    kept = check_plan.load(str(path))
    for shared_storage in (False, True):
        args = argparse.Namespace(
            check='plan.json',
            shared_storage=shared_storage,
            include_locked=False,
            live_only=False,
        )
        check_plan.use_flags(args, kept)
        assert fields.flags(args) == FLAGS
    args.live_only = True
    with pytest.raises(errors.Failure) as found:
        check_plan.use_flags(args, kept)
    assert str(found.value) == (
        'plan.json was made without --live-only, and is checked without it.'
    )
