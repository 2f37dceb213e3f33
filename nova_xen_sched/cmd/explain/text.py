# SPDX-License-Identifier: Apache-2.0

"""Names, figures and tables as a person reads them."""

from __future__ import annotations

import dataclasses
import typing as ty

#: How many hosts a sentence names.
_NAMED = 5


@dataclasses.dataclass(frozen=True)
class Table:
    """A table to print."""

    columns: ty.Sequence[str]
    rows: ty.Sequence[ty.Sequence[ty.Any]]


def names(hosts: ty.Sequence[str]) -> str:
    """A few names, for a sentence."""
    if len(hosts) > _NAMED:
        return '%s and %d more' % (
            ', '.join(hosts[:_NAMED]),
            len(hosts) - _NAMED,
        )
    if len(hosts) > 1:
        return '%s and %s' % (', '.join(hosts[:-1]), hosts[-1])
    return ''.join(hosts)


def listed(hosts: ty.Sequence[str], limit: int) -> str:
    """Names up to a limit, 0 for all."""
    shown = hosts[: limit or None]
    more = len(hosts) - len(shown)
    return ', '.join(shown) + (' and %d more' % more if more else '')


def counted(hosts: int) -> str:
    return '%d host%s' % (hosts, '' if hosts == 1 else 's')


def figures(
    columns: ty.Sequence[str], rows: ty.Sequence[ty.Sequence[ty.Any]]
) -> Table:
    """A table whose figures stand under one another."""
    return Table(
        columns,
        aligned(
            [
                [figure(c) if isinstance(c, float) else c for c in row]
                for row in rows
            ]
        ),
    )


def aligned(
    rows: ty.Sequence[ty.Sequence[ty.Any]],
) -> list[tuple[ty.Any, ...]]:
    """Texts that begin with a digit or a sign, as wide as their column."""
    columns = []
    for column in zip(*rows):
        width = max(len(str(cell)) for cell in column)
        columns.append(
            [
                cell.rjust(width) if _is_figure(cell) else cell
                for cell in column
            ]
        )
    return list(zip(*columns))


def _is_figure(cell: ty.Any) -> bool:
    return isinstance(cell, str) and cell[:1] in '-0123456789'


def figure(value: float) -> str:
    """A figure to four places, and no negative zero."""
    return '%.4f' % (round(value, 4) + 0.0)
