# SPDX-License-Identifier: Apache-2.0

"""How the demo shows what happened: for people, on a terminal or in a file."""

from __future__ import annotations

import sys
import textwrap
import time
import typing as ty

WIDTH = 100
_COLOURS = {
    'good': '\x1b[32m',
    'bad': '\x1b[31m',
    'head': '\x1b[1m',
    'plain': '',
}


def coloured(text: str, colour: str) -> str:
    """Text in a colour, on a terminal only."""
    if not sys.stdout.isatty():
        return text
    return '%s%s\x1b[0m' % (_COLOURS[colour], text)


def heading(text: str) -> None:
    print('\n%s\n' % coloured(text, 'head'))


def table(head: tuple[str, ...], rows: list[tuple[ty.Any, ...]]) -> None:
    """Aligned columns; numbers to the right."""
    cells = [tuple(str(cell) for cell in row) for row in rows]
    widths = [max(map(len, column)) for column in zip(head, *cells)]
    right = [
        all(isinstance(row[i], (int, float)) for row in rows)
        for i in range(len(head))
    ]
    for n, row in enumerate([head] + cells):
        line = '  '.join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, right)
        ).rstrip()
        print('  ' + (coloured(line, 'head') if n == 0 else line))


def wrapped(text: str, first: str, rest: int) -> None:
    """A paragraph that begins with ``first``, and is indented below it."""
    print(
        textwrap.fill(
            text,
            WIDTH,
            initial_indent=first,
            subsequent_indent=' ' * rest,
            break_on_hyphens=False,
            break_long_words=False,
        )
    )


class Progress:
    """One line on standard error that says what is being done."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._shown = 0

    def __call__(self, text: str) -> None:
        line = '[%3d s] %s' % (time.monotonic() - self._began, text)
        if sys.stderr.isatty():
            sys.stderr.write('\r' + line.ljust(self._shown))
            self._shown = len(line)
        else:
            sys.stderr.write(line + '\n')
        sys.stderr.flush()

    def done(self) -> None:
        """Leave the line to what is printed next."""
        if sys.stderr.isatty():
            sys.stderr.write('\r' + ' ' * self._shown + '\r')
            sys.stderr.flush()
            self._shown = 0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began
