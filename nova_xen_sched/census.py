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

"""Which guests a host serves: a HostState as the dom0 model needs it.

nova's objects are shared with other requests and change while they are read.
Nothing here loads anything from the database.
"""

from __future__ import annotations

from typing import Any

from nova_xen_sched import conf
from nova_xen_sched import dom0
from nova_xen_sched.facts.gather import HostFacts
from nova_xen_sched.guest import GuestRequest

#: The facts that matter for it.
FACTS = frozenset({'dom0_memory_mb', 'dom0_vcpus', 'reserved_host_memory_mb'})

#: nova's vm_mode -> the model's mode. nova knows no PVH; a patched one may.
_MODES = {'hvm': 'hvm', 'xen': 'pv', 'pv': 'pv', 'xenpvh': 'pvh', 'pvh': 'pvh'}

#: What obj_attr_is_set and the getter do, 25 times as fast: where nova's
#: objects keep a loaded field. A stub, which would ask the database, has
#: none.
_LOADED_MODE = '_obj_vm_mode'


class _NotLoaded:
    """Stands for the mode of a stub."""


def default_mode(settings: conf.Settings) -> str:
    """The mode of a guest whose vm_mode is not set, as it is built."""
    return 'hvm' if settings.default_vm_mode == 'hvm' else 'pv'


def mode_of(vm_mode: str | None, settings: conf.Settings) -> str:
    """The model's mode for nova's vm_mode."""
    if vm_mode is None:
        return default_mode(settings)
    return _MODES.get(vm_mode, default_mode(settings))


class Census:
    """Reads the load of hosts during one request.

    :param settings: the options of this request.
    :param request: the guest that is asked for.
    :param reserved_mb: the scheduler's own reserved_host_memory_mb, for hosts
        for which no fact says theirs.
    """

    def __init__(
        self,
        settings: conf.Settings,
        request: GuestRequest,
        reserved_mb: int,
    ) -> None:
        self._settings = settings
        self._default = default_mode(settings)
        self._memory_mb = request.memory_mb
        self._vcpus = request.vcpus
        self._mode = mode_of(request.vm_mode, settings)
        self._reserved_mb = reserved_mb
        self._sizes: dict[HostFacts, tuple[float, float, float]] = {}

    def __call__(
        self, state: Any, facts: HostFacts, average: bool = False
    ) -> dom0.Load:
        """The load of a Xen host with the guest placed.

        It is one long function because a weigher calls it for every host.

        :param state: its nova HostState.
        :param facts: what is known of it.
        :param average: for comparing hosts: where the host's mix is an
            average, so is the guest, instead of its own mode. Judging by its
            own need piles HVM guests onto large dom0s then.
        """
        sizes = self._sizes.get(facts)
        if sizes is None:
            sizes = self._sizes[facts] = self._read(facts)
        dom0_memory_mb, dom0_vcpus, reserved_mb = sizes
        memory_mb = state.total_usable_ram_mb
        if dom0_memory_mb > memory_mb > 0:
            # Nonsense; it is not known.
            dom0_memory_mb = self._settings.dom0_memory_mb
        taken_mb = memory_mb - reserved_mb - state.free_ram_mb
        if taken_mb < 0:
            taken_mb = 0

        # num_instances counts those placed by this very request, which have
        # its mode; the stats have what the compute last reported.
        try:
            reported = int(state.stats['num_instances'])
        except (AttributeError, KeyError):
            reported = 0
        hvm = pv = pvh = 0
        if state.instances:
            hvm, pv, pvh = self._known(state.instances)
        # nova may track more guests than were reported yet.
        unknown = reported - hvm - pv - pvh
        if unknown < 0:
            unknown = 0
        new = state.num_instances - reported
        if new < 0:
            new = 0
        if average and unknown:
            unknown += 1
        else:
            new += 1
        if self._mode == 'hvm':
            hvm += new
        elif self._mode == 'pv':
            pv += new
        else:
            pvh += new

        # A third of the time that Load() takes.
        return tuple.__new__(
            dom0.Load,
            (
                memory_mb,
                dom0_memory_mb,
                dom0_vcpus,
                hvm,
                pv,
                pvh,
                unknown,
                taken_mb + self._memory_mb,
                state.vcpus_used + self._vcpus,
            ),
        )

    def _known(self, instances: Any) -> tuple[int, int, int]:
        """How many guests are known to be HVM, PV and PVH."""
        # The live dict, which other threads change: a copy of it.
        modes = [
            loaded.get(_LOADED_MODE, _NotLoaded)
            for loaded in map(vars, list(instances.values()))
        ]
        hvm = modes.count('hvm')
        pv = modes.count('xen')
        unset = modes.count(None)
        pvh = 0
        if len(modes) > hvm + pv + unset:
            pvh = modes.count('xenpvh') + modes.count('pvh')
        if self._default == 'hvm':
            return hvm + unset, pv, pvh
        return hvm, pv + unset, pvh

    def _read(self, facts: HostFacts) -> tuple[float, float, float]:
        memory = facts.get('dom0_memory_mb')
        vcpus = facts.get('dom0_vcpus')
        reserved = facts.get('reserved_host_memory_mb')
        return (
            memory.value if memory else self._settings.dom0_memory_mb,
            vcpus.value if vcpus else self._settings.dom0_vcpus,
            reserved.value if reserved else self._reserved_mb,
        )
