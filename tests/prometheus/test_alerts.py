# SPDX-License-Identifier: Apache-2.0

"""The alerts come when they should, and once."""

from __future__ import annotations

import pathlib
import re
import subprocess

import pytest
import yaml

HERE = pathlib.Path(__file__).parent
RULES = HERE.parents[1] / 'etc/nova_xen_sched/prometheus-alerts.yaml'
TESTS = HERE / 'alerts.test.yaml'


def promtool(*arguments):
    """What it prints, and whether it finds nothing wrong."""
    done = subprocess.run(
        ['promtool', *arguments],
        cwd=HERE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode == 0, done.stdout


def names():
    (group,) = yaml.safe_load(RULES.read_text())['groups']
    return [rule['alert'] for rule in group['rules']]


def test_the_rules_are_right():
    fine, said = promtool('check', 'rules', '--lint-fatal', str(RULES))
    assert fine and '%d rules found' % len(names()) in said


def test_they_fire_when_they_should():
    fine, said = promtool('test', 'rules', str(TESTS))
    assert fine, said


def test_each_is_tested_to_fire_and_not_to():
    fires = {True: set(), False: set()}
    for test in yaml.safe_load(TESTS.read_text())['tests']:
        for each in test['alert_rule_test']:
            fires[bool(each['exp_alerts'])].add(each['alertname'])
    assert set(names()) == fires[True] == fires[False]


@pytest.mark.parametrize('pattern', [r'\b(min|max) by \(.*?\) ', r' *for: .*'])
def test_the_tests_above_would_see_a_mistake(tmp_path, pattern):
    """One alert a controller, or one at once."""
    wrong, count = re.subn(pattern, '', RULES.read_text())
    assert count
    (tmp_path / 'rules.yaml').write_text(wrong)
    tests = re.sub(r'\.\./.*\.yaml', 'rules.yaml', TESTS.read_text())
    (tmp_path / 'tests.yaml').write_text(tests)
    fine, said = promtool('test', 'rules', str(tmp_path / 'tests.yaml'))
    assert not fine and 'got:' in said
