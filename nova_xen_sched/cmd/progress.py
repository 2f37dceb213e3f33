# SPDX-License-Identifier: Apache-2.0

"""A sign of life on the terminal."""

from __future__ import annotations

import sys
import threading
import time
import typing as ty


class Progress:
    """One line on the terminal for what takes longer than a second.

    Use it as a context; where stderr is no terminal it says nothing. A thread
    writes the line, so that a stage of one long step has it, too. Of stages
    within stages the innermost is shown.

    :cvar verbose: whether a line stays of each stage, with the time it took.
    :param what: what is done, "Asking hosts".
    :param total: of how many, or 0 where that isn't known.
    """

    AFTER = 1.0

    verbose = False
    _innermost: ty.ClassVar[Progress | None] = None

    def __init__(
        self, what: str, total: int = 0, stream: ty.Any = None
    ) -> None:
        self._what = what
        self._total = total
        self._stream = sys.stderr if stream is None else stream
        try:
            self._active = self._stream.isatty()
        except (AttributeError, ValueError):
            self._active = False
        self._done = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)

    def __enter__(self) -> Progress:
        self._outer, Progress._innermost = Progress._innermost, self
        self._began = time.monotonic()
        if self._active:
            self._thread.start()
        return self

    def step(self, done: int | None = None) -> None:
        """One more is done, or so many in all."""
        self._done = self._done + 1 if done is None else done

    def _write(self) -> None:
        shown = 0
        while not self._ended.wait(0.2 if shown else self.AFTER):
            text = self._text() if Progress._innermost is self else ''
            if text or shown:
                self._stream.write('\r' + text.ljust(shown))
                self._stream.flush()
            shown = len(text)
        if shown:
            self._stream.write('\r' + ' ' * shown + '\r')
            self._stream.flush()

    def _text(self, seconds: str = '%d') -> str:
        text = self._what
        if self._total:
            text += ': %d of %d' % (self._done, self._total)
        elif self._done:
            text += ': %d' % self._done
        return '%s, %s s' % (text, seconds % (time.monotonic() - self._began))

    def __exit__(self, *_exc: ty.Any) -> None:
        Progress._innermost = self._outer
        self._ended.set()
        if self._active:
            self._thread.join()
        if self.verbose:
            self._stream.write(self._text('%.1f') + '\n')
            self._stream.flush()
