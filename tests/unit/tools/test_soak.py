# SPDX-License-Identifier: Apache-2.0

"""make soak finds what it is there to find, and says how to find it again."""

from __future__ import annotations

import math
import os
import random
import time

import pytest

from nova_xen_sched import filters
from nova_xen_sched import log
from nova_xen_sched import weights
from tools.soak import __main__ as program
from tools.soak import clouds
from tools.soak import documents
from tools.soak import evaluate
from tools.soak import facts_files
from tools.soak import limits
from tools.soak import page
from tools.soak import parts

pytestmark = pytest.mark.once


@pytest.fixture(autouse=True)
def _plugins_of_their_own(clean, monkeypatch):
    monkeypatch.setattr(evaluate, '_made', [])


def faults(part, *seeds):
    return [text for _, text in parts.run(part, seeds).faults]


def test_a_case_is_made_of_its_seed_alone():
    both, found = evaluate.plugins(), []
    for _ in range(2):
        case = clouds.build(8)
        with evaluate.watching(False):
            found.append(both.outcome(case))
    assert found[0] == found[1]
    assert facts_files.made(random.Random(5)) == facts_files.made(
        random.Random(5)
    )
    assert documents._image(random.Random(5)) == documents._image(
        random.Random(5)
    )


@pytest.mark.parametrize('part', sorted({*parts.BY_NAME} - {'eventlet'}))
def test_some_cases_of_each_part(part):
    tally = parts.run(part, range(20, 24))
    assert tally.faults == []
    assert sum(tally.counts.values()) > 0


def _dies(seed, tally):
    if seed == 7:
        os._exit(9)


def test_a_process_that_dies_is_a_fault_and_no_silence(monkeypatch, capsys):
    monkeypatch.setattr(program, 'PATIENCE', 5)
    # Processes that are forked have what stands in for a part.
    fork = program.multiprocessing.get_context('fork')
    monkeypatch.setattr(
        program.multiprocessing, 'get_context', lambda kind: fork
    )
    dies = parts.Part('dies', _dies, 9, 3)
    monkeypatch.setattr(parts, 'BY_NAME', {'dies': dies})
    assert program.main(['--first', '4', '--length', '1']) == 1
    said = capsys.readouterr().out
    assert 'dies, seed 7: its process hangs or died' in said
    assert '--only dies --seed 7' in said


def test_a_host_that_changes_another_s_verdict_is_found(monkeypatch):
    real = filters.XenHostFilter.filter_all

    def odd(self, states, spec):
        passed = real(self, states, spec)
        return passed if len(states) == 1 else passed[:-1]

    monkeypatch.setattr(filters.XenHostFilter, 'filter_all', odd)
    assert 'judged otherwise alone' in faults('evaluations', 4)[0]


def test_a_weight_that_is_not_finite_is_found(monkeypatch):
    monkeypatch.setattr(
        weights, 'scaled', lambda found, _: [math.inf] * len(found)
    )
    assert faults('evaluations', 4) == ['not all weights are finite']


def test_what_is_unexpected_of_a_host_that_nova_can_hold_is_found(monkeypatch):
    def odd(*_):
        raise KeyError('odd')

    monkeypatch.setattr(weights.dom0, 'headroom', odd)
    (found,) = faults('evaluations', 4)
    assert found.startswith('logged as unexpected: weighing a host;')


def test_threads_that_disagree_are_found(monkeypatch):
    monkeypatch.setattr(
        evaluate.Plugins,
        'outcome',
        lambda self, case: [(time.monotonic(), ())],
    )
    assert 'otherwise in threads' in faults('evaluations', 0)[0]


def test_what_takes_too_long_is_found(monkeypatch):
    monkeypatch.setattr(limits, 'SECONDS', -1)
    assert 'judging 16 hosts took' in faults('evaluations', 4)[0]


def test_what_takes_too_much_memory_is_found(monkeypatch):
    monkeypatch.setattr(limits, 'MEMORY_MB', -1)
    assert 'MiB were taken' in faults('images', 1)[0]


def test_an_exception_is_found_and_its_case_named(monkeypatch, capsys):
    def odd(*_):
        raise OSError('odd')

    monkeypatch.setattr(facts_files.parse_file, 'load', odd)
    assert program.main(['--only', 'facts-files', '--seed', '7']) == 1
    said = capsys.readouterr().out
    assert "facts-files, seed 7: OSError: 'odd'" in said
    assert 'python -m tools.soak --only facts-files --seed 7\n' in said


def test_nothing_stays_of_a_watch():
    before = log.unexpected
    with evaluate.watching(True):
        assert log.unexpected is not before
    assert log.unexpected is before


def test_a_run_writes_its_figures(tmp_path, capsys):
    arguments = ['--only', 'images', '--length', '0.0005', '--first', '1']
    assert program.main([*arguments, '--docs', str(tmp_path)]) == 0
    assert 'seeds from 1' in capsys.readouterr().out
    assert '"images", "50", ' in (tmp_path / 'soak.rst').read_text()


def test_a_section_of_the_page_replaces_the_older_one(tmp_path):
    for heading, line in (('A', '1'), ('B', '2'), ('A', '3')):
        page.put(str(tmp_path), heading, [line])
    text = (tmp_path / 'soak.rst').read_text()
    assert text.endswith('\nA\n-\n\n3\n\nB\n-\n\n2\n')
    assert text.count('A\n-') == 1
