# SPDX-License-Identifier: Apache-2.0

"""Where the guests of hosts that fail may go, the best host first."""

from __future__ import annotations

import collections
import itertools
import typing as ty

from nova_xen_sched import dom0
from nova_xen_sched.planner.cloud import Guest
from nova_xen_sched.planner.cloud import Move
from nova_xen_sched.planner.cloud import Operation
from nova_xen_sched.planner.state import State

EVACUATE = Operation.EVACUATE
#: How many hosts a search asks about in all, and how many that took no guest
#: yet it compares for one guest.
_TRIES, _COMPARED = 20000, 16
#: Of more guests than this no place is searched: a search is as deep as there
#: are guests.
_FEW = 100

#: How many guests have nowhere to go, and how many dom0s the others
#: overcommit. Less is better, the first before the second.
Outcome = ty.Tuple[int, int]


class Destinations:
    """The hosts that nova takes guests on.

    :param state: as it is before any host fails.
    :ivar asked: how often it was asked whether a host takes a guest.
    """

    def __init__(self, state: State) -> None:
        self.state = state
        self.asked = 0
        self._loads = dict(state.loads)
        # By what counts of a guest: hosts, the best first. Sorted once a kind
        # of guest, not once a guest.
        self._orders: dict[ty.Any, list[str]] = {}
        self._ranks: dict[ty.Any, tuple[int, float]] = {}

    def of(
        self, guest: Guest, failed: ty.Collection[str], most: int = 1
    ) -> list[str]:
        """Hosts for a guest, the best first.

        Those come first whose dom0 is not overcommitted by it, then those
        whose dom0 is already, then the others; of these, those that keep
        most headroom.

        :param most: how many of the hosts are looked at that took no guest
            yet; of these the best.
        """
        state = self.state
        # Only these are not in their order any more.
        filled = dict.fromkeys(move.target for move in state.moves)
        others = (
            host
            for host in self._order(guest)
            if host not in filled and self._takes(host, guest, failed)
        )
        found = [host for host in filled if self._takes(host, guest, failed)]
        found += itertools.islice(others, most)
        return sorted(
            found, key=lambda host: self.rank(state.loads[host], guest)
        )

    def _takes(
        self, host: str, guest: Guest, failed: ty.Collection[str]
    ) -> bool:
        self.asked += 1
        return host not in failed and not self.state.why_not(
            guest, EVACUATE, host
        )

    def _order(self, guest: Guest) -> list[str]:
        ways = guest.destinations[EVACUATE].ways
        key = guest.mode, guest.memory_mb, guest.vcpus, id(ways)
        if key not in self._orders:
            self._orders[key] = sorted(
                ways,
                key=lambda host: (*self.rank(self._loads[host], guest), host),
            )
        return self._orders[key]

    def rank(self, load: dom0.Load, guest: Guest) -> tuple[int, float]:
        """How bad a host is for a guest; the first is 2 where it overcommits.

        It is 1 where the dom0 is overcommitted already.
        """
        key = load, guest.mode, guest.memory_mb, guest.vcpus
        if key not in self._ranks:
            model = self.state.cloud.model
            more = model.plus(*key)
            bad = 0
            if dom0.overcommitted(model, more):
                bad = 1 if dom0.overcommitted(model, load) else 2
            self._ranks[key] = bad, -dom0.headroom(model, more)
        return self._ranks[key]


class Search:
    """Tries all places of a few guests, as far as that ends.

    :param guests: each may leave its host.
    :param better: an outcome; only what is better is looked for.
    """

    def __init__(
        self,
        destinations: Destinations,
        failed: ty.Collection[str],
        guests: ty.Sequence[Guest],
        better: Outcome,
    ) -> None:
        self._destinations = destinations
        self._failed = failed
        self._best = better
        self._end = destinations.asked + _TRIES
        self._targets: dict[str, str] | None = None
        self._seen: set[ty.Any] = set()
        self._guests = list(guests)

    def found(self) -> dict[str, str] | None:
        """The host of each guest that has one, by UUID; None if none."""
        if len(self._guests) > _FEW or self._best == (0, 0):
            return None
        # Those with few choices first: that they have no place shows early.
        choices = {each.uuid: self._choices(each) for each in self._guests}
        self._guests.sort(
            key=lambda each: (choices[each.uuid], -each.memory_mb)
        )
        self._further(0, 0, [])
        return self._targets

    def _choices(self, guest: Guest) -> int:
        """How many hosts it may go to and overcommit none; of the first."""
        loads = self._destinations.state.loads
        hosts = self._destinations.of(guest, self._failed, _COMPARED)
        return sum(
            self._destinations.rank(loads[host], guest)[0] < 2
            for host in hosts
        )

    def _further(
        self, nowhere: int, over: int, placed: list[tuple[ty.Any, str]]
    ) -> None:
        if (
            self._destinations.asked > self._end
            or (nowhere, over) >= self._best
        ):
            return
        state = self._destinations.state
        if len(placed) == len(self._guests):
            self._best = nowhere, over
            self._targets = {
                move.guest.uuid: move.target for move in state.moves
            }
            return
        # Which of guests that are alike went where is all one.
        key = frozenset(collections.Counter(placed).items())
        if key in self._seen:
            return
        self._seen.add(key)
        guest = self._guests[len(placed)]
        hosts = self._destinations.of(guest, self._failed, _COMPARED)
        for host in hosts:
            bad, _ = self._destinations.rank(state.loads[host], guest)
            state.make(Move(guest, EVACUATE, guest.host, host))
            placed.append((_kind(guest), host))
            self._further(nowhere, over + (bad == 2), placed)
            placed.pop()
            state.undo()
        placed.append((_kind(guest), ''))
        self._further(nowhere + 1, over, placed)
        placed.pop()


def _kind(guest: Guest) -> ty.Hashable:
    """Guests of a kind can stand in for each other."""
    return (
        guest.mode,
        guest.memory_mb,
        guest.vcpus,
        # Of guests alike these are the same.
        id(guest.destinations[EVACUATE]),
        guest.group,
    )
