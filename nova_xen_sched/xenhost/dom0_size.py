# SPDX-License-Identifier: Apache-2.0

"""How large a host's dom0 should be, by the dom0 model."""

from __future__ import annotations

import math
import typing as ty

from nova_xen_sched import xenhost
from nova_xen_sched.dom0 import Load
from nova_xen_sched.dom0 import Model
from nova_xen_sched.dom0 import rooms
from nova_xen_sched.xenhost import XenHost

#: MiB, from the guide: "between 1GB and 4GB".
LEAST_MB = 1024
MOST_MB = 4096
#: MiB, to which a size is rounded up.
_STEP_MB = 128


class Size(ty.NamedTuple):
    """What dom0 should have, and why, as a clause without a full stop."""

    memory_mb: int
    reason: str


def _guests(host: XenHost, dom0_memory_mb: float, vcpus: float) -> Load | None:
    guests = host.guests
    if guests is None:
        return None
    return Load(
        memory_mb=host.memory_mb or 0,
        dom0_memory_mb=dom0_memory_mb,
        dom0_vcpus=vcpus,
        hvm=guests.hvm,
        pv=guests.pv,
        pvh=guests.pvh,
        unknown=guests.unknown,
        guests_memory_mb=guests.memory_mb,
        guests_vcpus=guests.vcpus,
    )


def load_of(host: XenHost) -> Load | None:
    """The host and its guests as the dom0 model has them.

    None if anything of that is not known, and of a dom0 that balloons: it has
    no size to measure by.
    """
    dom0 = host.dom0
    if dom0 is None or dom0.sizing != xenhost.FIXED:
        return None
    if not dom0.memory_mb or not dom0.vcpus:
        return None
    return _guests(host, dom0.memory_mb, dom0.vcpus)


def for_dom0(host: XenHost, model: Model) -> Size:
    """What dom0_mem should say.

    Enough for the guests that run now; beyond that, up to the guide's 4 GB,
    enough for as many guests like them as the host's RAM holds; never less
    than the guide's 1 GB.
    """
    load = _guests(host, 0, 1)
    if load is None or not load.guests:
        return Size(LEAST_MB, 'the least that the guide names')
    used, _, *ram = (room.used for room in rooms(model, load))
    each, ram_each = used / load.guests, sum(ram) / load.guests
    needed = model.base_memory_mb + used
    fit = load.guests
    if load.memory_mb and each + ram_each:
        # Each takes of both; what is not dom0's is the guests'.
        fit = max(
            int((load.memory_mb - model.base_memory_mb) / (each + ram_each)),
            load.guests,
        )
    wanted = max(
        needed, min(model.base_memory_mb + fit * each, MOST_MB), LEAST_MB
    )
    memory_mb = math.ceil(wanted / _STEP_MB) * _STEP_MB
    room = memory_mb - model.base_memory_mb
    carries = min(int(room / each), fit) if each else fit
    return Size(
        memory_mb,
        'enough for %d guests like the %d that run' % (carries, load.guests),
    )


def dom0_vcpus(host: XenHost, model: Model) -> int:
    """The vCPUs that dom0 needs for the guests that run now."""
    count = host.guests.count if host.guests else 0
    return math.ceil(model.base_vcpus + count / model.guests_per_vcpu)
