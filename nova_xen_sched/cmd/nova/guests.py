# SPDX-License-Identifier: Apache-2.0

"""The guests of Xen hosts, and where nova would take each: what plans need.

Guests whose requests are alike are judged once, by placement and by nova's
enabled filters, on all Xen hosts as they are now.
"""

from __future__ import annotations

import dataclasses
import typing as ty

from nova import exception
from nova import objects
from nova.compute import vm_states
import nova.conf

from nova_xen_sched import conf
from nova_xen_sched import load
from nova_xen_sched.cmd.nova import configuration
from nova_xen_sched.cmd.nova import destinations
from nova_xen_sched.cmd.nova import failures
from nova_xen_sched.cmd.nova import flavor_and_image
from nova_xen_sched.cmd.nova import preconditions
from nova_xen_sched.cmd.nova import servers
from nova_xen_sched.cmd.nova import xen_hosts
from nova_xen_sched.cmd.nova.kept_up import KeptUp
from nova_xen_sched.cmd.nova.scheduler import Cloud
from nova_xen_sched.cmd.nova.scheduler import Server
from nova_xen_sched.cmd.progress import Progress
from nova_xen_sched.planner import cloud as planned
from nova_xen_sched.planner.cloud import Operation

CONF = nova.conf.CONF

#: nova's own placement of this release and later lets a guest go that holds
#: something of a provider that is over-full: placement 14.0.0 does ("Fix
#: placement allocate while over-capacity"), which came with it.
_LETS_GO = 32

_LOCKED = 'it is locked (--include-locked moves it, too)'
_LOCAL = (
    'it has a disk on its host, and block migration fails on Xen '
    '(--shared-storage, if instances_path is shared)'
)
_PCI = 'it has a PCI device of its flavor, with which nova live-migrates none'
_NO_REQUEST = 'nova has no stored request of it'


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What is read of guests, and which of them may be moved.

    :ivar operations: how they may be moved.
    :ivar shared_storage: whether all hosts share the disks of guests.
    :ivar include_locked: whether locked guests are moved, too.
    """

    operations: tuple[Operation, ...] = (Operation.LIVE, Operation.COLD)
    shared_storage: bool = False
    include_locked: bool = False


@dataclasses.dataclass(frozen=True)
class Guests:
    """What was read.

    :ivar cloud: for a planner.
    :ivar hosts: the Xen hosts, by name.
    :ivar servers: of the guests, by UUID; without those of which nova has no
        stored request.
    :ivar local: the UUIDs of those whose data is on their host.
    :ivar kept_up: is called before hosts are judged.
    """

    cloud: planned.Cloud
    hosts: dict[str, xen_hosts.ComputeHost]
    servers: dict[str, Server]
    local: frozenset[str]
    kept_up: KeptUp


def read(cloud: Cloud, wanted: Wanted) -> Guests:
    """The guests of all Xen hosts.

    :raises errors.Failure: if nova's databases or placement can't be read.
    """
    with Progress('Reading hosts'):
        states = cloud.host_states()
    settings = xen_hosts.settings()
    kept_up = KeptUp(states)
    hosts = {h.name: h for h in xen_hosts.read(states) if h.host.is_xen}
    found = _servers(cloud, hosts)
    shared = destinations.sharing()
    providers = [str(each.state.uuid) for each in hosts.values()] + shared
    with Progress('Asking placement', len(providers)) as progress:
        holds, free = destinations.booked(providers, progress.step)
    judged = destinations.Judged(cloud, list(hosts.values()), kept_up)
    guests, local = [], set()
    with Progress('Asking where guests may go', len(found)) as progress:
        for name, server in found:
            host, uuid = hosts[name], server.instance.uuid
            kept_up()
            held = holds.get(uuid, {})
            on_host = not (
                wanted.shared_storage or _is_shared(server, held, shared)
            )
            if on_host and _has_data(server):
                local.add(uuid)
            refused = {
                operation: why
                for operation in wanted.operations
                for why in [_why_not(server, operation, host, wanted)]
                if why
            }
            if on_host and Operation.LIVE in wanted.operations:
                refused.setdefault(Operation.LIVE, _LOCAL)
            guests.append(
                planned.Guest(
                    uuid,
                    server.instance.display_name or uuid,
                    name,
                    _mode(host, server.instance, settings),
                    server.instance.memory_mb,
                    server.instance.vcpus,
                    held,
                    {
                        operation: judged.destinations(server, operation)
                        for operation in wanted.operations
                        if operation not in refused
                    },
                    refused,
                    _group(server.request_spec),
                    server.instance.vm_state == vm_states.PAUSED,
                )
            )
            progress.step()
    return Guests(
        planned.Cloud(
            settings.dom0_model,
            {name: _host(name, each) for name, each in hosts.items()},
            guests,
            {**judged.free, **free},
            configuration.release() >= _LETS_GO,
        ),
        hosts,
        {server.instance.uuid: server for _, server in found},
        frozenset(local),
        kept_up,
    )


def _servers(
    cloud: Cloud, hosts: ty.Mapping[str, xen_hosts.ComputeHost]
) -> list[tuple[str, Server]]:
    """The servers of hosts, with the names of these."""
    found = []
    with Progress("Reading hosts' guests", len(hosts)) as progress:
        for name, host in hosts.items():
            cell = cloud.host_manager.cells[host.state.cell_uuid]
            for instance in servers.on_host(
                cloud.context, cell, host.state.host
            ):
                if instance.node in (None, host.state.nodename):
                    spec = _stored_request(cloud, instance.uuid)
                    server = Server(instance, spec, cell)
                    # Requests of before nova 19 don't say so.
                    if spec is not None and 'is_bfv' not in spec:
                        spec.is_bfv = flavor_and_image.is_volume_backed(
                            cloud, server
                        )
                    found.append((name, server))
            progress.step()
    return found


def _stored_request(cloud: Cloud, uuid: str) -> ty.Any:
    with failures.reading(failures.API_DATABASE):
        try:
            return objects.RequestSpec.get_by_instance_uuid(
                cloud.context, uuid
            )
        except exception.RequestSpecNotFound:
            return None


def _is_shared(
    server: Server,
    holds: ty.Mapping[str, ty.Mapping[str, float]],
    shared: ty.Collection[str],
) -> bool:
    """Whether a guest has no disk of its own on its host."""
    if any('DISK_GB' in holds.get(uuid, {}) for uuid in shared):
        return True
    flavor = server.instance.flavor
    return _of_volume(server) and not (
        flavor.ephemeral_gb or flavor.swap or server.instance.config_drive
    )


def _of_volume(server: Server) -> bool:
    """Whether the root disk of a guest is a volume."""
    return bool(server.request_spec and server.request_spec.is_bfv)


def _has_data(server: Server) -> bool:
    """Whether a guest has data on a disk that is no volume."""
    return not _of_volume(server) or bool(server.instance.flavor.ephemeral_gb)


def _why_not(
    server: Server,
    operation: Operation,
    host: xen_hosts.ComputeHost,
    wanted: Wanted,
) -> str:
    """Why nova, or the operator, refuses an operation; '' if neither does."""
    if server.request_spec is None:
        return _NO_REQUEST
    if server.instance.locked and not wanted.include_locked:
        return _LOCKED
    pci = server.request_spec.pci_requests
    if operation is Operation.LIVE and any(
        each.source != each.NEUTRON_PORT
        # Of later novas.
        and not ('is_live_migratable' in each and each.is_live_migratable)
        for each in (pci.requests if pci else ())
    ):
        return _PCI
    asked, _ = destinations.OPERATIONS[operation]
    # A host that fails is up now.
    source = None if operation is Operation.EVACUATE else host.state
    for refusal in preconditions.refusals(server.instance, asked, source):
        return str(refusal).rstrip('.')
    return ''


def _mode(
    host: xen_hosts.ComputeHost, instance: ty.Any, settings: conf.Settings
) -> str | None:
    """The mode of a guest as the load of its host counts it."""
    if (
        # Else nova knows them by their UUIDs alone.
        not CONF.filter_scheduler.track_instance_changes
        or instance.uuid not in host.state.instances
    ):
        return None
    return load.known_mode(instance.vm_mode, settings)


def _host(name: str, host: xen_hosts.ComputeHost) -> planned.Host:
    assert host.load is not None  # noqa: S101  a Xen host
    version = host.state.hypervisor_version or 0
    # Of later novas.
    if getattr(CONF.workarounds, 'skip_hypervisor_version_check_on_lm', False):
        version = 0
    return planned.Host(name, host.load, version)


def _group(spec: ty.Any) -> planned.Group | None:
    """The server group of a server, if nova enforces it."""
    group = spec.instance_group if spec and 'instance_group' in spec else None
    if group is None or group.policy not in ('affinity', 'anti-affinity'):
        return None
    most = None
    if group.policy == 'anti-affinity':
        most = int((group.rules or {}).get('max_server_per_host') or 1)
    return planned.Group(group.uuid, most)
