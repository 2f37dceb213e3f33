# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""Where to look when a host was chosen and it still fails."""

from __future__ import annotations

from typing import Any

from nova.compute import task_states

#: The guide's "Troubleshoot Xen with libvirt", in its order.
LOGS = (
    'If it then fails on the host, see there: /var/log/libvirt/libxl/ '
    "(libvirt's Xen driver; a file for each guest), /var/log/xen/ (Xen's "
    'tools; qemu-dm-*.log of the device models of HVM guests), and the log '
    'of nova-compute.'
)


def of_server(instance: Any, operation: str) -> list[str]:
    """What the state of a server says about the operation.

    :param instance: its nova Instance.
    :param operation: what it is to be explained for.
    """
    found = []
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


def of_live_migration(source: Any, states: list[Any]) -> list[str]:
    """Hosts that nova's conductor passes over once the scheduler chose them.

    It compares hypervisors after the scheduler, and asks the scheduler again.

    :param source: the nova HostState of the server's host, None if unknown.
    :param states: the HostStates that are left.
    """
    if source is None:
        return []
    other = [
        s.host for s in states if s.hypervisor_type != source.hypervisor_type
    ]
    older = [
        s.host
        for s in states
        if s.hypervisor_type == source.hypervisor_type
        and (s.hypervisor_version or 0) < (source.hypervisor_version or 0)
    ]
    found = []
    for hosts, why in (
        (other, 'their hypervisor is another one than that of %s'),
        (older, 'their hypervisor is older than that of %s'),
    ):
        if hosts:
            found.append(
                "nova's conductor passes over these, as %s: %s."
                % (why % source.host, ', '.join(hosts))
            )
    return found
