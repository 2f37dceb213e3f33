# SPDX-License-Identifier: Apache-2.0

"""Where to look when a host was chosen and it still fails."""

from __future__ import annotations

import typing as ty

from nova import servicegroup
from nova.compute import power_state
from nova.compute import task_states

from nova_xen_sched.cmd import tables

#: Where to look for what a step of nova's says.
PLACEMENT = (
    'compare: openstack resource provider inventory list, usage show and '
    'trait list, each of UUID'
)
DISABLED = (
    'why: openstack compute service list --long; to have it take guests '
    'again: openstack compute service set --enable HOST nova-compute'
)
FILTERS = {
    'ComputeFilter': 'openstack compute service list --service nova-compute '
    'says which is down or disabled',
}

#: Whether the nova-compute that a server leaves has to be up.
_UP = {'live-migrate': True, 'evacuate': False}

#: The guide's "Troubleshoot Xen with libvirt", in its order.
LOGS = (
    'If it then fails on the host, see there: /var/log/libvirt/libxl/ '
    "(libvirt's Xen driver; a file for each guest), /var/log/xen/ (Xen's "
    'tools; qemu-dm-*.log of the device models of HVM guests), and the log '
    'of nova-compute.'
)


#: How many hosts a sentence names.
_NAMED = 10


def of_server(instance: ty.Any, operation: str, source: ty.Any) -> list[str]:
    """What nova would say to the operation before it asks its scheduler.

    :param instance: its nova Instance.
    :param operation: what it is to be explained for.
    :param source: the nova HostState of its host, None if unknown.
    """
    found = []
    if operation in _UP and source is not None:
        up = servicegroup.API().service_is_up(source.service)
        if up != _UP[operation]:
            found.append(
                'nova-compute on %s is %s: nova refuses to %s from there.'
                % (source.host, 'up' if up else 'down', operation)
            )
    if operation == 'live-migrate' and instance.power_state not in (
        power_state.RUNNING,
        power_state.PAUSED,
    ):
        found.append(
            'The server is not running: nova refuses to live-migrate.'
        )
    if instance.task_state == task_states.MIGRATING:
        found.append(
            'The server is MIGRATING. If openstack server migration list '
            'shows none that runs, it is stuck: below libvirt 1.3.1 the '
            'thread that watches a migration crashes and leaves it so, unless '
            "libvirt's commits ad71665 and b7b4391 were backported. See with "
            'virsh list on both hosts where the guest runs, then: openstack '
            'server set --state active %s' % instance.uuid
        )
    elif instance.task_state is not None and operation != 'boot':
        found.append(
            'The server is busy (task_state %s): nova would refuse another '
            'operation until it is done.' % instance.task_state
        )
    return found


def of_live_migration(source: ty.Any, states: list[ty.Any]) -> list[str]:
    """Hosts that nova's conductor passes over once the scheduler chose them.

    It compares hypervisors after the scheduler, and asks the scheduler again.

    :param source: the nova HostState of the server's host, None if unknown.
    :param states: the HostStates that are left.
    """
    if source is None:
        return []
    kind, version = source.hypervisor_type, source.hypervisor_version or 0
    other = [s.host for s in states if s.hypervisor_type != kind]
    older = [
        s.host
        for s in states
        if s.hypervisor_type == kind and (s.hypervisor_version or 0) < version
    ]
    return [
        "nova's conductor passes over these, as their hypervisor is %s that "
        'of %s: %s.' % (what, source.host, tables.listed(hosts, _NAMED))
        for hosts, what in (
            (other, 'another one than'),
            (older, 'older than'),
        )
        if hosts
    ]
