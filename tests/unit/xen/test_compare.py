# SPDX-License-Identifier: Apache-2.0

"""make xen-host finds what differs; the answers are those of its own runs."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from tests.xen.facts import compare

ANSWERS = Path(__file__).parents[2] / 'fixtures' / 'xen_host'
SITUATIONS = sorted(ANSWERS.glob('*.json'))


def rows(answers):
    by_xl = compare.ByXl.parse(answers['xl'])
    return by_xl.rows(answers['inside'], answers['outside'])


def named(row):
    """As facts show has it: what it can run is one list there."""
    return 'guest_types' if row.fact.endswith('_for') else row.fact


def differing(answers):
    return {row.fact for row in rows(answers) if not row.agree}


@pytest.fixture(params=SITUATIONS, ids=lambda path: path.stem)
def answers(request):
    return json.loads(request.param.read_text())


def test_there_are_four_situations():
    assert len(SITUATIONS) == 4


def test_what_was_answered_agrees(answers):
    assert differing(answers) == set()


@pytest.mark.parametrize('side', ['inside', 'outside'])
def test_every_fact_that_differs_is_found(answers, side):
    for row in rows(answers):
        if row.fact in compare.FINDINGS:
            continue
        other = copy.deepcopy(answers)
        other[side][named(row)] = {
            'guest_types': [],
            'device_models': [{'mode': 'hvm', 'count': 77}],
            'xen_version': '4.4.4',
            'dom0_pinned': not row.xl,
        }.get(named(row), 'other')
        assert row.fact in differing(other)


@pytest.mark.parametrize('side', ['inside', 'outside'])
def test_a_fact_that_is_unknown_is_found(answers, side):
    for row in rows(answers):
        if row.fact in compare.FINDINGS or row._asdict()[side] is None:
            continue
        other = copy.deepcopy(answers)
        other[side][named(row)] = None
        assert row.fact in differing(other)


def test_a_finding_too_few_or_too_many_is_found(answers):
    for row in rows(answers):
        if row.fact not in compare.FINDINGS:
            continue
        other = copy.deepcopy(answers)
        found = other['inside']['findings']
        if row.xl:
            found[:] = [f for f in found if f['code'] != row.fact]
        else:
            found.append({'code': row.fact})
        assert differing(other) == {row.fact}
