# SPDX-License-Identifier: Apache-2.0

"""What becomes of guests when hosts fail: whether they fit elsewhere."""

from __future__ import annotations

import collections
import typing as ty

from nova_xen_sched.planner.cloud import Guest
from nova_xen_sched.planner.cloud import Move
from nova_xen_sched.planner.evacuation import Destinations
from nova_xen_sched.planner.evacuation import EVACUATE
from nova_xen_sched.planner.evacuation import Search
from nova_xen_sched.planner.state import State

#: How many orders of guests are tried.
_TRIES = 4


class Failure(ty.NamedTuple):
    """What becomes of the guests of hosts that fail together.

    :ivar hosts: those that fail.
    :ivar guests: those that they have.
    :ivar nowhere: the guests that nova would start nowhere, and why.
    :ivar overcommitted: the hosts whose dom0 would be overcommitted by the
        others, and isn't now.
    """

    hosts: ty.Tuple[str, ...]
    guests: ty.Tuple[Guest, ...]
    nowhere: ty.Tuple[ty.Tuple[Guest, str], ...]
    overcommitted: ty.Tuple[str, ...]

    @property
    def badness(self) -> tuple[int, int, int]:
        """What failures are compared by; more is worse."""
        return len(self.nowhere), len(self.overcommitted), len(self.guests)


class Failures:
    """Lets hosts of a cloud fail.

    :param state: of the cloud; it is left as it was.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._destinations = Destinations(state)
        self._over = frozenset(filter(state.overcommitted, state.loads))

    def of(self, hosts: ty.Sequence[str]) -> Failure:
        """These hosts fail together.

        Guests are given, the large ones first, to the host that keeps most
        headroom, and rather to one whose dom0 is not overcommitted by it.
        Where some have nowhere to go, or overcommit a dom0, these come first
        in other tries; then a search looks for something better. It looks at
        all that there is where guests and hosts are few. Else there may be a
        way that was not found, with fewer of both.
        """
        state = self._state
        guests = sorted(
            (guest for host in hosts for guest in state.guests(host)),
            key=lambda guest: (-guest.memory_mb, guest.uuid),
        )
        movable = [
            guest
            for guest in guests
            if not state.why_stays(guest, EVACUATE)
            and self._destinations.of(guest, hosts)
        ]
        # These have nowhere to go in whatever order.
        hopeless = len(guests) - len(movable)
        best, bad = self._given(hosts, guests)
        first: dict[str, int] = {}
        for number in range(1, _TRIES):
            if best.badness[:2] == (hopeless, 0):
                break
            first.update((uuid, number) for uuid in bad)
            order = sorted(guests, key=lambda each: -first.get(each.uuid, 0))
            found, bad = self._given(hosts, order)
            best = min(best, found, key=lambda each: each.badness)
        nowhere, over, _ = best.badness
        targets = Search(
            self._destinations, hosts, movable, (nowhere - hopeless, over)
        ).found()
        if targets is not None:
            # In the order of the search: what each books of placement counts.
            place = {uuid: number for number, uuid in enumerate(targets)}
            order = sorted(
                guests, key=lambda each: place.get(each.uuid, len(place))
            )
            best, _ = self._given(hosts, order, targets)
        return best._replace(guests=tuple(guests))

    def _given(
        self,
        hosts: ty.Sequence[str],
        guests: ty.Sequence[Guest],
        targets: ty.Mapping[str, str] = {},
    ) -> tuple[Failure, list[str]]:
        """In this order.

        :param targets: the hosts of some guests, by UUID.
        :returns: also the UUIDs of guests that have nowhere to go or
            overcommit a dom0.
        """
        state, begin = self._state, len(self._state.moves)
        nowhere, bad = [], []
        for guest in guests:
            why = state.why_stays(guest, EVACUATE)
            target = targets.get(guest.uuid)
            if not why and target is None:
                target = next(iter(self._destinations.of(guest, hosts)), None)
            if target is None:
                nowhere.append((guest, why or self._why_nowhere(guest, hosts)))
                bad.append(guest.uuid)
                continue
            if self._destinations.rank(state.loads[target], guest)[0]:
                bad.append(guest.uuid)
            state.make(Move(guest, EVACUATE, guest.host, target))
        over = tuple(
            host
            for host in sorted({move.target for move in state.moves[begin:]})
            if host not in self._over and state.overcommitted(host)
        )
        while len(state.moves) > begin:
            state.undo()
        return Failure(tuple(hosts), tuple(guests), tuple(nowhere), over), bad

    def worst(
        self,
        hosts: ty.Sequence[str],
        count: int,
        first: Failure,
        step: ty.Callable[[], None] = lambda: None,
    ) -> list[Failure]:
        """The worst of one host, of two that fail together, and so on.

        Each is found by the one before it and a host more. Others may be
        worse together.

        :param hosts: those that may fail, at least so many.
        :param first: the worst of one host.
        :param step: is called after each failure that is looked at.
        """
        found = [first]
        while len(found) < count:
            failed = found[-1].hosts
            next_ones = []
            for host in hosts:
                if host not in failed:
                    next_ones.append(self.of((*failed, host)))
                    step()
            found.append(max(next_ones, key=lambda each: each.badness))
        return found

    def _why_nowhere(self, guest: Guest, failed: ty.Collection[str]) -> str:
        """What nova says of the hosts that are left."""
        reasons = collections.Counter(
            self._state.why_not(guest, EVACUATE, host)
            for host in self._state.loads
            if host not in failed
        )
        return (
            '; '.join(
                '%s (%d host%s)' % (reason, count, '' if count == 1 else 's')
                for reason, count in reasons.most_common(3)
            )
            or 'there is no other Xen host'
        )
