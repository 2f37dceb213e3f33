# SPDX-License-Identifier: Apache-2.0

"""What becomes of guests when hosts fail: whether they fit elsewhere."""

from __future__ import annotations

import collections
import itertools
import typing as ty

from nova_xen_sched import dom0
from nova_xen_sched.planner.cloud import Guest
from nova_xen_sched.planner.cloud import Move
from nova_xen_sched.planner.cloud import Operation
from nova_xen_sched.planner.state import State

_EVACUATE = Operation.EVACUATE
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
        self._loads = dict(state.loads)
        # By what counts of a guest: hosts, those first that keep most
        # headroom with it. Sorted once a kind of guest, not once a guest.
        self._orders: dict[ty.Any, list[str]] = {}

    def of(self, hosts: ty.Sequence[str]) -> Failure:
        """These hosts fail together.

        Guests are given, the large ones first, to the host that keeps most
        headroom. Where some have nowhere to go, they come first in another
        try.
        """
        guests = sorted(
            (guest for host in hosts for guest in self._state.guests(host)),
            key=lambda guest: (-guest.memory_mb, guest.uuid),
        )
        best = self._given(hosts, guests)
        first: dict[str, int] = {}
        for number in range(1, _TRIES):
            left = [
                guest
                for guest, _ in best.nowhere
                if not self._state.why_stays(guest, _EVACUATE)
            ]
            if not left:
                break
            first.update((guest.uuid, number) for guest in left)
            guests.sort(key=lambda each: -first.get(each.uuid, 0))
            best = min(
                best,
                self._given(hosts, guests),
                key=lambda each: each.badness,
            )
        return best

    def _given(
        self, hosts: ty.Sequence[str], guests: ty.Sequence[Guest]
    ) -> Failure:
        """In this order."""
        state, begin = self._state, len(self._state.moves)
        now = set(filter(state.overcommitted, state.loads))
        nowhere = []
        filled: dict[str, None] = {}
        for guest in guests:
            why = state.why_stays(guest, _EVACUATE)
            target = None if why else self._target(guest, hosts, filled)
            if target is None:
                why = why or self._why_nowhere(guest, hosts)
                nowhere.append((guest, why))
                continue
            state.make(Move(guest, _EVACUATE, guest.host, target))
            filled[target] = None
        over = tuple(
            host
            for host in sorted(filled)
            if host not in now and state.overcommitted(host)
        )
        while len(state.moves) > begin:
            state.undo()
        return Failure(tuple(hosts), tuple(guests), tuple(nowhere), over)

    def worst(self, hosts: ty.Sequence[str], count: int) -> list[Failure]:
        """The worst of one host, of two that fail together, and so on.

        Each is found by the one before it and a host more. Others may be
        worse together: so many hosts are at least as bad as this.

        :param hosts: those that may fail, at least so many.
        """
        found: list[Failure] = []
        for _ in range(count):
            failed = found[-1].hosts if found else ()
            found.append(
                max(
                    (
                        self.of((*failed, host))
                        for host in hosts
                        if host not in failed
                    ),
                    key=lambda each: each.badness,
                )
            )
        return found

    def _target(
        self,
        guest: Guest,
        failed: ty.Collection[str],
        filled: ty.Iterable[str],
    ) -> str | None:
        """The host that keeps most headroom, of those that nova takes."""
        state = self._state
        # Only those that took guests have another headroom than in order.
        first = (
            host
            for host in self._order(guest)
            if host not in failed
            and host not in filled
            and not state.why_not(guest, _EVACUATE, host)
        )
        found = [
            *itertools.islice(first, 1),
            *(
                host
                for host in filled
                if not state.why_not(guest, _EVACUATE, host)
            ),
        ]
        if not found:
            return None
        return max(
            found,
            key=lambda host: self._headroom(state.loads[host], guest),
        )

    def _order(self, guest: Guest) -> list[str]:
        ways = guest.destinations[_EVACUATE].ways
        key = guest.mode, guest.memory_mb, guest.vcpus, id(ways)
        if key not in self._orders:
            headrooms = {
                host: self._headroom(self._loads[host], guest) for host in ways
            }
            self._orders[key] = sorted(
                ways, key=lambda host: (-headrooms[host], host)
            )
        return self._orders[key]

    def _headroom(self, load: dom0.Load, guest: Guest) -> float:
        """Of a host with a guest more, overcommitted or not."""
        model = self._state.cloud.model
        return dom0.headroom(
            model,
            model.plus(load, guest.mode, guest.memory_mb, guest.vcpus),
        )

    def _why_nowhere(self, guest: Guest, failed: ty.Collection[str]) -> str:
        """What nova says of the hosts that are left."""
        reasons = collections.Counter(
            self._state.why_not(guest, _EVACUATE, host)
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
