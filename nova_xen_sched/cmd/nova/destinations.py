# SPDX-License-Identifier: Apache-2.0

"""Where nova would take guests, judged once for guests whose requests are
alike: by its request filters, by placement and by its enabled filters.
"""

from __future__ import annotations

import dataclasses
import json
import typing as ty

import nova.conf

from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd.nova import left_out
from nova_xen_sched.cmd.nova import placement
from nova_xen_sched.cmd.nova import refused
from nova_xen_sched.cmd.nova import request_spec
from nova_xen_sched.cmd.nova.causes import Found
from nova_xen_sched.cmd.nova.scheduler import Cloud
from nova_xen_sched.cmd.nova.scheduler import Server
from nova_xen_sched.cmd.nova.xen_hosts import ComputeHost
from nova_xen_sched.cmd.nova.xen_hosts import name_of
from nova_xen_sched.planner.cloud import Destinations
from nova_xen_sched.planner.cloud import Operation
from nova_xen_sched.request import Kind

CONF = nova.conf.CONF

#: As explain calls each operation, and what kind of request it is.
OPERATIONS: ty.Mapping[Operation, ty.Tuple[str, Kind]] = {
    Operation.LIVE: ('live-migrate', Kind.LIVE_MIGRATION),
    Operation.COLD: ('cold-migrate', Kind.MOVE),
    Operation.EVACUATE: ('evacuate', Kind.EVACUATION),
}
#: Fields of a RequestSpec that make the request of one server that server's
#: alone: hints and groups name others, devices are its own.
_OWN = ('scheduler_hints', 'requested_resources')
#: Filters of nova's that look at whose server it is, and at its image's id.
_BY_PROJECT = {'AggregateMultiTenancyIsolation', 'IsolatedHostsFilter'}


class Judged:
    """What nova says of requests that are alike, remembered.

    :param hosts: the Xen hosts that may be destinations.
    :param kept_up: of their HostStates.
    """

    def __init__(
        self,
        cloud: Cloud,
        hosts: ty.Sequence[ComputeHost],
        kept_up: ty.Callable[[], None],
    ) -> None:
        self._cloud = cloud
        self._states = [each.state for each in hosts]
        self._kept_up = kept_up
        self._known: dict[ty.Any, Destinations] = {}
        #: What is left of all providers that a guest may book from.
        self.free: dict[str, dict[str, float]] = {}
        # nova's own others look at neither.
        self._per_project = (
            CONF.scheduler.limit_tenants_to_placement_aggregate
            or any(
                type(each).__name__ in _BY_PROJECT
                or type(each).__module__.split('.')[0]
                not in ('nova', 'nova_xen_sched')
                for each in cloud.filters
            )
        )

    def destinations(
        self, server: Server, operation: Operation
    ) -> Destinations:
        """Where a server may go from its host.

        :raises errors.Failure: if placement can't be asked, or a filter
            fails.
        """
        key = operation, self._key(server)
        if key not in self._known:
            self._known[key] = self._judge(server, operation)
        return self._known[key]

    def _key(self, server: Server) -> str:
        """Servers of one key have requests that are alike."""
        spec = server.request_spec
        flavor, image = spec.flavor, spec.image
        own = {n: getattr(spec, n) for n in _OWN if n in spec}
        group = spec.instance_group if 'instance_group' in spec else None
        if group:
            # Of its members those on one host are alike.
            hints = own.get('scheduler_hints') or {}
            own['scheduler_hints'] = {
                n: hints[n] for n in hints if n != 'group'
            }
        pci = spec.pci_requests
        whole = [
            server.cell.uuid,
            [flavor.name, flavor.memory_mb, flavor.vcpus, flavor.root_gb],
            [flavor.ephemeral_gb, flavor.swap, flavor.extra_specs],
            image and [image.disk_format if 'disk_format' in image else ''],
            image and image.properties.obj_to_primitive(),
            spec.is_bfv,
            spec.availability_zone,
            spec.numa_topology and spec.numa_topology.obj_to_primitive(),
            group and [group.uuid, server.instance.host],
            (any(own.values()) or (pci and pci.requests))
            and server.instance.uuid,
        ]
        if self._per_project:
            whole += [
                spec.project_id,
                spec.user_id,
                image and 'id' in image and image.id,
            ]
        return json.dumps(whole, sort_keys=True, default=str)

    def _judge(self, server: Server, operation: Operation) -> Destinations:
        try:
            spec = request(self._cloud, server, operation)
        except errors.Refused as e:
            # As of a server group whose filter is not enabled.
            names = map(name_of, self._states)
            return Destinations({}, dict.fromkeys(names, str(e).rstrip('.')))
        # Guests alike leave other hosts; a planner knows which.
        spec.ignore_hosts = []
        self._kept_up()
        cloud, states = self._cloud, self._states
        found = placement.candidates(
            cloud.context, spec, cloud.host_manager, every=True
        )
        ways = {
            name_of(state): [
                _amounts(each) for each in found.by_provider[state.uuid]
            ]
            for state in states
            if state.uuid in found.by_provider
        }
        for uuid, each in found.summaries.items():
            self.free.setdefault(
                uuid,
                {
                    resource: stock['capacity'] - stock['used']
                    for resource, stock in each['resources'].items()
                },
            )
        causes: dict[int, Found] = {}
        why: dict[str, str] = {}
        possible = [s for s in states if s.uuid in found.by_provider]
        for state in possible:
            placement.attach(state, found)
        if len(possible) < len(states):
            for step in left_out.by_placement(
                cloud, spec, states, found, causes
            ):
                for state in step.refused:
                    known = causes.get(id(state), Found((), {}))
                    name = name_of(state)
                    way = _when_free(state.uuid, found, known)
                    if way:
                        # It is full now; a plan may change that.
                        ways[name] = [way]
                        placement.attach(state, None)
                        possible.append(state)
                    else:
                        why[name] = refused.by_step(
                            step.name, step.why, known
                        ).why
        for name, each in refused.by_filters(cloud, possible, spec).items():
            why[name] = each.why
        cell = server.cell
        for state in states:
            if state.cell_uuid != cell.uuid:
                why[name_of(state)] = 'it is in another cell'
        return Destinations(
            {name: each for name, each in ways.items() if name not in why},
            why,
        )


def request(cloud: Cloud, server: Server, operation: Operation) -> ty.Any:
    """The nova RequestSpec of moving a server; its stored one stays.

    :raises errors.Failure: if nova can make none.
    """
    apart = dataclasses.replace(
        server, request_spec=server.request_spec.obj_clone()
    )
    return request_spec.of_server(cloud, apart, *OPERATIONS[operation])


def _when_free(
    uuid: str, found: placement.Candidates, known: Found
) -> dict[str, dict[str, float]] | None:
    """What placement would book of a host that is full, once it isn't.

    :param uuid: of its provider.
    :param known: why it is left out.
    :returns: None if it never would: for another reason, or because one
        guest may not take so much of it.
    """
    if any(e.code != 'resource' or e.per_guest for e in known.causes):
        return None
    stock = placement.inventories(uuid) or {}
    for name, amount in found.resources.items():
        # What a host has none of it may share, which isn't known here.
        if name not in stock or not (
            stock[name]['min_unit'] <= amount <= stock[name]['max_unit']
        ):
            return None
    return {uuid: dict(found.resources)}


def booked(
    providers: ty.Collection[str],
    step: ty.Callable[[], None],
) -> tuple[
    dict[str, dict[str, dict[str, float]]], dict[str, dict[str, float]]
]:
    """What placement has booked of providers, and what is left of each.

    :param providers: UUIDs.
    :param step: is called after each.
    :returns: by consumer and provider, amounts of resource classes; and by
        provider what is left, below 0 where it is over-full.
    :raises errors.Failure: if placement can't be asked.
    """
    holds: dict[str, dict[str, dict[str, float]]] = {}
    free: dict[str, dict[str, float]] = {}
    for uuid in providers:
        left = free[uuid] = {
            name: int(
                (each['total'] - each['reserved']) * each['allocation_ratio']
            )
            for name, each in (placement.inventories(uuid) or {}).items()
        }
        path = '/resource_providers/%s/allocations' % uuid
        found = placement.get(path) or {'allocations': {}}
        for consumer, each in found['allocations'].items():
            amounts = each['resources']
            holds.setdefault(consumer, {})[uuid] = amounts
            for name, amount in amounts.items():
                left[name] = left.get(name, 0) - amount
        step()
    return holds, free


def sharing() -> list[str]:
    """The UUIDs of providers that hosts share, as of storage.

    :raises errors.Failure: if placement can't be asked.
    """
    found = placement.get(
        '/resource_providers?required=MISC_SHARES_VIA_AGGREGATE', '1.18'
    )
    return [
        each['uuid'] for each in (found or {}).get('resource_providers', ())
    ]


def _amounts(way: ty.Any) -> dict[str, dict[str, float]]:
    """What an allocation request of placement's books."""
    return {
        provider: dict(each['resources'])
        for provider, each in way['allocations'].items()
    }
