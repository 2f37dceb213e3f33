# SPDX-License-Identifier: Apache-2.0

"""Does the host's dom0 have room for one more guest?"""

from __future__ import annotations

import math

from nova_xen_sched import conf
from nova_xen_sched.dom0 import Left
from nova_xen_sched.dom0 import REPORTED
from nova_xen_sched.dom0 import Room
from nova_xen_sched.dom0 import ROUNDING
from nova_xen_sched.host import Host
from nova_xen_sched.refusal import Code
from nova_xen_sched.refusal import Refusal
from nova_xen_sched.request import GuestRequest

_SAYS = {
    Room.DOM0_MEMORY: (
        Code.DOM0_MEMORY,
        "with this guest, guests would take %d MiB of dom0's memory, which "
        'has %d MiB for them',
        'raise dom0_mem on the host, or use another host',
    ),
    Room.DOM0_CPU: (
        Code.DOM0_CPU,
        "with this guest there would be %d guests, and dom0's vCPUs serve %d",
        'raise dom0_max_vcpus on the host, or use another host',
    ),
    Room.HOST_MEMORY: (
        Code.HOST_MEMORY,
        'with this guest, guests would take %d MiB of RAM with their '
        'overhead, and %d MiB are beside dom0',
        'use another host, or a smaller flavor',
    ),
}

_REPORTED = (
    'with this guest, by what Xen itself reports as left, %d MiB of RAM '
    'would be taken, and %d MiB are beside dom0'
)


def _room(host: Host, room: Room) -> Refusal | None:
    """A refusal if the guest would leave the room overcommitted."""
    if not host.is_xen:
        return None
    for left in host.overcommitted:
        if left.room is room:
            return _refusal(left)
    return None


def _refusal(left: Left) -> Refusal:
    code, reason, remedy = _SAYS[left.room]
    if left.source == REPORTED:
        reason = _REPORTED
    # So that the sentence never names a use that would fit.
    used = math.ceil(left.used)
    has = math.floor(max(left.capacity, 0) * (1 + ROUNDING))
    return Refusal(code, reason % (used, has), remedy)


def dom0_memory(
    guest: GuestRequest, host: Host, settings: conf.Settings
) -> Refusal | None:
    """Guests must fit into what dom0's memory has for them."""
    return _room(host, Room.DOM0_MEMORY)


def dom0_cpu(
    guest: GuestRequest, host: Host, settings: conf.Settings
) -> Refusal | None:
    """dom0's vCPUs must be enough for the guests."""
    return _room(host, Room.DOM0_CPU)


def host_memory(
    guest: GuestRequest, host: Host, settings: conf.Settings
) -> Refusal | None:
    """Guests and their overhead must fit into the RAM beside dom0."""
    return _room(host, Room.HOST_MEMORY)
