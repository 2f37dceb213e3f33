# SPDX-License-Identifier: Apache-2.0

"""Does the host's dom0 have room for one more guest?"""

from __future__ import annotations

import math

from nova_xen_sched import conf
from nova_xen_sched import dom0
from nova_xen_sched.dom0 import Resource
from nova_xen_sched.host import Host
from nova_xen_sched.refusal import Code
from nova_xen_sched.refusal import Refusal
from nova_xen_sched.request import GuestRequest

_REASONS = {
    Resource.DOM0_MEMORY: (
        "with this guest, guests would take %d MiB of dom0's memory, which "
        'has %d MiB for them',
        'raise dom0_mem on the host, or use another host',
    ),
    Resource.DOM0_CPU: (
        "with this guest there would be %d guests, and dom0's vCPUs serve %d",
        'raise dom0_max_vcpus on the host, or use another host',
    ),
    Resource.HOST_MEMORY: (
        'with this guest, guests would take %d MiB of RAM with their '
        'overhead, and %d MiB are beside dom0',
        'use another host, or a smaller flavor',
    ),
}

_REPORTED = (
    'with this guest, by what Xen itself reports as left, %d MiB of RAM '
    'would be taken, and %d MiB are beside dom0'
)


def overcommits(
    resource: Resource,
    guest: GuestRequest,
    host: Host,
    settings: conf.Settings,
) -> Refusal | None:
    """Guests must fit into dom0's memory, its vCPUs, the RAM beside it."""
    for left in host.overcommitted if host.is_xen else ():
        if left.resource is resource:
            reason, remedy = _REASONS[resource]
            if left.source == dom0.REPORTED:
                reason = _REPORTED
            # So that the sentence never names a use that would fit.
            used = math.ceil(left.used)
            has = math.floor(max(left.capacity, 0) * (1 + dom0.ROUNDING))
            return Refusal(Code(resource.value), reason % (used, has), remedy)
    return None
