# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from nova import context as nova_context
from nova import exception
from nova import objects
import pytest

from nova_xen_sched import request as requests
from nova_xen_sched.request import Kind
from tests.unit import builders


@pytest.fixture
def cells(mocker):
    """What nova's read of the cell answers; the read itself is mocked.

    The functional tests do it for real.
    """
    return mocker.patch.object(nova_context, 'scatter_gather_cells')


@pytest.mark.parametrize(
    'task_state, kind',
    [
        ('migrating', Kind.LIVE_MIGRATION),
        ('rebuilding', Kind.EVACUATION),
        ('resize_prep', Kind.MOVE),
        ('unshelving', Kind.MOVE),
        (None, None),
        ('powering-off', None),
    ],
)
def test_task_states(cells, task_state, kind):
    cells.return_value = {builders.UUID: (task_state,)}
    assert requests.kind_in_cell(builders.moved(), 5)() is kind


def test_it_reads_once(cells):
    cells.return_value = {builders.UUID: ('migrating',)}
    teller = requests.kind_in_cell(builders.moved(), 2.5)
    assert not cells.called
    assert [teller() for _ in range(3)] == [Kind.LIVE_MIGRATION] * 3
    assert cells.call_count == 1
    context, found, timeout, _read, uuid = cells.call_args[0]
    assert context.is_admin
    assert [cell.uuid for cell in found] == [builders.UUID]
    assert (timeout, uuid) == (2.5, builders.UUID)


@pytest.mark.parametrize(
    'answer',
    [
        nova_context.did_not_respond_sentinel,
        exception.InstanceNotFound(instance_id='x'),
        RuntimeError('database is away'),
        None,
    ],
)
def test_no_answer(cells, logged, answer):
    cells.return_value = {builders.UUID: answer}
    teller = requests.kind_in_cell(builders.moved(), 5)
    assert [teller() for _ in range(3)] == [None] * 3
    assert cells.call_count == 1
    (line,) = logged('WARNING')
    assert 'live_migration_unknown decides' in line


def test_the_password_of_a_cell_is_not_logged(cells, logged):
    # It ends in another line than the first, which is all that is logged.
    error = RuntimeError("can't reach 'm//u:se\ncret@h/d'")
    cells.return_value = {builders.UUID: error}
    requests.kind_in_cell(builders.moved(), 5)()
    (line,) = logged('WARNING')
    assert "its cell failed: RuntimeError: can't reach 'm//u:***@h/d'" in line


def test_a_read_that_raises(cells, logged):
    cells.side_effect = RuntimeError
    teller = requests.kind_in_cell(builders.moved(), 5)
    assert [teller() for _ in range(3)] == [None] * 3
    assert len(logged('ERROR')) == 1


def test_a_request_without_cell():
    assert requests.kind_in_cell(builders.spec(), 5)() is None


def test_the_read_itself(mocker):
    get = mocker.patch.object(
        objects.Instance,
        'get_by_uuid',
        return_value=objects.Instance(task_state='migrating'),
    )
    assert requests._task_state('context', 'uuid') == ('migrating',)
    get.assert_called_once_with('context', 'uuid', expected_attrs=[])


def test_a_read_that_fails_returns_why(mocker):
    # nova logs a traceback of what is raised in a cell.
    failure = RuntimeError('database is away')
    mocker.patch.object(objects.Instance, 'get_by_uuid', side_effect=failure)
    assert requests._task_state('context', 'uuid') is failure
