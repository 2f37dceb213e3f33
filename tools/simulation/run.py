# SPDX-License-Identifier: Apache-2.0

"""One run: a cloud that grows from level to level, and what is measured.

At each level of use it is filled up with arrivals; then guests come (a
Poisson process) and go (their lifetimes are exponential) at rates that keep
the level. All policies of a seed meet the same hosts and the same guests.
"""

from __future__ import annotations

import heapq
import itertools
import random
import typing as ty

from tools.simulation import policies
from tools.simulation import world

#: How long each level is kept, in mean lifetimes of a guest; it is measured
#: in the last part of it.
KEPT = 0.25
MEASURED = 0.6


class Plan(ty.NamedTuple):
    """What to run."""

    policy: str
    seed: int
    hosts: int
    levels: tuple[float, ...]
    multiplier: float | None = None
    full_spread: float | None = None
    kept: float = KEPT

    def slots(self) -> int:
        """Guests of the average kind that all hosts can serve."""
        return sum(size.slots for size in world.sizes(self.hosts, self.seed))

    def arrivals(self) -> int:
        """How many to expect."""
        turnover = sum(self.levels) * self.kept
        return round(self.slots() * (max(self.levels) + turnover))


class Outcome(ty.NamedTuple):
    """What was measured of a policy, with a seed, at a level of use.

    :ivar over: dom0s whose memory or CPUs are overcommitted, mean over time.
    :ivar over_ram: hosts whose RAM beside dom0 is, mean over time.
    :ivar worst: how full the fullest dom0 is, mean over time; 1 is full.
    :ivar peak: the highest of it.
    :ivar guests: mean over time.
    :ivar arrivals: of all levels up to this one.
    :ivar refused: those of them that nova had no room for on any host.
    """

    policy: str
    seed: int
    level: float
    over: float
    over_ram: float
    worst: float
    peak: float
    guests: float
    arrivals: int
    refused: int


class Run:
    """A cloud under one policy.

    :param tell: is called now and then with the number of new arrivals.
    """

    def __init__(self, plan: Plan, tell: ty.Callable[[int], None]) -> None:
        self._plan = plan
        self._tell = tell
        self._hosts = [
            world.Host(size) for size in world.sizes(plan.hosts, plan.seed)
        ]
        self._chooser = policies.make(
            plan.policy,
            self._hosts,
            plan.multiplier,
            plan.full_spread,
        )
        self._guests = world.guests(plan.seed)
        self._rng = random.Random('gaps %d' % plan.seed)
        self._leaving: list[tuple[float, int, int, world.Guest]] = []
        self._use = [host.use() for host in self._hosts]
        self._order = itertools.count()
        self._now = 0.0
        self._arrivals = self._refused = 0

    def outcomes(self) -> list[Outcome]:
        """Run it."""
        slots = self._plan.slots()
        return [
            self._level(level, round(level * slots))
            for level in self._plan.levels
        ]

    def guests(self) -> list[tuple[int, world.Guest]]:
        """The guests that are there now, with the numbers of their hosts."""
        return [(index, guest) for _, _, index, guest in self._leaving]

    def _level(self, level: float, target: int) -> Outcome:
        for _ in range(target - len(self._leaving)):
            self._arrive()
        end = self._now + self._plan.kept
        begin = end - self._plan.kept * MEASURED
        # Sums over time of: dom0s over, hosts' RAM over, worst, guests.
        sums = [0.0] * 4
        peak = 0.0
        arrival = self._now + self._rng.expovariate(target)
        while self._now < end:
            departure = self._leaving[0][0]
            then = min(arrival, departure, end)
            lasts = then - max(self._now, begin)
            if lasts > 0:
                seen = self._see()
                peak = max(peak, seen[2])
                sums = [a + b * lasts for a, b in zip(sums, seen)]
            self._now = then
            if then == arrival:
                self._arrive()
                arrival = then + self._rng.expovariate(target)
            elif then == departure:
                self._depart()
        over, over_ram, worst, guests = (each / (end - begin) for each in sums)
        return Outcome(
            self._plan.policy,
            self._plan.seed,
            level,
            over,
            over_ram,
            worst,
            peak,
            guests,
            self._arrivals,
            self._refused,
        )

    def _see(self) -> tuple[float, float, float, float]:
        return (
            sum(dom0 > 1 for dom0, _ in self._use),
            sum(ram > 1 for _, ram in self._use),
            max(self._use)[0],
            len(self._leaving),
        )

    def _arrive(self) -> None:
        guest = next(self._guests)
        self._arrivals += 1
        if self._arrivals % 50 == 0:
            self._tell(50)
        offered = [
            i for i, host in enumerate(self._hosts) if host.sells(guest.flavor)
        ]
        if not offered:
            self._refused += 1
            return
        index = self._chooser.choose(guest, offered)
        self._chooser.came(index, guest)
        self._change(index, guest, 1)
        heapq.heappush(
            self._leaving,
            (self._now + guest.stays, next(self._order), index, guest),
        )

    def _depart(self) -> None:
        _, _, index, guest = heapq.heappop(self._leaving)
        self._chooser.went(index, guest)
        self._change(index, guest, -1)

    def _change(self, index: int, guest: world.Guest, count: int) -> None:
        host = self._hosts[index]
        host.add(guest, count)
        self._use[index] = host.use()
