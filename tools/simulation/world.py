# SPDX-License-Identifier: Apache-2.0

"""What is simulated: hosts, guests, and what is true of them.

No nova in here, and nothing of what the weigher reads: what a host really
serves is kept apart from what nova-scheduler is told.
"""

from __future__ import annotations

import random
import typing as ty

from nova_xen_sched import conf
from nova_xen_sched import dom0

#: The figures of the dom0 model: the options' defaults.
MODEL = conf.defaults().dom0_model


def headroom(load: dom0.Load) -> float:
    """Of the host's scarcest room."""
    return dom0.headroom(MODEL, load)


#: RAM (GiB) and physical CPUs of the hosts: the range of issue and guide,
#: 64 to 512 GB; the CPUs are made up. Each is as likely.
MACHINES = ((64, 16), (128, 32), (256, 48), (512, 64))
#: The guide to Xen via libvirt says 1 to 4 GB and 4 vCPUs; those that
#: followed older or newer advice have half or double.
DOM0_GIB = (1, 2, 4)
DOM0_VCPUS = (2, 4, 8)
DISK_GB_PER_GIB = 20
#: What nova sells: the defaults of nova's reserved_host_memory_mb,
#: initial_cpu_allocation_ratio (nova 34), and RAM and disk as they are.
RESERVED_MB = 512
CPU_RATIO = 4.0


class Flavor(ty.NamedTuple):
    """What a guest has, and how many of all guests are such."""

    name: str
    memory_mb: int
    vcpus: int
    disk_gb: int
    share: float


#: The smaller ones of those that nova created until 12; the shares are made
#: up. 10 guests take 23.6 GiB so.
FLAVORS = (
    Flavor('m1.tiny', 512, 1, 1, 0.2),
    Flavor('m1.small', 2048, 1, 20, 0.5),
    Flavor('m1.medium', 4096, 2, 40, 0.3),
)
HVM_SHARE = 0.6


class Guest(ty.NamedTuple):
    """A guest that arrives.

    :ivar mode: of dom0.MODES.
    :ivar stays: how long, in mean lifetimes.
    """

    number: int
    mode: str
    flavor: Flavor
    stays: float


class Size(ty.NamedTuple):
    """A host without its guests."""

    memory_mb: int
    vcpus: int
    disk_gb: int
    dom0_memory_mb: int
    dom0_vcpus: int

    @property
    def slots(self) -> int:
        """How many average guests it can serve.

        An average guest takes the mean of the flavors and of the modes; the
        scarcest decides among the model's three rooms and what nova sells.
        """
        guests = 1000
        mean = _mean_flavor()
        hvm = round(guests * HVM_SHARE)
        resources = dom0.resources(
            MODEL,
            dom0.Load(
                self.memory_mb,
                self.dom0_memory_mb,
                self.dom0_vcpus,
                hvm=hvm,
                pv=guests - hvm,
                guests_memory_mb=guests * mean[0],
                guests_vcpus=guests * mean[1],
            ),
        )
        has_and_takes = [
            *(
                (resource.capacity, resource.used / guests)
                for resource in resources
            ),
            (self.memory_mb - RESERVED_MB, mean[0]),
            (self.vcpus * CPU_RATIO, mean[1]),
            (self.disk_gb, mean[2]),
        ]
        return int(min(has / takes for has, takes in has_and_takes))


def _mean_flavor() -> tuple[float, float, float]:
    return (
        sum(each.memory_mb * each.share for each in FLAVORS),
        sum(each.vcpus * each.share for each in FLAVORS),
        sum(each.disk_gb * each.share for each in FLAVORS),
    )


def sizes(count: int, seed: int) -> list[Size]:
    """Uneven hosts; the same for the same seed."""
    rng = random.Random('hosts %d' % seed)
    found = []
    for _ in range(count):
        gib, vcpus = rng.choice(MACHINES)
        found.append(
            Size(
                gib * 1024,
                vcpus,
                gib * DISK_GB_PER_GIB,
                rng.choice(DOM0_GIB) * 1024,
                rng.choice(DOM0_VCPUS),
            )
        )
    return found


def guests(seed: int) -> ty.Iterator[Guest]:
    """Guests without end; the same for the same seed."""
    rng = random.Random('guests %d' % seed)
    shares = [each.share for each in FLAVORS]
    number = 0
    while True:
        yield Guest(
            number,
            'hvm' if rng.random() < HVM_SHARE else 'pv',
            rng.choices(FLAVORS, shares)[0],
            rng.expovariate(1),
        )
        number += 1


class Host:
    """A host and what it truly serves."""

    def __init__(self, size: Size) -> None:
        self.size = size
        self.load = dom0.Load(
            size.memory_mb, size.dom0_memory_mb, size.dom0_vcpus
        )
        self._disk_gb = 0

    def sells(self, flavor: Flavor) -> bool:
        """Whether placement would offer it: nova's own arithmetic."""
        size, load = self.size, self.load
        return (
            load.guests_memory_mb + flavor.memory_mb
            <= size.memory_mb - RESERVED_MB
            and load.guests_vcpus + flavor.vcpus <= size.vcpus * CPU_RATIO
            and self._disk_gb + flavor.disk_gb <= size.disk_gb
        )

    def with_one(self, guest: Guest, count: int = 1) -> dom0.Load:
        """What it would serve with the guest, or without it."""
        flavor = guest.flavor
        return MODEL.plus(
            self.load, guest.mode, flavor.memory_mb, flavor.vcpus, count
        )

    def add(self, guest: Guest, count: int = 1) -> None:
        """Start the guest, or end it with a count of -1."""
        self.load = self.with_one(guest, count)
        self._disk_gb += count * guest.flavor.disk_gb

    def use(self) -> tuple[float, float]:
        """How full dom0 is, its memory or its CPUs; and the RAM beside it.

        1 is full.
        """
        memory, cpu, ram = (
            resource.used / resource.capacity
            for resource in dom0.resources(MODEL, self.load)
        )
        return max(memory, cpu), ram
