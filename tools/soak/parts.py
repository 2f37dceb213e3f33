# SPDX-License-Identifier: Apache-2.0

"""The parts of a run, and how many cases each has.

A module of its own: a fresh process can't import __main__.
"""

from __future__ import annotations

import math
import typing as ty

from tools.soak import documents
from tools.soak import evaluate
from tools.soak import facts_files
from tools.soak import limits


class Part(ty.NamedTuple):
    """One kind of case.

    :ivar whole: cases of the whole run.
    :ivar batch: cases that a process is given at once.
    :ivar bound_memory: whether each is held to limits.MEMORY_MB.
    :ivar step: from one case's seed to the next one's.
    """

    name: str
    check: ty.Callable[[int, limits.Tally], None]
    whole: int
    batch: int
    bound_memory: bool = True
    step: int = 1

    def cases(self, length: float) -> int:
        return max(1, math.ceil(self.whole * length))

    def batches(self, first: int, length: float) -> list[list[int]]:
        """The seeds of all cases, a batch each."""
        seeds = [first + n * self.step for n in range(self.cases(length))]
        return [
            seeds[start : start + self.batch]
            for start in range(0, len(seeds), self.batch)
        ]


#: Those that bound their memory come first, as others leave processes large.
PARTS = (
    Part('facts-in-force', facts_files.filtered, 1000, 10),
    Part('hosts', documents.hosts, 100000, 100),
    Part('facts-files', facts_files.parsed, 100000, 100),
    Part('images', documents.glance, 100000, 100),
    Part('eventlet', evaluate.check_eventlet, 12, 1, False, 4),
    # Some 850 evaluations each.
    Part('evaluations', evaluate.check, 12000, 10, bound_memory=False),
)
BY_NAME: ty.Mapping[str, Part] = {part.name: part for part in PARTS}


def run(name: str, seeds: ty.Sequence[int]) -> limits.Tally:
    """Cases of a part, in this process."""
    part = BY_NAME[name]
    evaluate.plugins()
    return limits.run(seeds, part.check, part.bound_memory)
