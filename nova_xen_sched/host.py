# SPDX-License-Identifier: Apache-2.0

"""A compute host: what it offers, and what is known of it."""

from __future__ import annotations

import json
import typing as ty

from nova_xen_sched import dom0
from nova_xen_sched.facts.gather import HostFacts
from nova_xen_sched.facts.gather import NOTHING_KNOWN
from nova_xen_sched.versions import Version

#: (architecture, hypervisor type, vm_mode), in nova's canonical spelling.
GuestType = ty.Tuple[str, str, str]


class Host(ty.NamedTuple):
    """What a host offers to guests; hosts alike are equal.

    :ivar guest_types: what it can run; empty if it never reported any.
    :ivar hypervisor_type: as reported, 'Xen' for libvirt's Xen driver.
    :ivar hypervisor_version: of the hypervisor, as nova's integer: 4014000
        for Xen 4.14. libvirt leaves the patch level out.
    :ivar maxphysaddr_bits: physical address bits, None if unknown. Read only
        when the guest asks for it.
    :ivar is_xen: whether it runs Xen through libvirt.
    :ivar facts: what the sources of facts know; of Xen hosts only.
    :ivar overcommitted: those of its dom0's and its own resources that the
        guest would overcommit; empty where no rule asks for them.
    """

    guest_types: ty.Tuple[GuestType, ...] = ()
    hypervisor_type: ty.Optional[str] = None
    hypervisor_version: ty.Optional[int] = None
    maxphysaddr_bits: ty.Optional[int] = None
    is_xen: bool = False
    facts: HostFacts = NOTHING_KNOWN
    overcommitted: ty.Tuple[dom0.Usage, ...] = ()

    @property
    def xen_version(self) -> Version | None:
        """Its Xen: as stated in full, or else major and minor as reported.

        libvirt leaves the patch level out of the version that it reports, so
        that it counts as unknown there.
        """
        stated = self.facts.get('xen_version')
        if stated is not None:
            return ty.cast(Version, stated.value)
        reported = self.hypervisor_version
        if not reported or reported < 1000:
            return None
        version = divmod(reported // 1000, 1000)
        # A compute that does report the patch level is believed.
        return (*version, reported % 1000) if reported % 1000 else version


def is_xen(state: ty.Any) -> bool:
    """Whether a host runs Xen through libvirt.

    That is one that calls itself Xen and offers guests of the type xen.
    XenServer's XAPI computes offer them too, but not through libvirt; they
    call themselves XenServer.

    :param state: its nova HostState.
    """
    if (state.hypervisor_type or '').lower() != 'xen':
        return False
    # A generator would take 0.04 of ImagePropertiesFilter more.
    for guest_type in state.supported_instances or ():
        if guest_type[1] == 'xen':
            return True
    return False


def read(
    state: ty.Any,
    facts_of: ty.Callable[[ty.Any], HostFacts] | None = None,
    maxphysaddr: bool = False,
) -> Host:
    """What one host offers, and what is known of it.

    :param state: its nova HostState.
    :param facts_of: looks its facts up.
    :param maxphysaddr: whether its physical address bits matter.
    """
    xen = is_xen(state)
    return Host(
        tuple(map(tuple, state.supported_instances or ())),
        state.hypervisor_type,
        state.hypervisor_version,
        _maxphysaddr_bits(state.cpu_info) if maxphysaddr else None,
        xen,
        facts_of(state) if xen and facts_of else NOTHING_KNOWN,
    )


def _maxphysaddr_bits(cpu_info: ty.Any) -> int | None:
    """The bits in a HostState's cpu_info.

    A compute reports JSON text, on which ImagePropertiesFilter of nova 27 to
    34 fails; nova's tests hand it a dict.
    """
    try:
        found = json.loads(cpu_info) if isinstance(cpu_info, str) else cpu_info
        bits = found['maxphysaddr']['bits']
    except (ValueError, RecursionError, TypeError, LookupError):
        return None
    return bits if isinstance(bits, int) else None
