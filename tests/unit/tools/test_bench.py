# SPDX-License-Identifier: Apache-2.0

"""What the benchmark says of its figures; the figures are not taken here."""

from __future__ import annotations

from tools import printing
from tools.bench import measure
from tools.bench import report
from tools.bench import spared


def taken(trait: float, twice: float) -> spared.Taken:
    times = {
        report.STOCK: 1.0,
        report.PLUGIN: 1.0,
        report.TRAIT: trait,
        report.TWICE: twice,
    }
    return {name: measure.Timing((each,) * 3) for name, each in times.items()}


def missed(trait: float = 0) -> spared.Missed:
    return {
        way + how: [each] * 4
        for how in ('', report.RANDOMISED)
        for way, each in ((report.STOCK, 1), (report.TRAIT, trait))
    }


def holds(*found: object) -> list[bool]:
    return [each.holds for each in spared.verdicts(*found)]


def test_goals():
    assert holds(taken(0.20, 0.40), missed()) == [True] * 4
    assert holds(taken(0.21, 0.40), missed()) == [False, True, True, True]
    assert holds(taken(0.20, 0.41), missed()) == [True, False, True, True]
    assert holds(taken(0.20, 0.40), missed(1)) == [True, True, False, False]


def test_section():
    text = '\n'.join(spared.section(taken(0.15, 0.18), missed(), 'that'))
    assert '"900 + 40", "150", "0.150", "0.150-0.150", "0.20"' in text
    assert '"1800 + 40", "180", "1.20 of the line above", "", "2.00"' in text
    assert '"its own", "4 of 4", "0 of 4"' in text


def test_after_each_time_that_is_taken():
    called = []
    measure.interleaved(
        {'a': lambda: called.append('a')}, 2, lambda: called.append('after')
    )
    assert called.count('after') == 2
    assert called[-1] == 'after'


def test_section_of_a_page(tmp_path):
    path = tmp_path / 'page.rst'
    path.write_text('Page\n====\n')
    for heading, line in (('One', 'x'), ('Two', 'y'), ('One', 'z')):
        printing.put_section(str(path), heading, [line])
    assert path.read_text() == (
        'Page\n====\n\nOne\n---\n\nz\n\nTwo\n---\n\ny\n'
    )
