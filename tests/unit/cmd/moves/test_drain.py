# SPDX-License-Identifier: Apache-2.0

"""What drain says of a host's guests, without nova."""

from __future__ import annotations

import io
import json
from unittest import mock

import pytest

from nova_xen_sched.cmd import application
from nova_xen_sched.cmd.moves import read
from nova_xen_sched.cmd.nova import migrations
from nova_xen_sched.cmd.nova import moving
from nova_xen_sched.planner.cloud import Operation
from nova_xen_sched.planner.state import State
from tests.unit.cmd import schemas
from tests.unit.cmd.moves import clouds

WAITING = ('uuid-9', 'gone-1', 'b', 'resize')


@pytest.fixture
def ran(monkeypatch):
    """The command for host a, from which nova takes no guest."""

    def run(guests, *arguments, unconfirmed=(), arriving=(), short=''):
        cloud = clouds.cloud({'a': 4, 'b': 4}, guests)
        found = mock.Mock(cloud=cloud)
        found.hosts = {
            name: mock.Mock(**{'state.host': name}) for name in cloud.hosts
        }
        for name in found.hosts:
            found.hosts[name].name = name
        planned = read.Planned(
            *(None, found, (Operation.LIVE,)),
            lambda guest: guest.name != 'guest0',
        )
        for module, name, value in (
            (read, 'read', planned),
            (read, 'host', 'a'),
            (moving, 'planned', (State(cloud), short)),
            (migrations, 'unconfirmed', unconfirmed),
            (migrations, 'arriving', arriving),
        ):
            monkeypatch.setattr(
                module, name, lambda *_, value=value, **__: value
            )
        out, err = io.StringIO(), io.StringIO()
        program = application.App(stdout=out, stderr=err)
        monkeypatch.setattr(program, 'configure_logging', lambda: None)
        code = program.run(['drain', 'a', *arguments])
        return code, out.getvalue(), err.getvalue()

    return run


def test_guests_count_as_what_they_are(ran):
    coming = [('uuid-%d' % i, 'new', 'b', 'migration') for i in (7, 8)]
    assert ran('ab', unconfirmed=[WAITING], arriving=coming)[2] == (
        '0 guests of a to move, 0.0 GiB of RAM to copy; 1 stays.\n'
        '1 may come back, 2 are on their way here.\n'
    )
    code, out, err = ran('b', arriving=coming[:1])
    assert (code, err.splitlines()[1]) == (1, '1 is on its way here.')
    assert 'new: it is on its way here from b' in out
    code, out, err = ran('aab', unconfirmed=[WAITING])
    assert err.splitlines()[0].endswith('2 stay.')
    assert 'guest0 stays: it is not to be moved (--exclude).' in out
    assert 'gone-1 may come back: it went to b, and its resize waits' in out


def test_kinds_for_programs(ran):
    arriving = [('uuid-8', 'new', 'b', 'migration')]
    code, out, _ = ran(
        *('a', '-f', 'json', '--live-only'),
        unconfirmed=[WAITING],
        arriving=arriving,
    )
    found = json.loads(out)
    schemas.check('drain', found)
    outcome = found['outcome']
    assert (code, outcome['host']) == (1, 'a')
    assert outcome['flags']['live_only']
    assert [(each['server'], each['kind']) for each in outcome['stays']] == [
        ('guest0', 'stays'),
        ('gone-1', 'unconfirmed'),
        ('new', 'arriving'),
    ]


def test_a_guest_that_was_resized_where_it_is_is_named_once(ran):
    there = ('uuid-0', 'guest0', 'a', 'resize')
    code, out, err = ran('ab', unconfirmed=[there])
    assert (code, out.count('guest0')) == (1, 1)
    assert 'may come back' not in err


def test_no_sentence_ends_twice(ran):
    _, _, err = ran('ab', short='b would not take guest1: a filter')
    assert err.endswith('complete: b would not take guest1: a filter.\n')
    assert ran('b') == (0, mock.ANY, 'a has no guests.\n')
