# SPDX-License-Identifier: Apache-2.0

"""What nova's API wants of a server, by the decorators of the nova at hand.

The states below are read in nova/compute/api.py of nova 22.4.0, 26.3.0,
30.3.0 and 34.0.0.
"""

from __future__ import annotations

import datetime
from types import SimpleNamespace

from nova import exception
from nova import objects
from nova import version
from nova.compute import api as compute_api
from nova.compute import power_state
import pytest

from nova_xen_sched.cmd.explain import OPERATIONS
from nova_xen_sched.cmd.nova import preconditions
from nova_xen_sched.cmd.nova import xen_hosts

MAJOR = int(version.version_string().split('.')[0])
UUID = '5c5b4a1e-6c4f-4f0b-8a54-6f4f8f2b1d10'
#: All of nova/compute/vm_states.py, and some tasks.
VM_STATES = (
    *('active', 'building', 'paused', 'suspended', 'stopped', 'rescued'),
    *('resized', 'soft-delete', 'deleted', 'error', 'shelved'),
    'shelved_offloaded',
)
TASK_STATES = (None, 'migrating', 'rebuilding', 'resize_prep', 'powering-off')
STARTED = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)


def server(vm_state='active', task_state=None, **fields):
    return objects.Instance(
        uuid=UUID,
        vm_state=vm_state,
        task_state=task_state,
        **dict(
            {
                'power_state': power_state.RUNNING,
                'launched_at': STARTED,
                'locked': False,
                'image_ref': 'b',
                'host': 'xen-a',
            },
            **fields,
        ),
    )


@pytest.mark.parametrize(
    ('operation', 'vm_states', 'unlocked', 'up'),
    [
        ('live-migrate', {'active', 'paused'}, True, False),
        ('cold-migrate', {'active', 'stopped'}, True, True),
        ('resize', {'active', 'stopped'}, True, True),
        ('evacuate', {'active', 'stopped', 'error'}, False, False),
        ('rebuild', {'active', 'stopped', 'error'}, True, False),
        ('unshelve', {'shelved', 'shelved_offloaded'}, True, False),
    ],
)
def test_each_operation_wants_what_novas_source_says(
    operation, vm_states, unlocked, up
):
    anything = operation == 'evacuate' and MAJOR >= 26
    assert preconditions.wanted(operation) == (
        vm_states,
        None if anything else {None},
        True,
        unlocked,
        up,
    )


def test_every_operation_on_a_server_is_known():
    assert set(preconditions._METHODS) == set(OPERATIONS) - {'boot'}
    assert preconditions.wanted('boot') == preconditions.Wanted()


def lets_pass(operation, instance):
    """Whether nova's own decorator of states lets an operation begin."""
    layer = getattr(compute_api.API, preconditions._METHODS[operation])
    while layer.__code__ is not preconditions._STATE:
        layer = layer.__wrapped__
    try:
        layer(None, None, instance)
    except exception.InstanceInvalidState:
        return False
    except Exception:
        # Of the method, which wants more than that.
        return True
    raise AssertionError('it needs no arguments?')


@pytest.mark.parametrize('operation', sorted(set(OPERATIONS) - {'boot'}))
def test_what_is_refused_is_what_novas_decorator_refuses(operation):
    for vm_state in VM_STATES:
        for task_state in TASK_STATES:
            for launched_at in (None, STARTED):
                instance = server(
                    vm_state, task_state, launched_at=launched_at
                )
                said = preconditions.refusals(instance, operation, None)
                assert lets_pass(operation, instance) == (not said)


@pytest.mark.parametrize(
    ('operation', 'fields', 'said', 'commands'),
    [
        (
            'live-migrate',
            {'vm_state': 'error'},
            'nova refuses to live-migrate the server, as its vm_state is '
            'error; it has to be active or paused. Look why it is in ERROR; '
            'if the guest is well, set it active.',
            (
                'openstack server show ' + UUID,
                'openstack server set --state active ' + UUID,
            ),
        ),
        (
            'cold-migrate',
            {'vm_state': 'resized'},
            'nova refuses to cold-migrate the server, as its vm_state is '
            'resized; it has to be active or stopped. Confirm or revert its '
            'resize first.',
            (
                'openstack server resize confirm ' + UUID,
                'openstack server resize revert ' + UUID,
            ),
        ),
        (
            'unshelve',
            {},
            'nova refuses to unshelve the server, as its vm_state is active; '
            'it has to be shelved or shelved_offloaded.',
            (),
        ),
        (
            'rebuild',
            {'task_state': 'powering-off'},
            'nova refuses to rebuild the server until its present task has '
            'ended: its task_state is powering-off.',
            (),
        ),
        (
            'rebuild',
            {'launched_at': None},
            'nova refuses to rebuild the server, as the server never ran.',
            (),
        ),
        (
            'live-migrate',
            {'power_state': power_state.SHUTDOWN},
            'nova refuses to live-migrate the server, as the server does '
            'not run.',
            (),
        ),
    ],
)
def test_what_is_said(operation, fields, said, commands):
    (found,) = preconditions.refusals(server(**fields), operation, None)
    assert found == said
    assert found.commands == commands


@pytest.mark.parametrize(
    ('operation', 'up', 'said'),
    [
        ('evacuate', True, 'as nova-compute on xen-a is up.'),
        ('evacuate', False, None),
        ('live-migrate', False, 'as nova-compute on xen-a is down.'),
        ('live-migrate', True, None),
        ('resize', False, 'as nova-compute on xen-a is down.'),
        ('rebuild', False, None),
    ],
)
def test_whether_nova_compute_is_up(operation, up, said, monkeypatch):
    # Whether it is up, the database would say.
    monkeypatch.setattr(xen_hosts, 'is_up', lambda state: up)
    source = SimpleNamespace(host='xen-a', service=None)
    found = preconditions.refusals(server(), operation, source)
    assert [said] == [each.partition(', ')[2] for each in found] or not (
        said or found
    )


def test_a_locked_server_is_told_not_refused():
    locked = server(locked=True)
    assert preconditions.refusals(locked, 'live-migrate', None) == []
    (said,) = preconditions.remarks(locked, 'live-migrate', None)
    assert 'is locked: nova lets only an admin live-migrate it' in said
    assert said.commands == ('openstack server unlock ' + UUID,)
    # nova has no such check there: it is for admins alone.
    assert preconditions.remarks(locked, 'evacuate', None) == []


def test_another_image_in_the_stored_request_is_told():
    def said(image_ref, **fields):
        return preconditions.remarks(
            server(image_ref=image_ref),
            'cold-migrate',
            objects.ImageMeta(**fields),
        )

    (told,) = said('b', id='a')
    assert 'names image a, but the server has image b. ' in told
    assert said('b', id='b') == []
    # Booted from a volume: nova has no image of the server then.
    assert said('', id='a') == said('b') == []
    assert preconditions.remarks(server(), 'boot', None) == []
