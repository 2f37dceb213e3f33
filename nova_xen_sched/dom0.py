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

"""The dom0 sizing model: what dom0 has, what guests take, what is left.

dom0 is the privileged guest whose memory and CPUs serve all others. Three
rooms limit how many guests a host can serve: dom0's memory, dom0's CPUs, and
the host's RAM beside dom0. Each has a *headroom*: the share of the room that
is left once one more guest is placed; 1 is an empty room, 0 a full one, and
below 0 it is overcommitted.

This module knows nothing of nova, nor of where its numbers come from.
"""

from __future__ import annotations

import dataclasses
import enum
from typing import Mapping
from typing import NamedTuple


class Room(str, enum.Enum):
    """What limits how many guests a host can serve."""

    DOM0_MEMORY = 'dom0_memory'
    DOM0_CPU = 'dom0_cpu'
    HOST_MEMORY = 'host_memory'

    def __str__(self) -> str:
        return self.value


#: The lowest headroom: however far a room is overcommitted, and of a room
#: that is none. So it is a finite number always.
FLOOR = -100.0

HVM = 'hvm'
PV = 'pv'
PVH = 'pvh'


class Overhead(NamedTuple):
    """What a guest takes from the host's RAM beyond its own memory, in MiB.

    :ivar per_mib: for each MiB of its memory.
    :ivar per_vcpu: for each vCPU.
    :ivar per_guest: for each guest.
    """

    per_mib: float
    per_vcpu: float
    per_guest: float


#: By name and mode. ``xenapi`` is what nova's XenAPI driver used until 19,
#: fitted to Rackspace's fleet (without its rounding up to whole MB):
#: 0.00781 x MiB + 1.5 x vCPUs + 3. ``libxl`` is libxl_create.c's: 256 KiB x 4
#: a vCPU, 4 KiB a MiB for all but PV, and 2 MiB (PV: 1).
OVERHEADS: Mapping[str, Mapping[str, Overhead]] = {
    'none': dict.fromkeys((HVM, PV, PVH), Overhead(0, 0, 0)),
    'xenapi': dict.fromkeys((HVM, PV, PVH), Overhead(0.00781, 1.5, 3)),
    'libxl': {
        HVM: Overhead(4 / 1024, 1, 2),
        PV: Overhead(0, 1, 1),
        PVH: Overhead(4 / 1024, 1, 2),
    },
}


@dataclasses.dataclass(frozen=True)
class Model:
    """What dom0 itself uses, and what each guest takes: a site's figures.

    :ivar base_memory_mb: MiB of dom0's memory that dom0 itself uses.
    :ivar base_vcpus: vCPUs of dom0 that dom0 itself uses.
    :ivar memory_mb: MiB of dom0's memory that a guest takes, by mode.
    :ivar guests_per_vcpu: guests that one vCPU of dom0 serves.
    :ivar hvm_share: the share of HVM guests where a mode is not known.
    :ivar overhead: what a guest takes from the host's RAM beyond its own
        memory, by mode.
    """

    base_memory_mb: float
    base_vcpus: float
    memory_mb: Mapping[str, float]
    guests_per_vcpu: float
    hvm_share: float
    overhead: Mapping[str, Overhead]

    def average(self, by_mode: Mapping[str, float]) -> float:
        """The mean over a guest whose mode is not known."""
        return (
            self.hvm_share * by_mode[HVM] + (1 - self.hvm_share) * by_mode[PV]
        )


@dataclasses.dataclass(frozen=True)
class Guests:
    """Guests on a host.

    :ivar by_mode: how many of each mode are known.
    :ivar unknown: how many more there are whose mode is not known.
    :ivar memory_mb: their memory in all, MiB.
    :ivar vcpus: their vCPUs in all.
    """

    by_mode: Mapping[str, int]
    unknown: int = 0
    memory_mb: float = 0
    vcpus: float = 0

    @property
    def count(self) -> int:
        return sum(self.by_mode.values()) + self.unknown


@dataclasses.dataclass(frozen=True)
class Host:
    """A host that serves guests.

    :ivar memory_mb: the whole machine's RAM, MiB.
    :ivar dom0_memory_mb: dom0's size, MiB.
    :ivar dom0_vcpus: dom0's vCPUs.
    """

    memory_mb: float
    dom0_memory_mb: float
    dom0_vcpus: float


@dataclasses.dataclass(frozen=True)
class Left:
    """One room: what it has, and what guests take of it.

    :ivar capacity: what there is for guests; MiB, or guests for dom0_cpu.
    :ivar used: what they take, the one to be placed included.
    """

    room: Room
    capacity: float
    used: float

    @property
    def headroom(self) -> float:
        """The share of the room that is left; FLOOR at least."""
        if self.capacity <= 0:
            return FLOOR
        return max(1 - self.used / self.capacity, FLOOR)

    @property
    def fits(self) -> bool:
        return self.used <= self.capacity and self.capacity > 0


def rooms(
    model: Model,
    host: Host,
    guests: Guests,
) -> tuple[Left, Left, Left]:
    """The three rooms of a host with these guests on it.

    :param guests: all that count, the one to be placed included.
    """
    count = guests.count
    by_mode = guests.by_mode
    dom0_memory = model.average(model.memory_mb) * guests.unknown
    for mode, number in by_mode.items():
        dom0_memory += model.memory_mb[mode] * number
    return (
        Left(
            Room.DOM0_MEMORY,
            host.dom0_memory_mb - model.base_memory_mb,
            dom0_memory,
        ),
        Left(
            Room.DOM0_CPU,
            (host.dom0_vcpus - model.base_vcpus) * model.guests_per_vcpu,
            count,
        ),
        Left(
            Room.HOST_MEMORY,
            host.memory_mb - host.dom0_memory_mb,
            guests.memory_mb + _overhead(model, guests),
        ),
    )


def _overhead(model: Model, guests: Guests) -> float:
    """MiB beyond the guests' own memory.

    Memory and vCPUs are known in all, not by mode: each guest counts as one
    of average size.
    """
    count = guests.count
    if not count:
        return 0
    total = 0.0
    shares = dict(guests.by_mode)
    total_hvm = model.hvm_share * guests.unknown
    weights = {mode: float(number) for mode, number in shares.items()}
    weights[HVM] = weights.get(HVM, 0) + total_hvm
    weights[PV] = weights.get(PV, 0) + guests.unknown - total_hvm
    for mode, number in weights.items():
        each = model.overhead[mode]
        total += number * (
            each.per_guest
            + each.per_mib * guests.memory_mb / count
            + each.per_vcpu * guests.vcpus / count
        )
    return total


def scarcest(left: tuple[Left, ...]) -> Left:
    """The room that decides: the one with the least headroom."""
    return min(left, key=lambda each: each.headroom)
