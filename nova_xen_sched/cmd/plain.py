# SPDX-License-Identifier: Apache-2.0

"""The format of all lists by default: plain columns that fit the terminal.

cliff's own table is as wide as what it holds, or breaks every cell.
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import typing as ty

from cliff.formatters import base

from nova_xen_sched.cmd import tables

_GAP = '  '
#: The least width in which the last column is broken into lines.
_LEAST = 24
_RED, _END = '\033[31m', '\033[0m'


class Plain(base.ListFormatter, base.SingleFormatter):  # type: ignore[misc,unused-ignore]
    """Columns without borders; one thing as its fields, a line each."""

    def add_argument_group(self, parser: argparse.ArgumentParser) -> None:
        """There is nothing to choose."""

    def emit_list(
        self,
        column_names: ty.Iterable[str],
        data: ty.Iterable[ty.Iterable[ty.Any]],
        stdout: ty.Any,
        parsed_args: argparse.Namespace,
    ) -> None:
        """Write a table."""
        rows = [list(column_names), *map(list, data)]
        for line in lines(rows, *terminal(stdout), titled=True):
            stdout.write(line + '\n')

    def emit_one(
        self,
        column_names: ty.Iterable[str],
        data: ty.Iterable[ty.Any],
        stdout: ty.Any,
        parsed_args: argparse.Namespace,
    ) -> None:
        """Write the fields of one thing."""
        rows = list(zip(column_names, data))
        for line in lines(rows, *terminal(stdout)):
            stdout.write(line + '\n')


def terminal(stream: ty.Any) -> tuple[int, bool]:
    """How many columns a stream has, 0 if it is no terminal; and colours.

    NO_COLOR is heeded as https://no-color.org says.
    """
    if not stream.isatty():
        return 0, False
    colour = not os.environ.get('NO_COLOR') and os.getenv('TERM') != 'dumb'
    return shutil.get_terminal_size().columns, colour


def lines(
    rows: ty.Sequence[ty.Sequence[ty.Any]],
    width: int = 0,
    colour: bool = False,
    titled: bool = False,
) -> ty.Iterator[str]:
    """A table as lines.

    If it is too wide, its last column is broken into lines; where that is not
    enough, long names in the first column get a line of their own, cut to its
    width, or what stands in the last one does.

    :param rows: of texts, numbers and tables.Cells.
    :param width: of the terminal, 0 if there is none.
    :param colour: whether what is bad is red.
    :param titled: whether the first row has the columns' titles.
    """
    if not rows:
        return
    texts = [[tables.text(cell) for cell in row] for row in rows]
    columns = list(zip(*texts))
    widths = [
        max(len(line) for text in column for line in text.split('\n'))
        for column in columns
    ]
    figures = [_figures(column[titled:]) for column in columns]
    is_below = bool(width) and _squeeze(texts, widths, width, titled)
    for row, cells in zip(texts, rows):
        broken = [text.split('\n') for text in row]
        if len(widths) > 1 and len(row[0]) > widths[0]:
            yield _coloured(_cut(row[0], width), cells[0], colour)
            if not any(row[1:]):
                continue
            broken[0] = ['']
        below: list[str] = []
        if is_below and len(row[-1]) > widths[-1]:
            below, broken[-1] = tables.broken(row[-1], width - 4), ['']
        if not figures[-1]:
            broken[-1] = [
                part
                for line in broken[-1]
                for part in tables.broken(line, widths[-1]) or ['']
            ]
        for parts in itertools.zip_longest(*broken, fillvalue=''):
            found = [
                _coloured(
                    part.rjust(size) if number else part.ljust(size),
                    cell,
                    colour,
                )
                for part, cell, size, number in zip(
                    parts, cells, widths, figures
                )
            ]
            yield _GAP.join(found).rstrip()
        for part in below:
            yield '    ' + _coloured(part, cells[-1], colour)


def _squeeze(
    texts: ty.Sequence[ty.Sequence[str]],
    widths: list[int],
    width: int,
    titled: bool,
) -> bool:
    """Make the last column narrower, or also the first one.

    Where there is no room for all of both, they are as wide as makes the
    fewest more lines: of names, and of what stands last.

    :param widths: of the columns; is changed.
    :returns: whether what stands last and is wider than its column gets a
        line of its own.
    """
    if len(widths) == 1:
        widths[0] = min(widths[0], width)
        return False
    room = width - sum(widths[1:-1]) - len(_GAP) * (len(widths) - 1)
    if widths[0] + widths[-1] <= room:
        return False
    lasts = [row[-1] for row in texts]
    words = [len(word) for text in lasts for word in text.split()]
    least = min(widths[-1], max(_LEAST, *words, 0))
    names = [len(row[0]) for row in texts]
    if len(widths) == 2:
        # One long word is no reason to have all names in lines of their own.
        most = room - min(least, room // 2)
        widths[0] = max((name for name in names if name <= most), default=0)
        widths[-1] = max(room - widths[0], 1)
        return False
    if _figures(lasts[titled:]):
        title = least = widths[-1]
    else:
        title = len(lasts[0]) if titled else 0
    narrowest = names[0] if titled else 0

    def more_lines(first: int) -> int:
        found = sum(name > first for name in names)
        if room - first < least:
            found += sum(len(text) > room - first for text in lasts)
        return found

    most = room - title
    if most < narrowest:
        # It doesn't fit in any case: short names stay in their lines.
        most = _LEAST
    fitting = {n for n in names if narrowest <= n <= most}
    widths[0] = min(
        sorted({*fitting, narrowest}, reverse=True), key=more_lines
    )
    widths[-1] = min(widths[-1], max(room - widths[0], title))
    return widths[-1] < least


def _cut(name: str, width: int) -> str:
    return name if len(name) <= width else name[: max(width - 3, 0)] + '...'


def _figures(column: ty.Sequence[str]) -> bool:
    """Whether a column has figures, which stand at the right."""
    return any(column) and all(map(tables.is_figure, filter(None, column)))


def _coloured(text: str, cell: ty.Any, colour: bool) -> str:
    shown = text.strip()
    if colour and getattr(cell, 'bad', False) and shown:
        return text.replace(shown, _RED + shown + _END)
    return text
