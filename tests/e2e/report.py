# SPDX-License-Identifier: Apache-2.0

"""What was asked and what happened: as it goes, and as a table at the end."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
import textwrap
import time
import typing as ty

from tests.e2e.processes import Failure

_WIDTH = 100


@dataclasses.dataclass
class Step:
    """One line of the table.

    :ivar happened: in a few words
    :ivar lines: those of the logs that matter
    """

    asked: str
    happened: str = ''
    lines: list[str] = dataclasses.field(default_factory=list)
    failed: bool = False
    seconds: float = 0.0

    def says(self, text: str, *lines: str) -> None:
        """What happened, and the log lines that show it."""
        self.happened = '; '.join(filter(None, (self.happened, text)))
        self.lines.extend(line for line in lines if line not in self.lines)

    def check(self, holds: object, otherwise: str) -> None:
        """:raises Failure: with these words, unless it holds"""
        if not holds:
            raise Failure(otherwise)


class Report:
    """All that was asked."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._steps: list[Step | str] = []

    def chapter(self, title: str) -> None:
        self._steps.append(title)
        self._print('\n%s' % title)

    def note(self, text: str) -> None:
        """Progress that isn't part of the table."""
        self._print('%5.0f s  %s' % (self.elapsed, text))

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self._began

    @contextlib.contextmanager
    def step(self, asked: str) -> ty.Iterator[Step]:
        """Something that is asked. A failure is noted, and the run goes on."""
        step = Step(asked)
        began = time.monotonic()
        self.note(asked + ' ...')
        try:
            yield step
        except Exception as e:
            step.failed = True
            step.says(
                '%s%s'
                % (
                    '' if isinstance(e, Failure) else type(e).__name__ + ': ',
                    e,
                )
            )
        finally:
            step.seconds = time.monotonic() - began
            self._steps.append(step)
            self.note(
                '  %s%s (%.1f s)'
                % (
                    'FAILED: ' if step.failed else '',
                    step.happened,
                    step.seconds,
                )
            )

    @property
    def failures(self) -> list[Step]:
        return [
            step
            for step in self._steps
            if isinstance(step, Step) and step.failed
        ]

    def table(self) -> None:
        steps = [step for step in self._steps if isinstance(step, Step)]
        left = min(44, max(len(step.asked) for step in steps))
        right = _WIDTH - left - 12
        self._print('')
        for step in self._steps:
            if isinstance(step, str):
                self._print('\n%s' % step)
                continue
            asked = textwrap.wrap(step.asked, left)
            happened = textwrap.wrap(
                ('FAILED: ' if step.failed else '') + step.happened, right
            ) or ['']
            for n in range(max(len(asked), len(happened))):
                self._print(
                    '  %-*s  %-*s  %s'
                    % (
                        left,
                        asked[n] if n < len(asked) else '',
                        right,
                        happened[n] if n < len(happened) else '',
                        '' if n else '%5.1f s' % step.seconds,
                    )
                )
            for line in step.lines:
                if line.startswith(('+-', '| ')):
                    # A table, which has its own width.
                    self._print('      ' + line)
                    continue
                for piece in textwrap.wrap(
                    line,
                    _WIDTH,
                    initial_indent='      | ',
                    subsequent_indent='      |   ',
                    break_long_words=False,
                ):
                    self._print(piece)

    def _print(self, text: str) -> None:
        print('\n'.join(t.rstrip() for t in text.split('\n')), flush=True)
        sys.stdout.flush()

    def end(self, logs: str) -> int:
        """The last lines, and the exit code."""
        steps = [step for step in self._steps if isinstance(step, Step)]
        self._print(
            '\n%d of %d as expected, in %d s. Logs: %s'
            % (len(steps) - len(self.failures), len(steps), self.elapsed, logs)
        )
        return 1 if self.failures else 0
