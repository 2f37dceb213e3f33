# SPDX-License-Identifier: Apache-2.0

"""One JSON object for a command whose rows are not the whole answer."""

from __future__ import annotations

import argparse
import typing as ty

from nova_xen_sched.cmd import columns
from nova_xen_sched.cmd import tables


class OneObject:
    """Writes an outcome, and the rows beside it, where cliff writes a list.

    :param formatter: cliff's, of json or yaml.
    :param outcome: what is said of all rows together.
    :param name: what the rows are called.
    """

    def __init__(
        self,
        formatter: ty.Any,
        outcome: ty.Mapping[str, ty.Any],
        name: str,
    ) -> None:
        self._formatter = formatter
        self._outcome = tables.Structured(outcome, '')
        self._name = name

    def emit_list(
        self,
        column_names: ty.Sequence[str],
        data: ty.Iterable[ty.Sequence[ty.Any]],
        stdout: ty.Any,
        parsed_args: argparse.Namespace,
    ) -> None:
        """What cliff has a formatter for lists do."""
        rows = [
            {
                name: cell.machine_readable()
                if isinstance(cell, tables.Cell)
                else cell
                for name, cell in zip(column_names, row)
            }
            for row in data
        ]
        self._formatter.emit_one(
            ('outcome', self._name),
            (columns.shown(self._outcome, parsed_args.formatter), rows),
            stdout,
            parsed_args,
        )
