# SPDX-License-Identifier: Apache-2.0

"""nova's objects as its weighers want them: nothing that they read is unset.

For clouds that are made up; bench.world makes HostStates of ComputeNodes.
"""

from __future__ import annotations

import typing as ty

from nova import objects
from nova.scheduler import weights

from tests.unit import builders

_NOVAS = 'nova.scheduler.weights.all_weighers'
_OURS = 'nova_xen_sched.weights.all_weighers'


def request(
    memory_mb: int,
    vcpus: int = 1,
    disk_gb: int = 10,
    properties: ty.Mapping[str, str] | None = None,
    uuid: str = builders.UUID,
) -> objects.RequestSpec:
    """A boot.

    :param properties: of the image, as Glance names them.
    """
    return builders.spec(
        properties or {},
        {'disk_format': 'raw'},
        instance_uuid=uuid,
        flavor=objects.Flavor(
            memory_mb=memory_mb,
            vcpus=vcpus,
            root_gb=disk_gb,
            ephemeral_gb=0,
            swap=0,
            extra_specs={},
        ),
        instance_group=None,
        numa_topology=None,
        pci_requests=None,
        availability_zone=None,
        project_id='project',
        num_instances=1,
        is_bfv=False,
        ignore_hosts=None,
        force_hosts=None,
        force_nodes=None,
        requested_destination=None,
        scheduler_hints={},
    )


def host_state(
    name: str,
    memory_mb: int,
    vcpus: int,
    disk_gb: int,
    cpu_ratio: float,
    reserved_mb: int,
    dom0: tuple[int, int] | None,
) -> ty.Any:
    """A HostState without guests.

    :param dom0: its memory, MiB, and its vCPUs, as facts that the compute
        publishes; None for a KVM host.
    """
    stats = {'num_instances': '0'}
    if dom0:
        stats['xen_dom0_memory_mb'], stats['xen_dom0_vcpus'] = map(str, dom0)
    make = builders.state if dom0 else builders.kvm_state
    return make(
        name,
        total_usable_ram_mb=memory_mb,
        free_ram_mb=memory_mb - reserved_mb,
        total_usable_disk_gb=disk_gb,
        free_disk_mb=disk_gb * 1024,
        vcpus_total=vcpus,
        cpu_allocation_ratio=cpu_ratio,
        ram_allocation_ratio=1.0,
        disk_allocation_ratio=1.0,
        metrics=objects.MonitorMetricList(objects=[]),
        stats=stats,
    )


def reported(state: ty.Any) -> None:
    """Its guests are built, and the compute has reported since."""
    state.stats['num_instances'] = str(state.num_instances)
    state.num_io_ops = 0


class Weighing:
    """nova's default weighers, with Dom0HeadroomWeigher or without."""

    def __init__(self, ours: bool) -> None:
        self._handler = weights.HostWeightHandler()
        classes = self._handler.get_matching_classes(
            [_NOVAS, _OURS] if ours else [_NOVAS]
        )
        self._weighers = [each() for each in classes]

    def best(self, states: list[ty.Any], spec: objects.RequestSpec) -> ty.Any:
        """What nova takes with its default host_subset_size of 1."""
        return self._handler.get_weighed_objects(self._weighers, states, spec)[
            0
        ].obj
