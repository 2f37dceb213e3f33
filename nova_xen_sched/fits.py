# SPDX-License-Identifier: Apache-2.0

"""How many more guests fit into each of a Xen host's resources.

The dom0 model is asked as it is by those who refuse. This module knows
nothing of nova.
"""

from __future__ import annotations

import typing as ty

from nova_xen_sched import dom0

#: More than this many guests is no limit.
MANY = 1 << 20


class Guest(ty.NamedTuple):
    """The kind of guest that is counted.

    :ivar mode: one of dom0.MODES.
    :ivar memory_mb: MiB.
    """

    mode: str
    memory_mb: float
    vcpus: float


def of_dom0(
    model: dom0.Model, load: dom0.Load, guest: Guest
) -> dict[str, int]:
    """How many fit into each resource of a Xen host.

    :param load: the host as it is now.
    :returns: by its name; without those that the guest takes nothing
        of, unless they are overcommitted already.
    """
    found = {}
    for index, left in enumerate(dom0.resources(model, load)):

        def overcommitted(count: int, index: int = index) -> bool:
            more = model.plus(load, *guest, count=count)
            return dom0.resources(model, more)[index].overcommitted

        count = _most(overcommitted)
        if count is not None:
            found[str(left.resource)] = count
    return found


def _most(too_many: ty.Callable[[int], bool]) -> int | None:
    """The largest number that is not too many, None if any number will do.

    :param too_many: a function of a number that is true from some number on.
    """
    low, high = 0, 1
    while not too_many(high):
        low, high = high, high * 2
        if high > MANY:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        if too_many(middle):
            high = middle
        else:
            low = middle
    return low
