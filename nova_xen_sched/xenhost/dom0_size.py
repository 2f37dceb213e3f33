# SPDX-License-Identifier: Apache-2.0

"""What a host's dom0 should have."""

from __future__ import annotations

import math

from nova_xen_sched.dom0 import Load
from nova_xen_sched.dom0 import Model
from nova_xen_sched.dom0 import Resource
from nova_xen_sched.dom0 import resources
from nova_xen_sched.xenhost import FIXED
from nova_xen_sched.xenhost import XenHost

#: MiB, from the guide: "between 1GB and 4GB".
LEAST_MB = 1024
MOST_MB = 4096
#: MiB, to which a size is rounded up.
_STEP_MB = 128


def _load(
    host: XenHost, dom0_memory_mb: float, dom0_vcpus: float
) -> Load | None:
    guests = host.guests
    if guests is None:
        return None
    return Load(
        memory_mb=host.memory_mb or 0,
        dom0_memory_mb=dom0_memory_mb,
        dom0_vcpus=dom0_vcpus,
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
    if dom0 and dom0.sizing == FIXED and dom0.memory_mb and dom0.vcpus:
        return _load(host, dom0.memory_mb, dom0.vcpus)
    return None


def for_dom0(host: XenHost, model: Model) -> tuple[int, str]:
    """What dom0_mem should be.

    Enough for the guests that run now; beyond that, up to the guide's 4 GB,
    enough for as many guests like them as the host's RAM holds; never less
    than the guide's 1 GB.

    :returns: MiB, and why, as a clause without a full stop.
    """
    load = _load(host, 0, 1)
    if load is None or not load.guests:
        return LEAST_MB, 'the least that the guide names'
    uses = {each.resource: each.used for each in resources(model, load)}
    used = uses[Resource.DOM0_MEMORY]
    each = used / load.guests
    ram_each = uses.get(Resource.HOST_MEMORY, 0) / load.guests
    fit = load.guests
    if load.memory_mb and each + ram_each:
        # Each takes of both; what is not dom0's is the guests'.
        left = load.memory_mb - model.base_memory_mb
        fit = max(int(left / (each + ram_each)), fit)
    wanted = max(
        model.base_memory_mb + used,
        min(model.base_memory_mb + fit * each, MOST_MB),
        LEAST_MB,
    )
    memory_mb = math.ceil(wanted / _STEP_MB) * _STEP_MB
    if each:
        fit = min(int((memory_mb - model.base_memory_mb) / each), fit)
    reason = 'enough for %d guests like the %d that run' % (fit, load.guests)
    return memory_mb, reason


def vcpus_for_dom0(host: XenHost, model: Model) -> int:
    """The vCPUs that dom0 needs for the guests that run now."""
    count = host.guests.count if host.guests else 0
    return math.ceil(model.base_vcpus + count / model.guests_per_vcpu)
