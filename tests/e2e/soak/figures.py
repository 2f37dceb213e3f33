# SPDX-License-Identifier: Apache-2.0

"""What a soak counts, and the section of soak.rst that says so."""

from __future__ import annotations

import collections
import dataclasses
import typing as ty

from tools import printing
from tools.soak import page


@dataclasses.dataclass
class Figures:
    """Of one run; each counter says how many times.

    :ivar asked: requests of users.
    :ivar failed: requests that failed, and what the user saw.
    :ivar broken: faults.
    :ivar not_done: what went wrong with a fault itself.
    :ivar causes: why servers are in ERROR, or hang.
    :ivar memory: of nova-scheduler, in a sentence.
    """

    about: str
    asked: collections.Counter[str]
    failed: collections.Counter[str]
    broken: collections.Counter[str]
    not_done: list[str]
    causes: collections.Counter[str] = dataclasses.field(
        default_factory=collections.Counter
    )
    memory: str = ''

    def __str__(self) -> str:
        return '%d requests, %d of them failed; %d faults' % (
            sum(self.asked.values()),
            sum(self.failed.values()),
            sum(self.broken.values()),
        )

    def lines(self) -> ty.Iterator[str]:
        """What happened during the run."""
        yield from counted(self.asked)
        yield from counted(self.failed, 'failed: ')
        yield from counted(self.broken)
        yield from ('not done: ' + each for each in self.not_done)

    def write(self, folder: str) -> None:
        """Write the section of soak.rst."""
        lines = [self.about, '']
        for head, counts in (
            ('request', self.asked),
            ('fault', self.broken),
            (
                'fault that could not be done',
                collections.Counter(
                    each.partition(':')[0] for each in self.not_done
                ),
            ),
            ('request that failed, and what its user saw', self.failed),
            (
                'cause of a server in ERROR, or that hangs, by the logs',
                self.causes,
            ),
        ):
            rows = [(what, str(n)) for what, n in counts.most_common()]
            lines += [*printing.rst((head, 'times'), rows), '']
        lines.append("nova-scheduler's memory: %s." % self.memory)
        page.put(folder, 'Real services', lines)


def counted(
    counts: collections.Counter[str], before: str = ''
) -> ty.Iterator[str]:
    for what, number in counts.most_common():
        yield '%d x %s%s' % (number, before, what)
