# SPDX-License-Identifier: Apache-2.0

"""Timing in interleaved rounds, so that what else runs hits all alike."""

from __future__ import annotations

import dataclasses
import gc
import random
import statistics
import time
import typing as ty

#: Seconds that one round of one subject takes at least.
_LEAST = 0.002


@dataclasses.dataclass(frozen=True)
class Timing:
    """How long one subject took, in seconds a call, round by round."""

    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)


@dataclasses.dataclass(frozen=True)
class Ratio:
    """One subject beside another of the same rounds.

    :ivar median: of the rounds' ratios.
    :ivar low: the lower quartile of these, and high the upper one.
    :ivar best: the least of them.
    """

    median: float
    low: float
    high: float
    best: float


def ratio(one: Timing, other: Timing) -> Ratio:
    """Round by round: what slows one round down slows both of its times."""
    ratios = [a / b for a, b in zip(one.rounds, other.rounds)]
    low, _, high = statistics.quantiles(ratios, n=4, method='inclusive')
    return Ratio(statistics.median(ratios), low, high, min(ratios))


def turns(names: ty.Iterable[str], rounds: int) -> ty.Iterator[list[str]]:
    """The order in each round: another each time, the same in each run."""
    for n in range(rounds):
        order = list(names)
        random.Random(n).shuffle(order)
        yield order


def interleaved(
    subjects: ty.Mapping[str, ty.Callable[[], object]],
    rounds: int,
    after: ty.Callable[[], object] = lambda: None,
) -> dict[str, Timing]:
    """Time each subject once a round, in another order each time.

    It is the processor's time of this process: what others take from us is
    not in it, though they do empty its caches. pyperf is for one benchmark
    after the other, each in processes of its own; here the point is that
    two are taken side by side.

    :param subjects: by name.
    :param after: is called after each time that is taken, and not timed.
    """
    clock = time.process_time
    loops: dict[str, int] = {}
    for name, call in subjects.items():
        call()  # warm
        began = clock()
        call()
        loops[name] = max(1, round(_LEAST / max(clock() - began, 1e-7)))
    found: dict[str, list[float]] = {name: [] for name in subjects}
    for names in turns(subjects, rounds):
        # What was left by the last round is nobody's.
        gc.collect()
        for name in names:
            call, count = subjects[name], range(loops[name])
            began = clock()
            for _ in count:
                call()
            found[name].append((clock() - began) / len(count))
            after()
    return {name: Timing(tuple(each)) for name, each in found.items()}
