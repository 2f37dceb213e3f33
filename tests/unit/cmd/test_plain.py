# SPDX-License-Identifier: Apache-2.0

"""The format of lists by default: it fits, and nothing is lost."""

from __future__ import annotations

import io

import hypothesis
from hypothesis import strategies as st
import pytest

from nova_xen_sched.cmd import plain
from nova_xen_sched.cmd import tables

LONG = 'compute-0123.rack-17.zone-b.some-data-centre.cloud.example.org'
ROWS = [
    ('Host', 'State', 'Xen', 'Headroom', 'Refused'),
    ('xen-a1', 'up', '4.17.5', tables.percent(0.87), ''),
    ('xen-b2', 'disabled', '4.14', tables.percent(-1.5), 'libvirt_too_old'),
]


def shown(rows, width=0, **options):
    return '\n'.join(plain.lines(rows, width, titled=True, **options)) + '\n'


def test_columns_stand_under_their_titles_and_figures_at_the_right():
    assert shown(ROWS) == (
        'Host    State     Xen     Headroom  Refused\n'
        'xen-a1  up        4.17.5      87 %\n'
        'xen-b2  disabled  4.14      -150 %  libvirt_too_old\n'
    )


def test_a_name_does_not_steer_the_terminal():
    # Any user of the cloud can give such a name.
    name = 'a\x1b[2J\x07\u202eb'
    assert shown([('Name', 'Of'), (name, name)]) == (
        'Name      Of\na?[2J??b  a?[2J??b\n'
    )


def test_a_long_name_has_a_line_of_its_own():
    rows = [*ROWS, (LONG, 'up', '4.17.5', tables.percent(0.5), '')]
    lines = shown(rows, 80).splitlines()
    assert lines[0].startswith('Host    State')
    assert lines[3] == LONG
    assert lines[4].startswith('        up ')
    # Where there is room for it, it needs none.
    assert len(shown(rows, 120).splitlines()) == 4


def test_a_long_text_at_the_end_is_broken_between_words():
    rows = [('Image', 'Problem'), ('ubuntu', 'a-word-with-hyphens ' * 12)]
    lines = shown(rows, 60).splitlines()
    assert max(map(len, lines)) <= 60
    assert ' '.join(lines).split().count('a-word-with-hyphens') == 12


def test_what_stands_last_gets_a_line_of_its_own_if_that_makes_fewer():
    rows = [
        ROWS[0],
        *(('compute-%d.rack-17' % n, *ROWS[1][1:]) for n in range(5)),
        ('compute-9.rack-17', *ROWS[2][1:-1], 'hypervisor_type_required'),
        ('compute-8.rack-17', *ROWS[2][1:-1], 'vm_mode'),
    ]
    lines = shown(rows, 60).splitlines()
    assert max(map(len, lines)) <= 60
    assert len(lines) == len(rows) + 1
    assert lines[7] == '    hypervisor_type_required'
    assert lines[8].endswith('vm_mode')


def test_where_nothing_fits_short_names_stay_in_their_lines():
    columns = ['Host', *('column %d' % n for n in range(9)), 'Why']
    rows = [['xen-%d' % n, *'123456789', ''] for n in range(3)]
    rows.append(['x' * 60, *'123456789', 'vm_mode'])
    lines = shown([columns, *rows], 80).splitlines()
    assert [line.split()[0] for line in lines[1:5]] == [
        *('xen-0', 'xen-1', 'xen-2', 'x' * 60)
    ]
    assert [line.split()[:2] for line in lines[1:4]] == [
        ['xen-%d' % n, '1'] for n in range(3)
    ]


@pytest.mark.parametrize('width', [0, 8, 80])
def test_where_there_is_nothing_there_are_no_lines(width):
    assert list(plain.lines([], width)) == []
    assert list(plain.lines([('Refused', '')], width)) == ['Refused']
    assert list(plain.lines([('', '')], width)) == ['']


def test_a_column_alone_is_broken_between_words():
    text = 'a-word-with-hyphens ' * 6
    lines = shown([('Problem',), (text,), ('short',)], 80).splitlines()
    assert lines[0] == 'Problem' and lines[-1] == 'short'
    assert len(lines) == 4 and max(map(len, lines)) <= 80
    assert ' '.join(lines).split().count('a-word-with-hyphens') == 6


def test_long_names_leave_the_second_of_two_columns_its_room():
    rows = [
        ('Image', 'Problem'),
        ('ubuntu', 'what will happen ' * 5),
        ('x' * 70, 'what will happen'),
    ]
    lines = shown(rows, 80).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[1].startswith('ubuntu  what will happen what')
    assert lines[-2:] == ['x' * 70, '        what will happen']
    # One word that is too long moves no other.
    rows.append(('centos', 'y' * 200))
    assert shown(rows, 80).splitlines()[:-1] == lines


def test_a_name_that_is_wider_than_the_terminal_is_cut():
    rows = [('Image', 'Finding', 'ID'), ('x' * 120, 'vm_mode_names', '1')]
    for each in (rows, [row[:2] for row in rows]):
        lines = shown(each, 80).splitlines()
        assert lines[1] == 'x' * 77 + '...'
        assert lines[2].split()[0] == 'vm_mode_names'
        # A program has all of it.
        assert 'x' * 120 in shown(each)


words = st.text('abc-', min_size=1, max_size=12)


names = st.text('abc-', min_size=1, max_size=100)


@hypothesis.given(
    st.lists(
        st.tuples(names, st.lists(words, max_size=20).map(' '.join)),
        min_size=1,
        max_size=5,
    ),
    st.integers(60, 200),
)
def test_two_columns_fit_and_lose_no_word(rows, width):
    text = shown([('Name', 'Why'), *rows], width)
    assert all(len(line) <= width for line in text.splitlines())
    for name, why in rows:
        assert (name if len(name) <= width else name[: width - 3]) in text
        for word in why.split():
            assert word in text


@hypothesis.given(
    st.lists(
        st.tuples(words, words, st.lists(words, max_size=20).map(' '.join)),
        min_size=1,
        max_size=5,
    ),
    st.integers(60, 200),
)
def test_it_fits_and_loses_no_word(rows, width):
    text = shown([('Name', 'State', 'Why'), *rows], width)
    assert all(len(line) <= width for line in text.splitlines())
    for row in rows:
        for word in ' '.join(row).split():
            assert word in text


@pytest.mark.parametrize(
    'terminal, environment, red',
    [
        (True, {}, True),
        (True, {'NO_COLOR': '1'}, False),
        (True, {'NO_COLOR': ''}, True),
        (True, {'TERM': 'dumb'}, False),
        (False, {}, False),
    ],
)
def test_colour_is_for_a_terminal(monkeypatch, terminal, environment, red):
    monkeypatch.delenv('NO_COLOR', raising=False)
    monkeypatch.setenv('TERM', 'xterm')
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    stream = io.StringIO()
    stream.isatty = lambda: terminal
    bad = tables.Cell('down', bad=True)
    rows = [('a', bad), ('b', 'disabled')]
    plain.Plain().emit_list(('Host', 'State'), rows, stream, None)
    assert ('\033[31mdown\033[0m' in stream.getvalue()) is red
    # Never by colour alone.
    assert 'down' in stream.getvalue()
