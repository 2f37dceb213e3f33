# SPDX-License-Identifier: Apache-2.0

"""A search for few moves that take hosts out of overcommitment.

Each of these must lose a least number of guests. It is searched for so many
moves, and then for some more, depth first. What is searched is limited by how
many destinations are looked at, not by time, so that the same cloud has the
same plan.
"""

from __future__ import annotations

import itertools
import math
import typing as ty

from nova_xen_sched import dom0
from nova_xen_sched.planner.cloud import Allowed
from nova_xen_sched.planner.cloud import Guest
from nova_xen_sched.planner.cloud import Move
from nova_xen_sched.planner.cloud import Operation
from nova_xen_sched.planner.state import State

#: How many moves beyond the least number are searched for.
EXTRA = 3
#: How many destinations are looked at for each guest that has to move and
#: each host, if that is more than a search may look at.
_TRIES_A_MOVE = 30
#: How many moves are searched for at most: each is a call in a call. Of more
#: nothing better is found in the time that there is.
_DEEPEST = 300


class Search:
    """Looks for few moves that take hosts out of overcommitment."""

    def __init__(
        self,
        state: State,
        operations: ty.Sequence[Operation],
        allowed: Allowed,
    ) -> None:
        self.state = state
        self._operations = operations
        self._allowed = allowed
        self._tries = 0
        # By the moves that were made: with how many more it can't be done.
        self._failed: dict[frozenset[tuple[str, str]], int] = {}

    def overcommitted(self) -> list[str]:
        """The hosts that are, the worst first."""
        state = self.state
        return sorted(
            filter(state.overcommitted, state.loads),
            key=lambda host: (state.headroom(host), host),
        )

    def mendable(self, hosts: ty.Iterable[str]) -> list[str]:
        """Those that could be mended, were there room for their guests."""
        return [host for host in hosts if math.isfinite(self.least(host))]

    def least_of(self, hosts: ty.Iterable[str]) -> int:
        """How many guests have to leave hosts that can be mended, in all."""
        return int(sum(map(self.least, hosts)))

    def least(self, host: str) -> float:
        """How many guests have to leave a host at least.

        :returns: infinite if that wouldn't mend it.
        """
        state = self.state
        if not state.overcommitted(host):
            return 0
        model = state.cloud.model
        without: dict[ty.Any, tuple[dom0.Usage, ...]] = {}
        guests = []
        for guest in state.movable(host, self._operations, self._allowed):
            size = guest.mode, guest.memory_mb, guest.vcpus
            if size not in without:
                less = state.with_guest(host, guest, -1)
                without[size] = dom0.resources(model, less)
            guests.append(without[size])
        return max(
            _fewest(
                now.used - now.capacity * (1 + dom0.ROUNDING),
                [now.used - usages[index].used for usages in guests],
            )
            for index, now in enumerate(
                dom0.resources(model, state.loads[host])
            )
            if now.overcommitted
        )

    def found(
        self, hosts: list[str], tries: int, bound: int | None = None
    ) -> bool:
        """Make as few moves as can be found that mend all these hosts.

        :param bound: how many at most; None for as many as it takes.
        :returns: False if none are found; then none are made.
        """
        if len(self.mendable(hosts)) < len(hosts):
            return False
        first = self.least_of(hosts)
        if first > _DEEPEST:
            return False
        bounds = range(first, first + EXTRA + 1) if bound is None else [bound]
        for most in bounds:
            enough = _TRIES_A_MOVE * first * len(self.state.loads)
            self._tries = max(tries, enough)
            self._failed = {}
            if self._mended(hosts, most):
                return True
        return False

    def _mended(self, hosts: list[str], bound: int) -> bool:
        """Depth first: whether a number of moves is enough."""
        state = self.state
        over = [host for host in hosts if state.overcommitted(host)]
        over.sort(key=state.headroom)
        if not over:
            return True
        slack = bound - sum(map(self.least, over))
        made = frozenset(_key(move) for move in state.moves)
        if slack < 0 or self._failed.get(made, -1) >= bound:
            return False
        for moves in self._steps(over, slack):
            if self._tries <= 0:
                return False
            for move in moves:
                state.make(move)
            if self._mended(over, bound - len(moves)):
                return True
            for _ in moves:
                state.undo()
        self._failed[made] = bound
        return False

    def _steps(self, over: list[str], slack: float) -> ty.Iterator[list[Move]]:
        """What may be done next, the best first: one move, or two.

        :param over: the hosts to mend, the worst first.
        :param slack: how many moves may be wasted.
        """
        wasteful = []
        for host in over:
            gains: dict[str, bool] = {}
            for move in self._moves(host):
                uuid = move.guest.uuid
                if uuid not in gains:
                    gains[uuid] = self._gains(host, move)
                if gains[uuid]:
                    yield [move]
                else:
                    wasteful.append([move])
        if slack < 1:
            return
        for host in over:
            yield from self._making_room(host)
        yield from wasteful
        if slack < 2:
            return
        # Where it takes two to make room for one.
        for host in self.state.loads:
            if host not in over:
                yield from ([move] for move in self._moves(host))

    def _gains(self, host: str, move: Move) -> bool:
        """Whether a host must lose one less once a guest is gone."""
        before = self.least(host)
        self.state.make(move)
        found = self.least(host) < before
        self.state.undo()
        return found

    def _alike(self, host: str) -> list[Guest]:
        return self.state.alike(host, self._operations, self._allowed)

    def _moves(self, host: str) -> ty.Iterator[Move]:
        """Away from a host: the fewest MiB first, to the emptiest host."""
        guests = self._alike(host)
        if len(self._operations) > 1:
            yield from self._sorted(guests)
            return
        # Most often the first will do, and the others need no look.
        for _, group in itertools.groupby(guests, lambda g: g.memory_mb):
            yield from self._sorted(group)

    def _sorted(self, guests: ty.Iterable[Guest]) -> list[Move]:
        state = self.state
        found = []
        for guest in guests:
            for move in self._of(guest):
                headroom = state.headroom_with(move.target, guest)
                if headroom is not None:
                    found.append((move, headroom))
        order = self._operations.index
        found.sort(
            key=lambda each: (
                order(each[0].operation),
                each[0].guest.memory_mb,
                -each[1],
                each[0].target,
            )
        )
        return [move for move, _ in found]

    def _of(self, guest: Guest) -> ty.Iterator[Move]:
        """Of one guest, as nova would; whatever that makes of dom0."""
        self._tries -= len(self.state.loads)
        return self.state.moves_of(guest, self._operations, self.state.loads)

    def _making_room(self, host: str) -> ty.Iterator[list[Move]]:
        """Another guest makes room for one of a host's."""
        state = self.state
        for guest in self._alike(host):
            for target in state.loads:
                if target == host or state.overcommitted(target):
                    continue
                if self._tries <= 0:
                    return
                for other in self._alike(target):
                    for away in self._of(other):
                        if (
                            away.target == host
                            or state.headroom_with(away.target, other) is None
                        ):
                            continue
                        state.make(away)
                        into = [
                            move
                            for move in state.moves_of(
                                guest, self._operations, [target]
                            )
                            if state.headroom_with(target, guest) is not None
                        ]
                        state.undo()
                        if into:
                            yield [away, *into]

    def ease(self, host: str) -> None:
        """Move away from a host that can't be mended what can be moved."""
        while self.state.overcommitted(host):
            moves = self._moves(host)
            before = self.state.headroom(host)
            for move in moves:
                self.state.make(move)
                if self.state.headroom(host) > before:
                    break
                self.state.undo()
            else:
                return


def _fewest(excess: float, given: list[float]) -> float:
    """How many of the largest it takes; infinite if all are too little."""
    for count, each in enumerate(sorted(given, reverse=True), 1):
        excess -= each
        if excess <= 0:
            return count
    return math.inf


def _key(move: Move) -> tuple[str, str]:
    return move.guest.uuid, move.target
