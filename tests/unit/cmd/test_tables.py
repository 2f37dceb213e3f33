# SPDX-License-Identifier: Apache-2.0


"""Cells: one value for programs, one text for people."""

from __future__ import annotations

import argparse

import pytest

from nova_xen_sched.cmd import base
from nova_xen_sched.cmd import tables
from tests.unit import builders


@pytest.mark.parametrize(
    ('cell', 'machine', 'human'),
    [
        (tables.percent(0.96154), 0.9615, '96 %'),
        (tables.percent(-0.35), -0.35, '-35 %'),
        (tables.percent(None), None, ''),
        (tables.count(7), 7, '7'),
        (tables.count(None), None, 'no limit'),
        (tables.Cell(1024, '1024 (default)'), 1024, '1024 (default)'),
    ],
)
def test_two_readers(cell, machine, human):
    assert cell.machine_readable() == machine
    assert cell.human_readable() == human


def test_cells_sort_by_value_and_the_unknown_first():
    cells = [tables.count(10), tables.count(None), tables.count(9)]
    found = sorted(cells, key=tables.order)
    assert [cell.machine_readable() for cell in found] == [None, 9, 10]


@pytest.mark.parametrize('formatter', ['csv', 'value'])
def test_no_none_in_text(formatter):
    row = base.shown(['a', None, tables.percent(None)], formatter)
    assert row == ['a', '', '']


def test_json_has_null():
    text, null, cell = base.shown(['a', None, tables.percent(None)], 'json')
    assert (text, null, cell.machine_readable()) == ('a', None, None)


@pytest.mark.parametrize(
    'formatter, shown', [('json', [1, 2]), ('csv', '1; 2'), ('table', '1; 2')]
)
def test_lists_are_for_json_and_yaml_alone(formatter, shown):
    cell = base.shown(tables.Structured([1, 2], '1; 2'), formatter)
    if isinstance(cell, tables.Cell):
        cell = cell.machine_readable()
    assert cell == shown


def test_whole_numbers_have_no_point():
    assert [str(tables.number(n)) for n in (1024.0, 0.5)] == ['1024', '0.5']


def test_guest_types_in_words():
    assert (
        tables.guest_types(builders.XEN_HVM)
        == 'PV (x86_64), HVM (i686, x86_64)'
    )
    assert tables.guest_types(builders.KVM) == (
        'qemu HVM (x86_64), kvm HVM (x86_64)'
    )
    assert tables.guest_types(()) == ''


@pytest.mark.parametrize('direction', ['asc', 'desc'])
def test_rows_are_sorted_by_number_in_every_format(direction):
    def version(text):
        order = tuple(map(int, text.split('.'))) if text else ()
        return tables.Structured(text and {'value': text}, text, order=order)

    rows = [(version(text), n) for n, text in enumerate(['10.0', '9.2', ''])]
    arguments = argparse.Namespace(
        sort_columns=['libvirt'], sort_direction=direction
    )
    found = [n for _, n in base._sorted(rows, ['libvirt', 'n'], arguments)]
    assert found == ([2, 1, 0] if direction == 'asc' else [0, 1, 2])
