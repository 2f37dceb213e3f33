# SPDX-License-Identifier: Apache-2.0

"""What nova looks at before it asks its scheduler about a server.

Which states its API wants of a server for an operation it says by decorators
of its methods, which differ from nova to nova; here they are read from the
nova at hand. tests/unit/cmd/nova/test_preconditions.py holds what they say.
"""

from __future__ import annotations

import functools
import inspect
import typing as ty

from nova.compute import api as compute_api
from nova.compute import power_state
from nova.compute import task_states
from nova.compute import vm_states

from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd.nova import xen_hosts
from nova_xen_sched.cmd.nova.scheduler import Server
from nova_xen_sched.cmd.tables import Coded

#: nova's methods of its API for our operations.
_METHODS = {
    'live-migrate': 'live_migrate',
    'cold-migrate': 'resize',
    'resize': 'resize',
    'evacuate': 'evacuate',
    'rebuild': 'rebuild',
    'unshelve': 'unshelve',
}
#: Whether the nova-compute that a server leaves has to be up, where no
#: decorator says so: by the conductor, and by the method itself.
_UP = {'live-migrate': True, 'evacuate': False}

#: What brings a server out of a state: a sentence, and commands.
_REMEDIES: ty.Mapping[str, ty.Sequence[str]] = {
    vm_states.ERROR: (
        'Look why it is in ERROR; if the guest is well, set it active.',
        'openstack server show {uuid}',
        'openstack server set --state active {uuid}',
    ),
    vm_states.RESIZED: (
        'Confirm or revert its resize first.',
        'openstack server resize confirm {uuid}',
        'openstack server resize revert {uuid}',
    ),
    vm_states.STOPPED: ('', 'openstack server start {uuid}'),
    vm_states.PAUSED: ('', 'openstack server unpause {uuid}'),
    vm_states.SUSPENDED: ('', 'openstack server resume {uuid}'),
    vm_states.RESCUED: ('', 'openstack server unrescue {uuid}'),
    vm_states.SHELVED: ('', 'openstack server unshelve {uuid}'),
    vm_states.SHELVED_OFFLOADED: ('', 'openstack server unshelve {uuid}'),
    vm_states.SOFT_DELETED: ('', 'openstack server restore {uuid}'),
}
_STUCK = (
    'The server is MIGRATING. If none of its migrations runs, it is stuck: '
    'below libvirt 1.3.1 the thread that watches a migration crashes and '
    "leaves it so, unless libvirt's commits ad71665 and b7b4391 were "
    'backported. See with virsh list on both hosts where the guest runs; then '
    'set the server active.'
)


class Wanted(ty.NamedTuple):
    """What nova's API wants of a server for an operation.

    :ivar vm_states: those it takes; None for any.
    :ivar task_states: likewise; None among them is that of no task.
    :ivar launched: whether it must have run once.
    :ivar unlocked: whether users other than admins must not find it locked.
    :ivar up: whether its nova-compute must be up.
    """

    vm_states: frozenset[str] | None = None
    task_states: frozenset[str | None] | None = None
    launched: bool = False
    unlocked: bool = False
    up: bool = False


@functools.lru_cache(maxsize=None)
def wanted(operation: str) -> Wanted:
    """What the decorators of the nova at hand say of an operation.

    Each is found by its code, and says what it was given by its closure: so
    it is in nova 22 to 34.
    """
    found = Wanted()
    layer = getattr(compute_api.API, _METHODS.get(operation, ''), None)
    while layer is not None:
        code = getattr(layer, '__code__', None)
        if code is _LOCK:
            found = found._replace(unlocked=True)
        if code in (_STATE, _HOST):
            given = inspect.getclosurevars(layer).nonlocals
            if code is _HOST:
                found = found._replace(up=given['check_is_up'])
            else:
                found = found._replace(
                    vm_states=_frozen(given['vm_state']),
                    task_states=_frozen(given['task_state']),
                    launched=given['must_have_launched'],
                )
        layer = getattr(layer, '__wrapped__', None)
    return found


def _frozen(states: ty.Any) -> frozenset[ty.Any] | None:
    return None if states is None else frozenset(states)


def _nothing() -> None:
    """Stands where the decorators take a method."""


_LOCK = compute_api.check_instance_lock(_nothing).__code__
_STATE = compute_api.check_instance_state()(_nothing).__code__
_HOST = compute_api.check_instance_host()(_nothing).__code__


def without_host(server: Server, operation: str) -> list[Coded]:
    """Why nova refuses an operation on a server that has no host.

    :returns: nothing where nova finds the server as the operation needs it.
    :raises errors.Failure: if nova does it without asking its scheduler.
    """
    instance = server.instance
    if operation == 'boot':
        return []
    uuid = instance.uuid
    if server.cell.is_cell0():
        return [
            Coded(
                'cell0',
                '%s: no host was found for it when it was booted, and nova '
                'keeps it in cell0. --operation boot says which hosts would '
                'take it now.' % refuses_to(operation),
                'openstack server show %s' % uuid,
            )
        ]
    if operation == 'unshelve' and instance.vm_state == vm_states.SHELVED:
        raise errors.Failure(
            'Server %s is shelved, but not offloaded: nova starts it on %s, '
            'without asking its scheduler.' % (uuid, instance.host)
        )
    if operation != 'unshelve' and instance.host is None:
        remedy = ''
        if instance.vm_state == vm_states.SHELVED_OFFLOADED:
            remedy = ' --operation unshelve says where it could go.'
        return [
            Coded(
                'no_host',
                '%s, as the server is on no host (its vm_state is %s).%s'
                % (refuses_to(operation), instance.vm_state, remedy),
            )
        ]
    return []


def refuses_to(operation: str) -> str:
    """The beginning of a sentence on what nova's API refuses."""
    return 'nova refuses to %s the server' % operation


def refusals(instance: ty.Any, operation: str, source: ty.Any) -> list[Coded]:
    """Why nova refuses an operation, whatever the hosts.

    :param instance: the server's nova Instance.
    :param source: the nova HostState of its host, None if unknown.
    """
    wants = wanted(operation)
    refuses = refuses_to(operation)
    found = []
    if wants.vm_states is not None and (
        instance.vm_state not in wants.vm_states
    ):
        remedy: ty.Sequence[str] = ('',)
        if operation != 'unshelve':
            remedy = _REMEDIES.get(instance.vm_state, remedy)
        why = '%s, as its vm_state is %s; it has to be %s. %s' % (
            refuses,
            instance.vm_state,
            ' or '.join(sorted(wants.vm_states)),
            remedy[0],
        )
        found.append(
            Coded(
                'vm_state',
                why.rstrip(),
                *(each.format(uuid=instance.uuid) for each in remedy[1:]),
            )
        )
    if wants.task_states is not None and (
        instance.task_state not in wants.task_states
    ):
        if instance.task_state == task_states.MIGRATING:
            found.append(
                Coded(
                    'migrating',
                    _STUCK,
                    'openstack server migration list --server '
                    + instance.uuid,
                    'openstack server set --state active ' + instance.uuid,
                )
            )
        else:
            found.append(
                Coded(
                    'task_state',
                    '%s until its present task has ended: its task_state is '
                    '%s.' % (refuses, instance.task_state),
                )
            )
    if wants.launched and not instance.launched_at:
        found.append(
            Coded('never_ran', '%s, as the server never ran.' % refuses)
        )
    if (
        operation == 'live-migrate'
        and instance.power_state
        not in (
            power_state.RUNNING,
            power_state.PAUSED,
        )
        # A server that is stopped is refused for its vm_state.
        and not any(each.code == 'vm_state' for each in found)
    ):
        found.append(
            Coded('not_running', '%s, as the server does not run.' % refuses)
        )
    up = _UP.get(operation, True if wants.up else None)
    if source is not None and up is not None:
        # One that is disabled may be up or down.
        is_up = xen_hosts.is_up(source)
        if is_up != up:
            found.append(
                Coded(
                    'compute_up' if is_up else 'compute_down',
                    '%s, as nova-compute on %s is %s.'
                    % (refuses, source.host, 'up' if is_up else 'down'),
                )
            )
    return found


def remarks(instance: ty.Any, operation: str, stored: ty.Any) -> list[Coded]:
    """What else is so of a server that bears on an operation.

    :param stored: the nova ImageMeta of its stored request, None if none.
    """
    found = []
    if instance.locked and wanted(operation).unlocked:
        found.append(
            Coded(
                'locked',
                'The server is locked: nova lets only an admin %s it.'
                % operation,
                'openstack server unlock %s' % instance.uuid,
            )
        )
    image = stored.id if stored is not None and 'id' in stored else None
    if image and instance.image_ref and image != instance.image_ref:
        found.append(
            Coded(
                'stored_image',
                "nova's stored request of the server names image %s, but the "
                'server has image %s. A rebuild that nova refused leaves the '
                'stored request so. nova looks for hosts for the image of the '
                'stored request, until a rebuild with another image than the '
                "server's succeeds." % (image, instance.image_ref),
            )
        )
    return found
