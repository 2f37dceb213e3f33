# SPDX-License-Identifier: Apache-2.0

"""The servers that have left a host, or are on their way to it."""

from __future__ import annotations

import typing as ty

from nova import exception
from nova import objects
from nova.compute import task_states
from nova.compute import vm_states

from nova_xen_sched.cmd.nova import servers
from nova_xen_sched.cmd.nova import xen_hosts
from nova_xen_sched.cmd.nova.scheduler import Cloud

#: A migration's, while nova is at it: where nova/compute/manager.py and
#: nova/compute/resource_tracker.py set them.
_RUNNING = (
    'queued',
    'accepted',
    'preparing',
    'pre-migrating',
    'migrating',
    'post-migrating',
    'running',
)
_BACK = 'reverting'
#: What nova is at with a server that it moves.
_MOVING = (
    task_states.MIGRATING,
    task_states.RESIZE_PREP,
    task_states.RESIZE_MIGRATING,
    task_states.RESIZE_MIGRATED,
    task_states.RESIZE_FINISH,
    task_states.RESIZE_REVERTING,
    task_states.REBUILDING,
    task_states.REBUILD_BLOCK_DEVICE_MAPPING,
    task_states.REBUILD_SPAWNING,
)


def unconfirmed(
    cloud: Cloud, host: xen_hosts.ComputeHost
) -> list[tuple[str, str, str, str]]:
    """The servers that left a host and may come back until they confirm.

    :returns: of each its UUID and name, the host where it is, and what waits:
        a resize or a migration.
    :raises errors.Failure: if the host's cell can't be read.
    """
    return [
        (
            instance.uuid,
            instance.display_name,
            migration.dest_compute,
            migration.migration_type,
        )
        for instance, migration in _migrations(
            cloud, host, {'source_compute': host.state.host}, ('finished',)
        )
        if instance.vm_state == vm_states.RESIZED
    ]


def arriving(
    cloud: Cloud, host: xen_hosts.ComputeHost, known: ty.Container[str]
) -> list[tuple[str, str, str, str]]:
    """The servers that are being moved to a host, or back to it.

    :param known: the UUIDs of those that were seen there.
    :returns: of each its UUID and name, the host where it is, and how it is
        moved.
    :raises errors.Failure: if the host's cell can't be read.
    """
    return [
        (
            instance.uuid,
            instance.display_name,
            instance.host,
            migration.migration_type,
        )
        for instance, migration in _migrations(
            cloud, host, {'host': host.state.host}, (*_RUNNING, _BACK)
        )
        if host.state.host
        == (
            migration.source_compute
            if migration.status == _BACK
            else migration.dest_compute
        )
        and instance.uuid not in known
        # nova leaves the record behind where a nova-compute died meanwhile.
        and (
            instance.task_state in _MOVING or instance.host == host.state.host
        )
    ]


def _migrations(
    cloud: Cloud,
    host: xen_hosts.ComputeHost,
    filters: dict[str, ty.Any],
    statuses: ty.Sequence[str],
) -> list[tuple[ty.Any, ty.Any]]:
    """Migrations, each with its instance, which is read first."""
    cell = cloud.host_manager.cells[host.state.cell_uuid]
    found = []
    with servers.reading(cloud.context, cell) as context:
        for migration in objects.MigrationList.get_by_filters(
            context, {**filters, 'status': list(statuses)}
        ):
            try:
                instance = objects.Instance.get_by_uuid(
                    context, migration.instance_uuid, expected_attrs=[]
                )
            except exception.InstanceNotFound:
                # It was deleted meanwhile, or while the host was down.
                continue
            found.append((instance, migration))
    return found
