# SPDX-License-Identifier: Apache-2.0

"""How many more guests of one kind fit, and what runs out first.

Two things decide: the dom0 model's resources, which nova_xen_sched.fits
counts, and placement's inventories, counted here as placement counts them.
Nothing here knows nova.
"""

from __future__ import annotations

import dataclasses
import typing as ty

from nova_xen_sched import dom0
from nova_xen_sched.cmd.nova.causes import Refused

#: Placement's resource classes, and what they are called here; others are
#: shown by their own names, in lower case.
_NAMES = {'MEMORY_MB': 'ram', 'VCPU': 'vcpus', 'DISK_GB': 'disk'}

#: In the order in which they are shown; of equal ones the first is named.
LIMITS = (
    *(str(resource) for resource in dom0.Resource),
    'ram',
    'vcpus',
    'disk',
)


#: Of the providers of placement, by UUID and resource class: what each has
#: left, or what one guest takes.
Amounts = ty.Mapping[str, ty.Mapping[str, float]]


@dataclasses.dataclass(frozen=True)
class Fits:
    """How many more guests fit on one host.

    :ivar limits: by what limits it, how many; without those that don't.
    :ivar refused: why the host takes none, whatever its limits; None if it
        takes some.
    :ivar shared: by the provider's UUID, how many fit in what the host shares
        with others.
    """

    host: str
    limits: ty.Mapping[str, int]
    refused: Refused | None = None
    shared: ty.Mapping[str, int] = dataclasses.field(default_factory=dict)

    @property
    def count(self) -> int | None:
        """How many fit; None if nothing limits them."""
        if self.refused:
            return 0
        return min(self.limits.values(), default=None)

    @property
    def first(self) -> str:
        """What runs out first; '' if nothing does, or the host is refused."""
        if self.refused or not self.limits:
            return ''
        return min(in_order(self.limits), key=lambda name: self.limits[name])


def in_order(names: ty.Collection[str]) -> list[str]:
    """The known limits in their order, then the others."""
    others = sorted(name for name in names if name not in LIMITS)
    return [name for name in LIMITS if name in names] + others


def of_placement(amounts: Amounts, left: Amounts) -> dict[str, int]:
    """How many fit into placement's inventories.

    :param amounts: what one guest takes.
    :param left: what the providers have left; what is missing is none.
    :returns: by resource class, as LIMITS call them.
    """
    found: dict[str, int] = {}
    for provider, classes in amounts.items():
        for name, amount in classes.items():
            if amount <= 0:
                continue
            free = left.get(provider, {}).get(name, 0)
            count = max(int(free // amount), 0)
            limit = _NAMES.get(name, name.lower())
            found[limit] = min(count, found.get(limit, count))
    return found


def in_all(hosts: ty.Iterable[Fits]) -> int | None:
    """How many fit on all hosts together; None if nothing limits them.

    Hosts that share a provider, as storage, share what it has.
    """
    left: dict[str, int] = {}
    total = 0
    for each in hosts:
        count = each.count
        if count is None:
            return None
        for provider, fits in each.shared.items():
            count = min(count, left.setdefault(provider, fits))
        for provider in each.shared:
            left[provider] -= count
        total += count
    return total


def after_failure(
    hosts: ty.Sequence[Fits], guests: ty.Mapping[str, int]
) -> int | None:
    """How many fit after one host has failed: the one that leaves least.

    Its guests are on the others then, and count as guests of this kind.

    :param guests: by host, how many it has.
    :returns: below 0 where they don't all fit; None if nothing limits them,
        or there is no host.
    """
    found = []
    for failed in hosts:
        count = in_all(each for each in hosts if each is not failed)
        if count is not None:
            found.append(count - guests[failed.host])
    return min(found, default=None)
