# SPDX-License-Identifier: Apache-2.0

"""How the programs show what happened: on a terminal, in a file or a page."""

from __future__ import annotations

import itertools
import os
import re
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


def columns(
    cells: ty.Sequence[str],
    widths: ty.Sequence[int],
    right: ty.Sequence[bool] = (),
) -> ty.Iterator[str]:
    """A row of a table: as many lines as its longest cell needs.

    :param right: for each column whether it stands to the right.
    """
    wrapped = map(textwrap.wrap, cells, widths)
    for pieces in itertools.zip_longest(*wrapped, fillvalue=''):
        yield '  '.join(
            piece.rjust(width) if to_right else piece.ljust(width)
            for piece, width, to_right in itertools.zip_longest(
                pieces, widths, right
            )
        ).rstrip()


def table(
    head: ty.Sequence[str], rows: ty.Sequence[ty.Sequence[ty.Any]]
) -> None:
    """Aligned columns; numbers to the right."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(head, *cells)]
    right = [
        all(isinstance(row[i], (int, float)) for row in rows)
        for i in range(len(head))
    ]
    for n, row in enumerate([head, *cells]):
        for line in columns(row, widths, right):
            print('  ' + (coloured(line, 'head') if n == 0 else line))


def rst(
    head: ty.Sequence[str], rows: ty.Iterable[ty.Sequence[str]]
) -> list[str]:
    """The lines of a table in a page."""

    def line(cells: ty.Sequence[str]) -> str:
        return ', '.join('"%s"' % _plain(cell) for cell in cells)

    return [
        '.. csv-table::',
        '   :header: ' + line(head),
        '',
        *('   ' + line(row) for row in rows),
    ]


def _plain(text: str) -> str:
    """A cell that a page shows as it is."""
    special = r'([\\`*|]|_(?!\w)|^[-+](?= ))'
    return re.sub(special, r'\\\1', text).replace('"', '""')


def rst_heading(text: str, mark: str) -> list[str]:
    """The lines of a heading in a page."""
    return [text, mark * len(text), '']


def put_section(
    path: str, heading: str, lines: ty.Sequence[str], title: str = ''
) -> None:
    """Write a section, in the place of an older one with its heading.

    :param title: what a page begins with that isn't there yet.
    """
    text = title
    if os.path.exists(path):
        with open(path, encoding='utf-8') as f:
            text = f.read()
    line = '\n%s\n%s\n' % (heading, '-' * len(heading))
    section = '%s\n%s\n' % (line, '\n'.join(lines))
    old = re.compile(re.escape(line) + r'.*?(?=\n[^\n]+\n-+\n|\Z)', re.S)
    if old.search(text):
        text = old.sub(lambda _: section, text)
    else:
        text += section
    with open(path, 'w', encoding='utf-8') as f:
        f.write(text)


def indented(text: str) -> None:
    """Lines of a file, such as nova.conf."""
    print(textwrap.indent(text, '    '))


def wrapped(text: str, first: str = '', rest: str = '') -> None:
    """A paragraph, its first line and the others behind these."""
    print(
        textwrap.fill(
            text,
            WIDTH,
            initial_indent=first,
            subsequent_indent=rest,
            break_on_hyphens=False,
            break_long_words=False,
        )
    )


class Verdict(ty.NamedTuple):
    """Something that must hold."""

    text: str
    holds: bool

    def __str__(self) -> str:
        return '%s  %s' % ('ok    ' if self.holds else 'MISSED', self.text)


def verdicts(found: ty.Sequence[Verdict]) -> bool:
    """Print them; whether all hold."""
    print('\n'.join(map(str, found)))
    return all(each.holds for each in found)


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
