# SPDX-License-Identifier: Apache-2.0

"""The dom0 sizing model: what dom0 has, what guests take, what is left.

dom0 is the privileged guest whose memory and CPUs serve all others. Three
resources limit how many guests a host can serve: dom0's memory, dom0's CPUs,
and the host's RAM beside dom0. The *headroom* of a resource is the share of it
that is left: 1 where nothing is used, 0 where all is, below 0 where it is
overcommitted. The scarcest resource decides for the host.

This module knows nothing of nova, nor of where its numbers come from.
"""

from __future__ import annotations

import enum
import math
import typing as ty

#: The lowest headroom: however far a resource is overcommitted, and of one
#: that is none. So it is a finite number always.
FLOOR = -100.0

#: What sums of floats may be off by.
ROUNDING = 1e-9
#: How it is known what guests take of a resource.
COMPUTED = 'computed'
REPORTED = 'reported by Xen'

#: The modes of guests, in the order in which they are counted.
MODES = ('hvm', 'pv', 'pvh')


class Resource(str, enum.Enum):
    """What limits how many guests a host can serve.

    A value is also the code of the refusal; see rules/overcommit.py.
    """

    DOM0_MEMORY = 'dom0_memory'
    DOM0_CPU = 'dom0_cpu'
    HOST_MEMORY = 'host_memory'

    def __str__(self) -> str:
        return self.value

    @property
    def unit(self) -> str:
        """What it is measured in."""
        return 'guests' if self is Resource.DOM0_CPU else 'MiB'


class Load(ty.NamedTuple):
    """A host, and the guests that it serves.

    :ivar memory_mb: the whole machine's RAM, MiB; 0 if it never said.
    :ivar dom0_memory_mb: dom0's size, MiB.
    :ivar dom0_vcpus: dom0's vCPUs.
    :ivar hvm: how many HVM guests there are; pv and pvh likewise.
    :ivar unknown: how many guests there are whose mode is not known.
    :ivar guests_memory_mb: the guests' own memory in all, MiB.
    :ivar guests_vcpus: their vCPUs in all.
    :ivar free_mb: the RAM that Xen itself reports as left, MiB, less what
        the guest that is to be placed takes; None if it doesn't report it.
    """

    memory_mb: float
    dom0_memory_mb: float
    dom0_vcpus: float
    hvm: int = 0
    pv: int = 0
    pvh: int = 0
    unknown: int = 0
    guests_memory_mb: float = 0
    guests_vcpus: float = 0
    free_mb: ty.Optional[float] = None

    @property
    def guests(self) -> int:
        """All guests."""
        return self.hvm + self.pv + self.pvh + self.unknown


class Overhead(ty.NamedTuple):
    """What a guest takes from the host's RAM beyond its own memory, MiB."""

    per_mib: float
    per_vcpu: float
    per_hvm_guest: float
    per_pv_guest: float

    def whole_mb(
        self, mode: str | None, memory_mb: float, vcpus: float
    ) -> float:
        """What one guest takes of the host's RAM, its own memory with it.

        :param mode: one of MODES, None if it is not known.
        """
        return (
            memory_mb * (1 + self.per_mib)
            + vcpus * self.per_vcpu
            + (self.per_pv_guest if mode == 'pv' else self.per_hvm_guest)
        )


#: The published formulas. ``xenapi`` is what nova's XenAPI driver used until
#: 19, fitted to Rackspace's fleet; its rounding up to whole MB is left out.
#: ``libxl`` is libxl_create.c's; it takes the 4 KiB a MiB only of guests that
#: are not PV, here all count so, since memory is not known by mode.
OVERHEADS: ty.Mapping[str, Overhead] = {
    'none': Overhead(0, 0, 0, 0),
    'xenapi': Overhead(0.00781, 1.5, 3, 3),
    'libxl': Overhead(4 / 1024, 1, 2, 1),
}


class Model(ty.NamedTuple):
    """A site's figures: what dom0 itself uses, and what each guest takes.

    :ivar base_memory_mb: MiB of dom0's memory that dom0 itself uses.
    :ivar base_vcpus: vCPUs of dom0 that dom0 itself uses.
    :ivar hvm_memory_mb: MiB of dom0's memory that an HVM guest takes; pv and
        pvh likewise.
    :ivar guests_per_vcpu: guests that one vCPU of dom0 serves.
    :ivar hvm_share: the share of HVM guests, the others being PV, among
        those whose mode is not known.
    :ivar overhead: what guests take from the host's RAM.
    """

    base_memory_mb: float
    base_vcpus: float
    hvm_memory_mb: float
    pv_memory_mb: float
    pvh_memory_mb: float
    guests_per_vcpu: float
    hvm_share: float
    overhead: Overhead

    def plus(
        self,
        load: Load,
        mode: str | None,
        memory_mb: float,
        vcpus: float,
        count: int = 1,
    ) -> Load:
        """The host with more guests, all alike; or less, but none below 0.

        Of what Xen reports as left they take what they need, overhead and
        all, as a guest that is to be placed does.

        :param mode: one of MODES, None if it is not known.
        :param memory_mb: of each, MiB.
        """
        name = mode or 'unknown'
        free_mb = load.free_mb
        if free_mb is not None:
            free_mb -= self.overhead.whole_mb(mode, memory_mb, vcpus) * count
        more: dict[str, ty.Any] = {name: getattr(load, name) + count}
        found = load._replace(
            guests_memory_mb=load.guests_memory_mb + memory_mb * count,
            guests_vcpus=load.guests_vcpus + vcpus * count,
            free_mb=free_mb,
            **more,
        )
        if count >= 0:
            return found
        # A guest that goes may not have been reported yet.
        return found._replace(
            guests_memory_mb=max(found.guests_memory_mb, 0),
            guests_vcpus=max(found.guests_vcpus, 0),
            **{name: max(more[name], 0)},
        )


class Usage(ty.NamedTuple):
    """One resource: what it has, and what guests take of it.

    MiB, or guests for dom0's CPUs.

    :ivar source: how the latter is known: COMPUTED, or REPORTED where Xen
        itself reports less RAM as left than is computed.
    """

    resource: Resource
    capacity: float
    used: float
    source: str = COMPUTED

    @property
    def headroom(self) -> float:
        """The share of the resource that is left; from FLOOR to 1.

        It is nan where that can't be told, of a host whose figures are none.
        """
        if self.capacity <= 0:
            return FLOOR
        left = 1 - self.used / self.capacity
        return max(left, FLOOR) if math.isfinite(left) else math.nan

    @property
    def overcommitted(self) -> bool:
        if self.capacity <= 0:
            return True
        # (4 - 0.8) x 10 is a little less than 32 guests to a computer.
        return self.used > self.capacity * (1 + ROUNDING)


def _uses(model: Model, load: Load) -> list[tuple[Resource, float, float]]:
    """Each resource with its capacity and use."""
    hvm, pv, pvh, unknown = load.hvm, load.pv, load.pvh, load.unknown
    # Guests of unknown mode count as the average one.
    as_hvm = hvm + unknown * model.hvm_share
    as_pv = pv + unknown * (1 - model.hvm_share)
    found = [
        (
            Resource.DOM0_MEMORY,
            load.dom0_memory_mb - model.base_memory_mb,
            as_hvm * model.hvm_memory_mb
            + as_pv * model.pv_memory_mb
            + pvh * model.pvh_memory_mb,
        ),
        (
            Resource.DOM0_CPU,
            (load.dom0_vcpus - model.base_vcpus) * model.guests_per_vcpu,
            hvm + pv + pvh + unknown,
        ),
    ]
    if load.memory_mb <= 0:
        return found
    ram = load.memory_mb - load.dom0_memory_mb
    per_mib, per_vcpu, per_hvm_guest, per_pv_guest = model.overhead
    used = (
        load.guests_memory_mb * (1 + per_mib)
        + load.guests_vcpus * per_vcpu
        + (as_hvm + pvh) * per_hvm_guest
        + as_pv * per_pv_guest
    )
    # The host's RAM is in truth what Xen has left, if that is less: Xen takes
    # some for itself, and dom0 may be larger than is known. nova knows of
    # guests that are still to be built.
    if load.free_mb is not None:
        used = max(used, ram - load.free_mb)
    found.append((Resource.HOST_MEMORY, ram, used))
    return found


def resources(model: Model, load: Load) -> tuple[Usage, ...]:
    """What each resource of a host has, and what guests take of it.

    :param load: with the guest that is to be placed, if there is one.
    :returns: without the host's RAM where it never said how much it has.
    """
    found = []
    for resource, capacity, used in _uses(model, load):
        reported = (
            resource is Resource.HOST_MEMORY
            and load.free_mb is not None
            and used == capacity - load.free_mb
        )
        source = REPORTED if reported else COMPUTED
        found.append(Usage(resource, capacity, used, source))
    return tuple(found)


def headroom(model: Model, load: Load) -> float:
    """The headroom of a host's scarcest resource; from FLOOR to 1, or nan.

    :param load: as for resources().
    """
    least = 1.0
    for _, capacity, used in _uses(model, load):
        left = FLOOR if capacity <= 0 else 1 - used / capacity
        if not math.isfinite(left):
            return math.nan
        if left < least:
            least = left
    return max(least, FLOOR)


def overcommitted(model: Model, load: Load) -> tuple[Usage, ...]:
    """The resources of a host that are overcommitted.

    :param load: as for resources().
    """
    # Most hosts have none, and their resources need not be looked at one by
    # one: 18 us a host of XenHostFilter, not 24.
    if headroom(model, load) > 0:
        return ()
    return tuple(
        [left for left in resources(model, load) if left.overcommitted]
    )


def scarcest(resources: tuple[Usage, ...]) -> Usage:
    """The resource that decides: the one with the least headroom."""
    return min(resources, key=lambda left: left.headroom)
