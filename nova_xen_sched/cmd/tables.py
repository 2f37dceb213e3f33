# SPDX-License-Identifier: Apache-2.0

"""Tables, figures and names as a person reads them.

A cell is read in one form by a person and in another by a program.
"""

from __future__ import annotations

import dataclasses
import re
import textwrap
import typing as ty

from cliff import columns

from nova_xen_sched import redact

#: Characters of a line on a terminal.
WIDTH = 79
#: What a person calls nova's vm_mode, and libvirt's os type of PVH.
MODES = {'xen': 'PV', 'hvm': 'HVM', 'xenpvh': 'PVH'}


class Cell(columns.FormattableColumn):  # type: ignore[misc,unused-ignore]
    """A value for programs, and its text for a table.

    :param bad: whether it is something to see to; then it is red, where that
        can be.
    :param order: what it is sorted by.
    """

    def __init__(
        self,
        value: ty.Any,
        text: str | None = None,
        bad: bool = False,
        order: ty.Any = None,
    ) -> None:
        super().__init__(value)
        self._text = text
        self.bad = bad
        self._order = order

    @property
    def order(self) -> ty.Any:
        """What it is sorted by: the value, if nothing else was given."""
        return self._value if self._order is None else self._order

    def human_readable(self) -> str:
        if self._text is not None:
            return self._text
        return '' if self._value is None else str(self._value)


class Column(ty.NamedTuple):
    """A column of a list, by the name of its key in JSON.

    :ivar title: above it, for a person; short.
    :ivar text: what it has, for the help.
    :ivar shown: BRIEF, LONG or BELOW.
    """

    title: str
    text: str
    shown: str = 'brief'


#: A column that is always shown, and one that a person sees by --long.
BRIEF, LONG = 'brief', 'long'
#: A column of commands to paste, which stand below the table, a line each.
BELOW = 'below'


class Structured(Cell):
    """A value for json and yaml, and its text for all other formats."""

    @property
    def order(self) -> ty.Any:
        """What it is sorted by: the text, if nothing else was given."""
        return self._text if self._order is None else self._order


def text(cell: ty.Any) -> str:
    """A cell as a person reads it, be it in a name that a user has given."""
    if isinstance(cell, Cell):
        return redact.printable(cell.human_readable())
    return '' if cell is None else redact.printable(str(cell))


def order(cell: ty.Any) -> tuple[bool, ty.Any]:
    """What a cell is sorted by; what isn't known comes first."""
    value = cell.order if isinstance(cell, Cell) else cell
    return value is not None, value


def number(value: float) -> int | float:
    """A number without a point where it needs none."""
    return int(value) if value == int(value) else value


def percent(share: float | None) -> Cell:
    """A share; programs get it rounded to four places, and None for nan."""
    if share is None or share != share:
        return Cell(None)
    return Cell(round(share, 4), '%.0f %%' % (share * 100), bad=share < 0)


def count(number: int | None) -> Cell:
    """How many fit; None is no limit."""
    return Cell(number, 'no limit' if number is None else None)


@dataclasses.dataclass(frozen=True)
class Table:
    """A table to print.

    :ivar columns: the titles; none for one thing, whose fields are the rows.
    """

    columns: ty.Sequence[str]
    rows: ty.Sequence[ty.Sequence[ty.Any]]


#: What is written for a person: lines, or a table.
Part = ty.Union[str, Table]


def described(
    columns: ty.Mapping[str, Column], long: str = ' (--long)'
) -> str:
    """The names of columns, and beside each what it has, for a help text.

    :param long: is said of those that are not always shown.
    """
    width = max(map(len, columns)) + 4
    return '\n'.join(
        textwrap.fill(
            column.text + (long if column.shown == LONG else ''),
            WIDTH,
            initial_indent=('  ' + name).ljust(width),
            subsequent_indent=' ' * width,
            break_on_hyphens=False,
        )
        for name, column in columns.items()
    )


def guest_types(types: ty.Iterable[ty.Sequence[str]]) -> str:
    """Guest types by mode: "PV (x86_64), HVM (i686, x86_64)".

    :param types: the architecture, hypervisor type and mode of each.
    """
    found: dict[str, set[str]] = {}
    for arch, hv_type, mode in types:
        name = MODES.get(mode, mode)
        if hv_type != 'xen':
            name = '%s %s' % (hv_type, name)
        found.setdefault(name, set()).add(arch)
    return ', '.join(
        '%s (%s)' % (name, ', '.join(sorted(archs)))
        for name, archs in found.items()
    )


def names(hosts: ty.Sequence[str], most: int = 5) -> str:
    """Names for a sentence: "a", "a and b", "a, b and 3 more"."""
    if 1 < len(hosts) <= most:
        return '%s and %s' % (', '.join(hosts[:-1]), hosts[-1])
    return listed(hosts, most)


def mistakes(found: ty.Iterable[str]) -> str:
    """Mistakes of a facts file: the first ten, and how many more."""
    return listed(found, 10, '; ')


def listed(
    hosts: ty.Iterable[str], limit: int = 5, separator: str = ', '
) -> str:
    """Names up to a limit, 0 for all: "a, b", "a, b and 3 more"."""
    every = list(hosts)
    shown = every[: limit or None]
    more = len(every) - len(shown)
    return separator.join(shown) + (' and %d more' % more if more else '')


def counted(number: int, noun: str = 'host') -> str:
    """A number of things: "1 host", "2 hosts"."""
    return '%d %s%s' % (number, noun, '' if number == 1 else 's')


def broken(text: str, width: int) -> list[str]:
    """A text in lines; words stay whole, to be pasted."""
    return textwrap.wrap(
        text, max(width, 1), break_long_words=False, break_on_hyphens=False
    )


def is_figure(cell: ty.Any) -> bool:
    """Whether it is the text of a number, a share, or a dash for none."""
    return isinstance(cell, str) and bool(
        re.fullmatch(r'-|-?[0-9]+(\.[0-9]+)?( %)?', cell)
    )


def figure(value: float) -> str:
    """A figure to four places, and no negative zero."""
    return '%.4f' % (round(value, 4) + 0.0)


class Coded(str):
    """A sentence for a person, with the code that programs have of it.

    :ivar commands: to paste, a line each, that show more or change it.
    """

    code: str
    commands: tuple[str, ...]

    def __new__(cls, code: str, text: str, *commands: str) -> Coded:
        found = super().__new__(cls, text)
        found.code = code
        found.commands = commands
        return found


#: The most characters of a line of a paragraph.
MOST = 100


class Line(str):
    """A line to paste, which is never broken."""


def paragraph(text: str, width: int = WIDTH) -> str:
    """A text in lines of at most MOST characters, as far as words allow.

    They are as far from the margin as its first, and two more.

    :param width: of the terminal.
    """
    if isinstance(text, Line):
        return text
    margin = ' ' * (len(text) - len(text.lstrip()))
    return textwrap.fill(
        text.strip(),
        min(width, MOST),
        initial_indent=margin,
        subsequent_indent=margin + '  ' if margin else '',
        break_long_words=False,
        break_on_hyphens=False,
    )
