# SPDX-License-Identifier: Apache-2.0

"""What the guests of a simulation took of placement's providers.

Placement is asked once for each kind of guest; what the simulation books is
subtracted from what it had then. Nothing here knows nova.
"""

from __future__ import annotations

import typing as ty

#: One of placement's allocation requests, and its summaries of providers.
Way = ty.Mapping[str, ty.Any]
Summaries = ty.Mapping[str, ty.Any]


class Ledger:
    """Bookings; hosts that share a provider, as storage, share what it has."""

    def __init__(self) -> None:
        self._booked: dict[str, dict[str, int]] = {}

    def book(self, way: Way) -> None:
        """Note that a guest takes what an allocation request has."""
        for provider, each in way['allocations'].items():
            booked = self._booked.setdefault(provider, {})
            for name, amount in each['resources'].items():
                booked[name] = booked.get(name, 0) + amount

    def fitting(
        self, ways: ty.Iterable[Way], summaries: Summaries
    ) -> list[Way]:
        """The allocation requests for which there is still enough."""
        return [way for way in ways if not self.short(way, summaries)]

    def short(self, way: Way, summaries: Summaries) -> str:
        """The resource class of which there is no longer enough; '' if none.

        :param summaries: placement's, of the time when it was asked.
        """
        for provider, each in way['allocations'].items():
            booked = self._booked.get(provider)
            if not booked:
                continue
            known = summaries[provider]['resources']
            for name, amount in each['resources'].items():
                stock = known[name]
                left = stock['capacity'] - stock['used'] - booked.get(name, 0)
                if amount > left:
                    return str(name)
        return ''
