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

"""How much headroom a host has: the rooms of the dom0 model, worked out.

A weigher asks for every host of a cloud. dom0 and the guests that it serves
are the same for many hosts, so what depends on them alone is worked out once
for each such *Serves*; the host's RAM is left for each host.
"""

from __future__ import annotations

import math
from typing import Any
from typing import Callable
from typing import Dict
from typing import NamedTuple
from typing import Optional
from typing import Tuple

from nova_xen_sched.dom0 import FLOOR
from nova_xen_sched.dom0 import Left
from nova_xen_sched.dom0 import Load
from nova_xen_sched.dom0 import Model
from nova_xen_sched.dom0 import REPORTED
from nova_xen_sched.dom0 import Room

#: Capacity and use of dom0's memory (MiB), dom0's CPUs (guests) and the
#: host's RAM (MiB).
Measures = Tuple[float, float, float, float, float, float]

#: dom0 and the guests that it serves: dom0_memory_mb, dom0_vcpus, hvm, pv, pvh
#: and unknown, as a Load has them. Many hosts are alike in it.
Serves = Tuple[float, float, int, int, int, int]
#: A Load in two parts: that, and the rest, in which hosts differ: memory_mb,
#: guests_memory_mb, guests_vcpus and free_mb.
Apart = Tuple[Serves, float, float, float, Optional[float]]


def together(
    serves: Serves,
    memory_mb: float,
    guests_memory_mb: float,
    guests_vcpus: float,
    free_mb: float | None,
) -> Load:
    """A Load from its two parts."""
    return Load(memory_mb, *serves, guests_memory_mb, guests_vcpus, free_mb)


def apart(load: Load) -> Apart:
    """The two parts of a Load."""
    return (
        load[1:7],
        load.memory_mb,
        load.guests_memory_mb,
        load.guests_vcpus,
        load.free_mb,
    )


class _Dom0(NamedTuple):
    """dom0's own rooms, and what guests take beside it.

    :ivar left: the lesser headroom of the two rooms.
    :ivar overhead_mb: what guests take of the host's RAM, whatever their
        size, MiB.
    """

    memory: float
    memory_used: float
    cpu: float
    cpu_used: float
    left: float
    overhead_mb: float


class _Dom0s(Dict[Serves, _Dom0]):
    """Worked out once for all hosts with the same dom0 and guests."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self._model = model
        # Guests of unknown mode count as the average one.
        share, overhead = model.hvm_share, model.overhead
        self._average_mb = (
            share * model.hvm_memory_mb + (1 - share) * model.pv_memory_mb
        )
        self._average_overhead = (
            share * overhead.per_hvm_guest
            + (1 - share) * overhead.per_pv_guest
        )

    def __missing__(self, serves: Serves) -> _Dom0:
        dom0_memory_mb, dom0_vcpus, hvm, pv, pvh, unknown = serves
        model = self._model
        memory = dom0_memory_mb - model.base_memory_mb
        memory_used = (
            hvm * model.hvm_memory_mb
            + pv * model.pv_memory_mb
            + pvh * model.pvh_memory_mb
            + unknown * self._average_mb
        )
        cpu = (dom0_vcpus - model.base_vcpus) * model.guests_per_vcpu
        cpu_used = hvm + pv + pvh + unknown
        left = FLOOR
        if memory > 0 and cpu > 0:
            left = min(1 - memory_used / memory, 1 - cpu_used / cpu)
        overhead_mb = (
            (hvm + pvh) * model.overhead.per_hvm_guest
            + pv * model.overhead.per_pv_guest
            + unknown * self._average_overhead
        )
        found = self[serves] = _Dom0(
            memory, memory_used, cpu, cpu_used, max(left, FLOOR), overhead_mb
        )
        return found


def of(model: Model) -> Callable[[Load], float]:
    """A function that tells the headroom of a host's scarcest room.

    :returns: a function of a Load, which holds the guest that is to be
        placed, if there is one; from FLOOR to 1, nan if something of it is.
    """
    headroom = of_apart(model)
    return lambda load: headroom(*apart(load))


def measure_of(model: Model) -> Callable[[Load], Measures]:
    """A function that tells what each room has, and what guests take of it.

    :returns: a function of a Load, as above.
    """
    headroom = of_apart(model)

    def measure(load: Load) -> Measures:
        measures: list[float] = []
        headroom(*apart(load), measures)
        memory, memory_used, cpu, cpu_used, ram, ram_used = measures
        return memory, memory_used, cpu, cpu_used, ram, ram_used

    return measure


def of_apart(model: Model) -> Callable[..., float]:
    """A function as of() returns, of a Load in two parts.

    It is a closure for the sake of speed: a weigher asks for every host. It
    remembers each dom0 that it has seen, so make one for each request.

    :returns: a function of what Apart holds, and optionally of a list, to
        which it adds what measure_of() tells.
    """
    dom0s = _Dom0s(model)
    own_and_overhead = 1 + model.overhead.per_mib
    per_vcpu = model.overhead.per_vcpu

    def headroom(
        serves: Serves,
        memory_mb: float,
        guests_mb: float,
        vcpus: float,
        free_mb: float | None,
        measures: list[float] | None = None,
    ) -> float:
        memory, memory_used, cpu, cpu_used, left, overhead_mb = dom0s[serves]
        ram = memory_mb - serves[0]
        ram_used = (
            guests_mb * own_and_overhead + vcpus * per_vcpu + overhead_mb
        )
        # The host's RAM is in truth what Xen has left, if that is less:
        # Xen takes some for itself, and dom0 may be larger than is known.
        # nova knows of guests that are still to be built.
        if free_mb is not None and ram - free_mb > ram_used:
            ram_used = ram - free_mb
        if measures is not None:
            measures += memory, memory_used, cpu, cpu_used, ram, ram_used
        if memory_mb <= 0:  # it never said
            return left
        if ram <= 0:
            return FLOOR
        ram_left = 1 - ram_used / ram
        if ram_left >= left:
            return left
        if -math.inf < ram_left < left:
            return max(ram_left, FLOOR)
        # Something of it is no finite number.
        return math.nan

    return headroom


def rooms(model: Model, load: Load) -> tuple[Left, ...]:
    """The rooms one by one, as of() has them.

    :param load: with the guest that is to be placed, if there is one.

    :returns: without the host's RAM where it never said how much it has.
    """
    measures = measure_of(model)(load)
    left = [
        Left(room, measures[2 * i], measures[2 * i + 1])
        for i, room in enumerate(Room)
    ]
    ram = left.pop()
    if load.memory_mb > 0:
        reported = (
            load.free_mb is not None
            and ram.used == ram.capacity - load.free_mb
        )
        left.append(ram._replace(source=REPORTED) if reported else ram)
    return tuple(left)


def overcommitted_apart(model: Model) -> Callable[..., tuple[Left, ...]]:
    """A function that tells which rooms of a host are overcommitted.

    Most hosts have none, and their rooms need not be looked at one by one.

    :returns: a function of what Apart holds.
    """
    headroom = of_apart(model)

    def overcommitted(*load: Any) -> tuple[Left, ...]:
        if headroom(*load) > 0:
            return ()
        every = rooms(model, together(*load))
        return tuple(left for left in every if left.overcommitted)

    return overcommitted
