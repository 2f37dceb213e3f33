# SPDX-License-Identifier: Apache-2.0

"""Hosts as they are once a guest is there: copies of nova's HostStates.

nova counts the guests of one request by HostState.consume_from_request(), and
those of earlier requests by what the computes report. Here each guest is one
of an earlier request, so that both are done.
"""

from __future__ import annotations

import copy
import typing as ty

from nova import objects
import nova.conf
from oslo_utils import uuidutils

from nova_xen_sched import conf
from nova_xen_sched import facts
from nova_xen_sched import request
from nova_xen_sched.load import mode_of

CONF = nova.conf.CONF


def copied(state: ty.Any) -> ty.Any:
    """A nova HostState that can be changed while another stays as it is."""
    found = copy.copy(state)
    found.stats = dict(getattr(state, 'stats', {}))
    found.instances = dict(state.instances or {})
    # nova's filters write to these.
    found.limits = dict(state.limits)
    found.allocation_candidates = []
    found.pci_stats = copy.deepcopy(state.pci_stats)
    found.numa_topology = copy.deepcopy(state.numa_topology)
    return found


def request_for_one(spec: ty.Any) -> ty.Any:
    """A nova RequestSpec for one more guest of a kind."""
    found = spec.obj_clone()
    found.instance_uuid = uuidutils.generate_uuid()
    request.set_kind(found, request.Kind.BOOT)
    return found


class Booking:
    """Puts guests on hosts.

    :param settings: the options of [xen_scheduler].
    """

    def __init__(self, settings: conf.Settings) -> None:
        self._settings = settings
        # What is left of it, in full: what a compute reports is a whole
        # number, and each guest takes a fraction more.
        self._free_mb: dict[int, float] = {}

    def put(
        self, state: ty.Any, spec: ty.Any, vm_mode: str | None, way: ty.Any
    ) -> None:
        """As if a guest were there, built, and reported by its compute.

        :param state: a nova HostState of copied().
        :param spec: a nova RequestSpec of request_for_one().
        :param vm_mode: the guest's; None if its image names none.
        :param way: placement's allocation request of it.
        """
        # nova finds by these which devices a guest has.
        if 'requested_resources' in spec:
            for group in spec.requested_resources or ():
                group.provider_uuids = way['mappings'][group.requester_id]
        io_ops = state.num_io_ops
        state.consume_from_request(spec)
        # Nothing is being built any more, and the last one went well.
        state.num_io_ops = io_ops
        state.failed_builds = 0
        if spec.is_bfv:
            # A volume takes none of the host's disk.
            state.free_disk_mb += spec.root_gb * 1024
        state.stats['num_instances'] = state.num_instances
        self._take_free_memory(state, spec, vm_mode)
        if CONF.filter_scheduler.track_instance_changes:
            state.instances[spec.instance_uuid] = objects.Instance(
                uuid=spec.instance_uuid,
                host=state.host,
                node=state.nodename,
                vm_mode=vm_mode,
                memory_mb=spec.memory_mb,
                vcpus=spec.vcpus,
            )

    def _take_free_memory(
        self, state: ty.Any, spec: ty.Any, vm_mode: str | None
    ) -> None:
        """Less is left of what Xen itself reports."""
        reported = state.stats.get(facts.FREE_MEMORY)
        if reported is None:
            return
        free_mb = self._free_mb.get(id(state))
        if free_mb is None:
            try:
                free_mb = float(facts.parse_natural(reported))
            except ValueError:
                return  # as unknown as ever
        free_mb -= self._settings.dom0_model.overhead.whole_mb(
            mode_of(vm_mode, self._settings), spec.memory_mb, spec.vcpus
        )
        self._free_mb[id(state)] = free_mb
        # Xen never reports less than nothing.
        state.stats[facts.FREE_MEMORY] = max(int(free_mb), 0)
