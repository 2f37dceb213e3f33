# SPDX-License-Identifier: Apache-2.0


"""Cells: one value for programs, one text for people."""

from __future__ import annotations

import pytest

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


def test_of_many_mistakes_it_says_how_many_more():
    assert tables.mistakes(['a: x, y', 'b']) == 'a: x, y; b'
    found = tables.mistakes('mistake %d' % n for n in range(12))
    assert found.endswith('; mistake 9 and 2 more')
