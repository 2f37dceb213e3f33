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
from typing import Iterator
from typing import Mapping
from typing import Sequence

from nova_xen_sched import conf
from nova_xen_sched import dom0
from nova_xen_sched import facts
from nova_xen_sched import headroom
from nova_xen_sched import loaded
from nova_xen_sched import notices
from nova_xen_sched import serving
from nova_xen_sched.facts import FREE_MEMORY
from nova_xen_sched.facts.gather import HostFacts
from nova_xen_sched.guest import GuestRequest

#: The facts that matter for it.
FACTS = frozenset({'dom0_memory_mb', 'dom0_vcpus', 'reserved_host_memory_mb'})

#: vm_mode -> the model's mode, with the other names that nova's VMMode takes.
#: nova knows no PVH; a patched one may.
_MODES = {
    'hvm': 'hvm',
    'hv': 'hvm',
    'baremetal': 'hvm',
    'xen': 'pv',
    'pv': 'pv',
    'xenpvh': 'pvh',
    'pvh': 'pvh',
}

_TOO_LARGE = (
    'dom0 sizes that are no smaller than the host, which count as unknown'
)
_UNEXPLAINED = (
    "Hosts whose used RAM is more than their guests' and this "
    "nova-scheduler's reserved_host_memory_mb explain. Their nova-compute may "
    'keep more than that, so that dom0 is counted twice: state the fact '
    'reserved_host_memory_mb (nova-xen-sched facts publish does)'
)

_NO_STATS: Mapping[str, str] = {}


def default_mode(settings: conf.Settings) -> str:
    """The mode of a guest whose vm_mode is not set, as it is built."""
    return 'hvm' if settings.default_vm_mode == 'hvm' else 'pv'


def mode_of(vm_mode: str | None, settings: conf.Settings) -> str:
    """The model's mode for nova's vm_mode."""
    if vm_mode is None:
        return default_mode(settings)
    return _MODES.get(vm_mode.lower(), default_mode(settings))


class Census:
    """Reads the load of hosts during one request.

    :param settings: the options of this request.
    :param request: the guest that is asked for.
    :param reserved_mb: the scheduler's own reserved_host_memory_mb, for hosts
        for which no fact says theirs.
    :param tracked: whether nova-scheduler knows the guests of its hosts one
        by one, by its option track_instance_changes.
    """

    def __init__(
        self,
        settings: conf.Settings,
        request: GuestRequest,
        reserved_mb: int,
        tracked: bool = True,
    ) -> None:
        self._settings = settings
        self._uuid = request.instance_uuid
        self._default = default_mode(settings)
        self._memory_mb = request.memory_mb
        self._vcpus = request.vcpus
        mode = mode_of(request.vm_mode, settings)
        self._reserved_mb = reserved_mb
        # What to warn of, by host or place.
        self._unreadable: dict[str, str] = {}
        self._too_large: dict[str, str] = {}
        self._unexplained: dict[str, str] = {}
        # By whether hosts are compared.
        self._serving = (
            serving.Serving(settings, mode, False),
            serving.Serving(settings, mode, True, tracked),
        )
        # What Xen has to have left for the guest, MiB.
        self._needed_mb = settings.dom0_model.overhead.whole_mb(
            mode, request.memory_mb, request.vcpus
        )

    def __call__(
        self, state: Any, facts: HostFacts, average: bool = False
    ) -> dom0.Load:
        """The load of one Xen host, as apart() has it."""
        (load,) = self.apart((state,), (facts,), average)
        return headroom.together(*load)

    def apart(
        self,
        states: Sequence[Any],
        facts: Sequence[HostFacts],
        average: bool = False,
    ) -> Iterator[headroom.Apart]:
        """The load of each Xen host with the guest placed, in its two parts.

        :param states: their nova HostStates.
        :param facts: what is known of each.
        :param average: for comparing hosts: where the host's mix is an
            average, so is the guest, instead of its own mode. Judging by its
            own need piles HVM guests onto large dom0s then. Where nova tracks
            no guests it is so on empty hosts too.
        """
        serves_of = self._serving[average]
        asked_mb, asked_vcpus = self._memory_mb, self._vcpus
        for state, known in zip(states, facts):
            # A node that never reported has no stats.
            stats = getattr(state, 'stats', _NO_STATS)
            mix = None
            if state.instances:
                mix = self._mix(state.instances)
            serves, reserved_mb, placed = serves_of[
                known, stats.get('num_instances'), state.num_instances, mix
            ]
            memory_mb = state.total_usable_ram_mb
            # A dom0 as large as its host, or larger, is nonsense (or one that
            # was given no size, which is none either): it is not known.
            if serves[0] >= memory_mb > 0:
                serves = self._doubted(state, serves)
            taken_mb = self._taken_mb(state, reserved_mb, placed)
            free_mb = stats.get(FREE_MEMORY)
            if free_mb is not None:
                free_mb = self._free_mb(state, free_mb, placed)
            yield (
                serves,
                memory_mb,
                taken_mb + asked_mb,
                state.vcpus_used + asked_vcpus,
                free_mb,
            )
        self._warn()

    def _warn(self) -> None:
        """One line of each kind of oddity, whatever the number of hosts."""
        notices.unreadable('stats', self._unreadable)
        for what, hosts in (
            (_TOO_LARGE, self._too_large),
            (_UNEXPLAINED, self._unexplained),
        ):
            if hosts:
                notices.warn_of(what, what, hosts)

    def _doubted(self, state: Any, serves: headroom.Serves) -> headroom.Serves:
        """The same with the default for a dom0 that its host can't hold."""
        default = self._settings.dom0_memory_mb
        if serves[0] != default:
            self._too_large[state.host] = 'dom0_memory_mb=%s of %s' % (
                notices.shown(serves[0]),
                state.host,
            )
        return (default, *serves[1:])

    def _taken_mb(
        self, state: Any, reserved_mb: float | None, placed: int
    ) -> float:
        """What guests take of the host's RAM by nova's count, MiB.

        nova takes the compute's own reserve off the free memory, and doesn't
        say how much that is.

        :param reserved_mb: what a fact says of it, None if none does.
        :param placed: guests of this request that are placed there already.
        """
        used_mb: float = state.total_usable_ram_mb - state.free_ram_mb
        guests = state.instances or ()
        placed_vcpus = placed * self._vcpus
        if (
            state.num_instances == placed
            and len(guests) <= placed
            # No migration comes or goes, and no resize is to be confirmed.
            and state.vcpus_used == placed_vcpus
        ):
            # All else is the reserve, whatever is said of it.
            return placed * self._memory_mb
        if reserved_mb is None:
            reserved_mb = self._reserved_mb
            if guests and not placed and used_mb > reserved_mb:
                self._suspect(state, used_mb - reserved_mb)
        return max(used_mb - reserved_mb, 0)

    def _suspect(self, state: Any, taken_mb: float) -> None:
        """Warn of a host that seems to keep more than is known.

        It is no more than a suspicion, and never counted: a migration or a
        resize that is to be confirmed would look alike, were it not for its
        vCPUs.

        :param taken_mb: what its guests take by nova's count, MiB.
        """
        guests = list(state.instances.values())
        vcpus = loaded.values(guests, 'vcpus')
        # Stubs among them tell nothing; these may be more than the guests.
        if len(vcpus) < len(guests) or sum(vcpus) != state.vcpus_used:
            return
        own_mb = loaded.values(guests, 'memory_mb')
        if len(own_mb) < len(guests) or sum(own_mb) >= taken_mb:
            return
        self._unexplained[state.host] = '%s by %d MiB' % (
            state.host,
            taken_mb - sum(own_mb),
        )

    def _free_mb(self, state: Any, raw: Any, placed: int) -> float | None:
        """What Xen has left with the guest placed; None if it can't be read.

        :param state: the host's nova HostState.
        :param raw: as its compute reports it.
        :param placed: guests of this request that are placed there already.
        """
        try:
            needed_mb = self._needed_mb * (placed + 1)
            return facts.parse_natural(raw) - needed_mb
        except ValueError as e:
            where = '%s of %s' % (FREE_MEMORY, state.host)
            self._unreadable[where] = '%s: %s, %s' % (
                where,
                notices.shown(raw),
                e,
            )
            return None

    def _mix(self, instances: Any) -> serving.Mix:
        """How many guests are known one by one, and whether one comes."""
        # A resize to its own host brings dom0 no other guest.
        return (self._uuid not in instances, *self._known(instances))

    def _known(self, instances: Any) -> tuple[int, int, int]:
        """How many guests are known to be HVM, PV and PVH."""
        # The live dict, which other threads change: a copy of it.
        modes = loaded.values(list(instances.values()), 'vm_mode')
        hvm = modes.count('hvm')
        pv = modes.count('xen')
        if len(modes) == hvm + pv:
            return hvm, pv, 0
        unset = modes.count(None)
        if self._default == 'hvm':
            hvm += unset
        else:
            pv += unset
        # An instance has the image's own words, which may be others.
        others = [
            _MODES.get(mode.lower())
            for mode in modes
            if mode not in (None, 'hvm', 'xen')
        ]
        return (
            hvm + others.count('hvm'),
            pv + others.count('pv'),
            others.count('pvh'),
        )
