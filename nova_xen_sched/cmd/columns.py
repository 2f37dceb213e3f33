# SPDX-License-Identifier: Apache-2.0

"""The columns and the order that are asked for, and their cells by format."""

from __future__ import annotations

import argparse
import typing as ty

from nova_xen_sched import redact
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd import tables


def ordered(
    rows: list[ty.Any],
    names: ty.Sequence[str],
    parsed_args: argparse.Namespace,
) -> list[ty.Any]:
    """Rows in the order that is asked for; cliff knows no cells."""
    for name in reversed(parsed_args.sort_columns):
        index = names.index(name)
        rows = sorted(
            rows,
            key=lambda row, index=index: tables.order(row[index]),
            reverse=getattr(parsed_args, 'sort_direction', None) == 'desc',
        )
    parsed_args.sort_columns = []
    return rows


def check(parsed_args: argparse.Namespace, known: ty.Collection[str]) -> None:
    """Refuse columns that are none: cliff leaves out some in silence.

    :param known: by name the tables.Column, whose title is its name, too; or
        names alone.
    """
    titles: dict[str, str] = {}
    if isinstance(known, ty.Mapping):
        titles = {_key(each.title): name for name, each in known.items()}
    for option in ('columns', 'sort_columns'):
        names = getattr(parsed_args, option, None) or []
        # As newer releases of cliff read them.
        asked = [_key(name) for name in names]
        asked = [e if e in known else titles.get(e, e) for e in asked]
        for name in asked:
            if name not in known:
                raise errors.Failure(
                    'There is no column %s. Name some of %s.'
                    % (name, ', '.join(known))
                )
        setattr(parsed_args, option, asked)


def _key(name: str) -> str:
    return name.lower().strip().replace(' ', '_')


def shown(data: ty.Any, formatter: str) -> ty.Any:
    """Cells as they may be shown: without passwords, whatever the format.

    :param data: a cell, or lists and tuples of them.
    :param formatter: cliff's; only json and yaml have null, all others ''.
        csv and value have a line a row.
    """
    if isinstance(data, (list, tuple)):
        return [shown(each, formatter) for each in data]
    has_null = formatter in ('json', 'yaml')
    if isinstance(data, tables.Structured) and not has_null:
        text = data.human_readable()
        if formatter in ('csv', 'value'):
            text = text.replace('\n', '; ')
        data = tables.Cell(text, bad=data.bad)
    is_cell = isinstance(data, tables.Cell)
    value = redact.values(data.machine_readable() if is_cell else data)
    if formatter in ('csv', 'value'):
        return '' if value is None else value
    if is_cell:
        text = redact.values(data.human_readable())
        return tables.Cell(value, text, data.bad)
    return '' if value is None and not has_null else value
