# SPDX-License-Identifier: Apache-2.0


"""Cells that a person reads in one form, and a program in another."""

from __future__ import annotations

import typing as ty

from cliff import columns


class Cell(columns.FormattableColumn):  # type: ignore[misc,unused-ignore]
    """A value for programs, and its text for a table."""

    def __init__(self, value: ty.Any, text: str | None = None) -> None:
        super().__init__(value)
        self._text = text

    def human_readable(self) -> str:
        if self._text is not None:
            return self._text
        return '' if self._value is None else str(self._value)

    def __lt__(self, other: ty.Any) -> bool:
        # For --sort-column; what isn't known comes first.
        mine, others = self._value, other._value
        if mine is None or others is None:
            return mine is None and others is not None
        return bool(mine < others)


def row(formatter: str, values: ty.Iterable[ty.Any]) -> tuple[ty.Any, ...]:
    """A row for one of cliff's formats: csv and value would say None."""
    if formatter not in ('csv', 'value'):
        return tuple(values)
    plain = (
        value.machine_readable() if isinstance(value, Cell) else value
        for value in values
    )
    return tuple('' if value is None else value for value in plain)


def number(value: float) -> int | float:
    """A number without a point where it needs none."""
    return int(value) if value == int(value) else value


def percent(share: float | None) -> Cell:
    """A share; programs get it rounded to four places."""
    if share is None:
        return Cell(None)
    return Cell(round(share, 4), '%.0f %%' % (share * 100))


def count(number: int | None) -> Cell:
    """How many fit; None is no limit."""
    return Cell(number, 'no limit' if number is None else None)
