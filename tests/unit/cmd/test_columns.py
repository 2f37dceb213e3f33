# SPDX-License-Identifier: Apache-2.0

"""Cells in each format, and rows in the order that is asked for."""

from __future__ import annotations

import argparse

import pytest

from nova_xen_sched.cmd import columns
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd import tables


@pytest.mark.parametrize('formatter', ['csv', 'value'])
def test_no_none_in_text(formatter):
    row = columns.shown(['a', None, tables.percent(None)], formatter)
    assert row == ['a', '', '']


@pytest.mark.parametrize('formatter', ['plain', 'table', 'csv', 'value'])
def test_what_is_not_there_is_empty_text(formatter):
    assert columns.shown(['a', None], formatter) == ['a', '']


@pytest.mark.parametrize(
    ('formatter', 'shown'),
    [('value', 'a=1; -b'), ('csv', 'a=1; -b'), ('table', 'a=1\n-b')],
)
def test_a_row_for_programs_is_one_line(formatter, shown):
    cell = columns.shown(
        tables.Structured({'a': '1', 'b': None}, 'a=1\n-b'), formatter
    )
    if isinstance(cell, tables.Cell):
        cell = cell.human_readable()
    assert cell == shown


def test_json_has_null():
    text, null, cell = columns.shown(['a', None, tables.percent(None)], 'json')
    assert (text, null, cell.machine_readable()) == ('a', None, None)


@pytest.mark.parametrize(
    'formatter, shown', [('json', [1, 2]), ('csv', '1; 2'), ('table', '1; 2')]
)
def test_lists_are_for_json_and_yaml_alone(formatter, shown):
    cell = columns.shown(tables.Structured([1, 2], '1; 2'), formatter)
    if isinstance(cell, tables.Cell):
        cell = cell.machine_readable()
    assert cell == shown


@pytest.mark.parametrize('direction', ['asc', 'desc'])
def test_rows_are_sorted_by_number_in_every_format(direction):
    def version(text):
        order = tuple(map(int, text.split('.'))) if text else ()
        return tables.Structured(text and {'value': text}, text, order=order)

    rows = [(version(text), n) for n, text in enumerate(['10.0', '9.2', ''])]
    arguments = argparse.Namespace(
        sort_columns=['libvirt'], sort_direction=direction
    )
    found = [n for _, n in columns.ordered(rows, ['libvirt', 'n'], arguments)]
    assert found == ([2, 1, 0] if direction == 'asc' else [0, 1, 2])


COLUMNS = {
    'host': tables.Column('Host', ''),
    'headroom': tables.Column('Left', ''),
    'runs_out_first': tables.Column('Runs out first', ''),
}


def test_a_column_is_named_as_in_json_or_as_it_is_shown():
    arguments = argparse.Namespace(
        columns=['Headroom', 'LEFT', 'runs out first'], sort_columns=['left']
    )
    columns.check(arguments, COLUMNS)
    assert arguments.columns == ['headroom', 'headroom', 'runs_out_first']
    assert arguments.sort_columns == ['headroom']
    with pytest.raises(errors.Failure, match='There is no column x'):
        columns.check(argparse.Namespace(columns=['x']), COLUMNS)
