# SPDX-License-Identifier: Apache-2.0

"""How loaded a Xen host is: its dom0, and the guests that it serves, by mode.

The guests of nova's HostStates are shared with other requests, and change
while they are read. Nothing here loads anything from the database.
"""

from __future__ import annotations

import contextlib
import functools
import operator
import typing as ty

from nova_xen_sched import conf
from nova_xen_sched import dom0
from nova_xen_sched import facts
from nova_xen_sched import log
from nova_xen_sched.facts.gather import HostFacts
from nova_xen_sched.request import GuestRequest

LOG = log.logger(__name__)

#: The facts that matter for a host's load.
LOAD_FACTS = frozenset(
    {'dom0_memory_mb', 'dom0_vcpus', 'reserved_host_memory_mb'}
)

#: vm_mode -> the dom0 model's mode, with the other names that nova's VMMode
#: takes. nova knows no PVH; a patched one may.
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
    "dom0 sizes that are not smaller than the host's RAM; they count as "
    'unknown'
)
_UNEXPLAINED = (
    "Hosts whose used RAM is more than their guests' and this "
    "nova-scheduler's reserved_host_memory_mb explain. Their nova-compute may "
    'keep more than that, so that dom0 is counted twice: set the fact '
    'reserved_host_memory_mb (nova-xen-sched facts publish does)'
)


def mode_of(vm_mode: str | None, settings: conf.Settings) -> str:
    """The dom0 model's mode for nova's vm_mode; unset, as it is built."""
    known = known_mode(vm_mode, settings)
    return _default_mode(settings) if known is None else known


def known_mode(vm_mode: str | None, settings: conf.Settings) -> str | None:
    """As mode_of(), but None for a word that nova doesn't know.

    A host's guests count so.
    """
    if not vm_mode:
        return _default_mode(settings)
    return _MODES.get(vm_mode.lower())


def _default_mode(settings: conf.Settings) -> str:
    return 'hvm' if settings.default_vm_mode == 'hvm' else 'pv'


class Loads:
    """Reads the load of Xen hosts during one request.

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
        self._request = request
        self._mode = mode_of(request.vm_mode, settings)
        self._reserved_mb = reserved_mb
        self._tracked = tracked
        # What Xen has to have left for the guest, MiB.
        self._needed_mb = settings.dom0_model.overhead.whole_mb(
            self._mode, request.memory_mb, request.vcpus
        )
        #: What was odd.
        self.noticed = log.Noticed()

    def __call__(
        self, state: ty.Any, known: HostFacts, average: bool = False
    ) -> dom0.Load:
        """The load of one Xen host with the guest placed.

        :param state: its nova HostState.
        :param known: its facts.
        :param average: for comparing hosts: where the host's mix is an
            average, so is the guest, instead of its own mode. Judging by its
            own need piles HVM guests onto large dom0s then. Where nova tracks
            no guests it is so on empty hosts too.
        """
        request = self._request
        # A node that never reported has no stats.
        stats = getattr(state, 'stats', {})
        # The live dict, which other threads change: a copy of it.
        guests = dict(state.instances) if state.instances else {}
        modes = self._modes(list(guests.values()))
        # num_instances counts those placed by this very request, which have
        # its mode; the stats have what the compute last reported.
        reported = int(stats.get('num_instances') or 0)
        placed = max(state.num_instances - reported, 0)
        # nova may track more guests than were reported yet.
        unknown = max(reported - sum(modes.values()), 0)
        modes[self._mode] += placed
        # A resize to its own host brings dom0 no other guest.
        if request.instance_uuid not in guests:
            if average and (unknown or not self._tracked):
                unknown += 1
            else:
                modes[self._mode] += 1
        free_mb = stats.get(facts.FREE_MEMORY)
        if free_mb is not None:
            place = '%s of %s' % (facts.FREE_MEMORY, state.host)
            free_mb = self.noticed.read(
                facts.parse_natural, free_mb, 'stats', place
            )
        if free_mb is not None:
            free_mb -= self._needed_mb * (placed + 1)
        taken_mb = self._taken_mb(state, known, guests, placed)
        # In their order: by their names it takes 0.5 us a host more.
        return dom0.Load(
            state.total_usable_ram_mb,
            self._dom0_memory_mb(state, known),
            known.value('dom0_vcpus', self._settings.dom0_vcpus),
            modes['hvm'],
            modes['pv'],
            modes['pvh'],
            unknown,
            taken_mb + request.memory_mb,
            state.vcpus_used + request.vcpus,
            free_mb,
        )

    def _modes(self, guests: list[ty.Any]) -> dict[str, int]:
        """How many guests are known to be HVM, PV and PVH."""
        counts = {'hvm': 0, 'pv': 0, 'pvh': 0}
        modes = _loaded(guests, 'vm_mode') if guests else []
        for vm_mode in set(modes):
            # An instance has the image's own words, which may be others.
            mode = known_mode(vm_mode, self._settings)
            if mode is not None:
                counts[mode] += modes.count(vm_mode)
        return counts

    def _dom0_memory_mb(self, state: ty.Any, known: HostFacts) -> float:
        """dom0's size, or the default for one that its host can't hold."""
        default = self._settings.dom0_memory_mb
        memory_mb: float = known.value('dom0_memory_mb', default)
        if not memory_mb >= state.total_usable_ram_mb > 0:
            return memory_mb
        if memory_mb != default:
            self.noticed.add(
                _TOO_LARGE,
                str(state.host),
                'dom0_memory_mb=%s of %s' % (log.shown(memory_mb), state.host),
            )
        return default

    def _taken_mb(
        self,
        state: ty.Any,
        known: HostFacts,
        guests: ty.Mapping[str, ty.Any],
        placed: int,
    ) -> float:
        """What guests take of the host's RAM by nova's count, MiB.

        nova takes the compute's own reserve off the free memory, and doesn't
        say how much that is.

        :param guests: the nova Instances that are known of.
        :param placed: guests of this request that are placed there already.
        """
        used_mb: float = state.total_usable_ram_mb - state.free_ram_mb
        if (
            state.num_instances == placed
            and len(guests) <= placed
            # No migration comes or goes, and no resize is to be confirmed.
            and state.vcpus_used == placed * self._request.vcpus
        ):
            # All else is the reserve, whatever is said of it.
            return placed * self._request.memory_mb
        reserved_mb = known.value('reserved_host_memory_mb')
        if reserved_mb is not None:
            return max(used_mb - reserved_mb, 0)
        taken_mb = used_mb - self._reserved_mb
        # While most of the RAM is free, it hardly matters.
        if guests and not placed and taken_mb > state.total_usable_ram_mb / 2:
            self._suspect(state, list(guests.values()), taken_mb)
        return max(taken_mb, 0)

    def _suspect(
        self, state: ty.Any, guests: list[ty.Any], taken_mb: float
    ) -> None:
        """Note a host that seems to keep more than is known.

        It is no more than a suspicion, and never counted: a migration or a
        resize that is to be confirmed would look alike, were it not for its
        vCPUs.

        :param taken_mb: what its guests take by nova's count, MiB.
        """
        vcpus = _loaded(guests, 'vcpus')
        own_mb = _loaded(guests, 'memory_mb')
        # Stubs tell nothing, and the known may be fewer than all guests.
        if (
            len(vcpus) == len(own_mb) == len(guests)
            and sum(vcpus) == state.vcpus_used
            and sum(own_mb) < taken_mb
        ):
            self.noticed.add(
                _UNEXPLAINED,
                str(state.host),
                '%s by %d MiB' % (state.host, taken_mb - sum(own_mb)),
            )


#: Where oslo.versionedobjects keeps a loaded field: 25 times as fast as
#: obj_attr_is_set and the getter.
_PRIVATE = '_obj_%s'


def _loaded(guests: list[ty.Any], field: str) -> list[ty.Any]:
    """The values of a field, of guests that have it loaded.

    :param guests: nova Instances.
    """
    name = _PRIVATE % field
    # Of 50 guests in 4 us, not 14; a stub has no such attribute.
    with contextlib.suppress(AttributeError):
        return list(map(operator.attrgetter(name), guests))
    if _kept_as_ever():
        return [each[name] for each in map(vars, guests) if name in each]
    return [
        getattr(each, field) for each in guests if each.obj_attr_is_set(field)
    ]


@functools.lru_cache(maxsize=None)
def _kept_as_ever() -> bool:
    """Whether nova's objects still keep their fields by the private names."""
    from nova import objects

    if _PRIVATE % 'vm_mode' in vars(objects.Instance(vm_mode=None)):
        return True
    LOG.warning(
        'oslo.versionedobjects keeps fields otherwise than nova-xen-sched '
        'knows; those of guests are read more slowly. Please report it.'
    )
    return False
