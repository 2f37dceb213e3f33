# SPDX-License-Identifier: Apache-2.0

"""What placement is told of a Xen host: its traits, and slots in its dom0.

Whoever writes them to a compute node's resource provider writes these alone.
"""

from __future__ import annotations

import dataclasses
import re
import typing as ty

from nova_xen_sched import conf
from nova_xen_sched import dom0
from nova_xen_sched import fits
from nova_xen_sched import versions
from nova_xen_sched.host import Host
from nova_xen_sched.refusal import Code
from nova_xen_sched.request import GuestRequest
from nova_xen_sched.rules import versions as rules

HVM = 'CUSTOM_XEN_HVM'
PV = 'CUSTOM_XEN_PV'
LIVE_MIGRATION = 'CUSTOM_XEN_LIVE_MIGRATION'
GUEST_TYPES = (HVM, PV)
#: In the order in which they are shown.
TRAITS = (*GUEST_TYPES, LIVE_MIGRATION)
#: nova's own: what nova-compute 22 reports of a Xen host by itself.
STORAGE_BUS = 'COMPUTE_STORAGE_BUS_XEN'

#: The resource class: what one HVM guest takes of a dom0.
DOM0_SLOT = 'CUSTOM_XEN_DOM0_SLOT'
#: The extra specs that ask for slots: of any group of a granular request.
_ASKS = re.compile('resources[^:]*:' + DOM0_SLOT)

#: Of a host that may be new enough.
_UNKNOWN = (Code.XEN_UNKNOWN, Code.LIBVIRT_UNKNOWN)
#: A slot is one in dom0; guests' own memory has a class of its own.
_OF_DOM0 = (str(dom0.Resource.DOM0_MEMORY), str(dom0.Resource.DOM0_CPU))

#: One resource class of a provider, as placement has it.
Inventory = ty.Dict[str, ty.Any]


class Trait(ty.NamedTuple):
    """Whether a host has a trait.

    :ivar has: None if that can't be told: then it is neither added nor
        removed.
    :ivar reason: a clause.
    """

    has: ty.Optional[bool]
    reason: str


def traits(host: Host, settings: conf.Settings) -> dict[str, Trait]:
    """Which traits a host has.

    :param host: with its facts.
    :param settings: says which libvirt and Xen are new enough.
    :returns: by name, in the order of TRAITS.
    """
    if not host.is_xen:
        found = (
            Trait(False, 'the host is no Xen host')
            if host.hypervisor_type and host.guest_types
            else Trait(
                None, 'the host has not reported which guests it can run'
            )
        )
        return dict.fromkeys(TRAITS, found)
    return {
        HVM: _guest_type(host, 'hvm', 'HVM'),
        PV: _guest_type(host, 'xen', 'PV'),
        LIVE_MIGRATION: _live_migration(host, settings),
    }


def _guest_type(host: Host, vm_mode: str, name: str) -> Trait:
    has = any(
        kind == 'xen' and mode == vm_mode for _, kind, mode in host.guest_types
    )
    return Trait(
        has, 'the host offers %s%s guests' % ('' if has else 'no ', name)
    )


def _live_migration(host: Host, settings: conf.Settings) -> Trait:
    """Whether libvirt and Xen are new enough."""
    minimum = settings.min_libvirt_version
    if minimum is None:
        return Trait(
            None,
            'no libvirt is too old: [xen_scheduler] min_libvirt_version = 0',
        )
    # What is known doesn't depend on what is made of it.
    strict = dataclasses.replace(settings, unknown_version='refuse')
    guest = GuestRequest()
    refusals = [
        refusal
        for refusal in (
            rules.libvirt_version(guest, host, strict),
            rules.xen_version(guest, host, strict),
        )
        if refusal
    ]
    # What is too old decides, whatever else is unknown.
    refusals.sort(key=lambda refusal: refusal.code in _UNKNOWN)
    for refusal in refusals:
        has = None if refusal.code in _UNKNOWN else False
        return Trait(has, refusal.reason)
    return Trait(
        True,
        "the host's libvirt is %s or better, and its Xen is new enough"
        % versions.show(minimum),
    )


def slots_asked(extra_specs: ty.Mapping[str, str]) -> int:
    """How many slots a flavor asks for.

    :param extra_specs: the flavor's.
    """
    asked = 0
    for name, value in extra_specs.items():
        # nova takes no others, and warns of them.
        if _ASKS.fullmatch(name) and re.fullmatch('[0-9]{1,9}', value):
            asked += int(value)
    return asked


def free_slots(model: dom0.Model, load: dom0.Load) -> int:
    """How many HVM guests still fit into a dom0: its memory and its vCPUs.

    The host's RAM is left out: placement has it as MEMORY_MB, and how much a
    guest takes of it is the flavor's.

    :param load: the host as it is now.
    """
    found = fits.of_dom0(model, load, fits.Guest('hvm', 0, 0))
    return min(
        (found[name] for name in _OF_DOM0 if name in found), default=fits.MANY
    )


def inventory(held: int, others: int, free: int) -> Inventory:
    """The slots of a dom0, of which as many as are held or free can be used.

    So it never has less than what is held: placement refuses every move away
    from a provider that has.

    :param held: slots that guests hold.
    :param others: guests that hold none.
    :param free: HVM guests that still fit.
    """
    # Placement takes no inventory of nothing at all.
    total = max(1, held + others + free)
    return {
        'total': total,
        'reserved': total - held - free,
        'min_unit': 1,
        'max_unit': total,
        'step_size': 1,
        'allocation_ratio': 1.0,
    }
