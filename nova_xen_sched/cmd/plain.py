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
    return shutil.get_terminal_size().columns, not os.environ.get('NO_COLOR')


def lines(
    rows: ty.Sequence[ty.Sequence[ty.Any]],
    width: int = 0,
    colour: bool = False,
    titled: bool = False,
) -> ty.Iterator[str]:
    """A table as lines.

    If it is too wide, its last column is broken into lines; where there is too
    little room for that, long names in the first one get a line of their own.

    :param rows: of texts, numbers and tables.Cells.
    :param width: of the terminal, 0 if there is none.
    :param colour: whether what is bad is red.
    :param titled: whether the first row has the columns' titles.
    """
    texts = [[tables.text(cell) for cell in row] for row in rows]
    columns = list(zip(*texts))
    widths = [
        max(len(line) for text in column for line in text.split('\n'))
        for column in columns
    ]
    figures = [_figures(column[titled:]) for column in columns]
    if width:
        lacking = sum(widths) + len(_GAP) * (len(widths) - 1) - width
        words = [len(word) for text in columns[-1] for word in text.split()]
        least = min(widths[-1], max(_LEAST, *words, 0))
        shorter = max(min(lacking, widths[-1] - least), 0)
        widths[-1] -= shorter
        if lacking > shorter and len(widths) > 2:
            room = widths[0] - (lacking - shorter)
            names = [len(row[0]) for row in texts]
            fitting = [size for size in names if size <= room]
            widths[0] = max(fitting, default=names[0] if titled else 0)
    for row, cells in zip(texts, rows):
        broken = [text.split('\n') for text in row]
        if len(row[0]) > widths[0]:
            yield _coloured(row[0], cells[0], colour)
            broken[0] = ['']
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


def _figures(column: ty.Sequence[str]) -> bool:
    """Whether a column has figures, which stand at the right."""
    return any(column) and all(map(tables.is_figure, filter(None, column)))


def _coloured(text: str, cell: ty.Any, colour: bool) -> str:
    if colour and getattr(cell, 'bad', False) and text.strip():
        return _RED + text + _END
    return text
