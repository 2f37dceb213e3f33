# SPDX-License-Identifier: Apache-2.0

"""What was asked and what happened: as it goes, and as a table at the end."""

from __future__ import annotations

import contextlib
import dataclasses
import time
import typing as ty

from tests.e2e.processes import Failure
from tools import printing


@dataclasses.dataclass
class Step:
    """One line of the table.

    :ivar happened: in a few words
    :ivar lines: those of the logs that matter
    :ivar whose: a failure is, empty if nobody asked
    """

    asked: str
    happened: str = ''
    lines: list[str] = dataclasses.field(default_factory=list)
    failed: bool = False
    whose: str = ''
    seconds: float = 0.0

    def says(self, text: str, *lines: str) -> None:
        """What happened, and the log lines that show it."""
        self.happened = '; '.join(filter(None, (self.happened, text)))
        self.lines.extend(line for line in lines if line not in self.lines)

    @property
    def outcome(self) -> str:
        return ('FAILED: ' if self.failed else '') + self.happened

    def check(self, holds: object, otherwise: str) -> None:
        """:raises Failure: with these words, unless it holds"""
        if not holds:
            raise Failure(otherwise)


#: What a run ends with where something failed, and where nothing of that can
#: be ours.
FAILED = 1
NOT_OURS = 3


class Report:
    """All that was asked.

    :ivar whose: says of a failure whose it is: ours, or somebody's.
    :ivar since: when what is asked now was begun, by time.time().
    """

    def __init__(self) -> None:
        self.whose: ty.Callable[[Exception], str] = lambda _: ''
        self.since = 0.0
        self._began = time.monotonic()
        self._steps: list[Step | str] = []

    def chapter(self, title: str) -> None:
        self._steps.append(title)
        print('\n%s' % title, flush=True)

    def note(self, text: str) -> None:
        """Progress that isn't part of the table."""
        print('%5.0f s  %s' % (self.elapsed, text), flush=True)

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self._began

    @contextlib.contextmanager
    def step(self, asked: str) -> ty.Iterator[Step]:
        """Something that is asked. A failure is noted, and the run goes on."""
        step = Step(asked)
        began, self.since = time.monotonic(), time.time()
        self.note(asked + ' ...')
        try:
            yield step
        except Exception as e:
            step.failed = True
            step.whose = self.whose(e)
            kind = '' if isinstance(e, Failure) else type(e).__name__ + ': '
            step.says('%s%s' % (kind, e))
        finally:
            step.seconds = time.monotonic() - began
            self._steps.append(step)
            self.note('  %s (%.1f s)' % (step.outcome, step.seconds))

    @property
    def _done(self) -> list[Step]:
        return [step for step in self._steps if isinstance(step, Step)]

    @property
    def failures(self) -> list[Step]:
        return [step for step in self._done if step.failed]

    def table(self) -> None:
        """All steps, with the lines of the logs that show what happened."""
        left = min(44, max(len(step.asked) for step in self._done))
        widths = (left, printing.WIDTH - left - 12, 7)
        print()
        for step in self._steps:
            if isinstance(step, str):
                print('\n%s' % step)
                continue
            cells = (step.asked, step.outcome, '%5.1f s' % step.seconds)
            for line in printing.columns(cells, widths):
                print('  ' + line)
            for line in step.lines:
                if line.startswith(('+-', '| ')):
                    # A table, which has its own width.
                    print('      ' + line)
                else:
                    printing.wrapped(line, '      | ', '      |   ')

    def end(self, logs: str) -> int:
        """The last lines, and the exit code."""
        count, failures = len(self._done), self.failures
        print(
            '\n%d of %d as expected, in %d s. Logs: %s'
            % (count - len(failures), count, self.elapsed, logs),
            flush=True,
        )
        if not failures:
            return 0
        by_whom: dict[str, list[str]] = {}
        for step in failures:
            by_whom.setdefault(step.whose, []).append(step.asked)
        print(
            'Failed: %s'
            % '; '.join(
                '%s%s' % (whose and whose + ': ', ', '.join(asked))
                for whose, asked in sorted(by_whom.items())
            ),
            flush=True,
        )
        others = all(whose and 'ours' not in whose for whose in by_whom)
        return NOT_OURS if others else FAILED
