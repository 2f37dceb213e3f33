# SPDX-License-Identifier: Apache-2.0

"""What upgrade check prints for a person."""

from __future__ import annotations

from oslo_upgradecheck.upgradecheck import Code
from oslo_upgradecheck.upgradecheck import Result

from nova_xen_sched.cmd import plain
from nova_xen_sched.cmd.upgrade_check import checks
from nova_xen_sched.cmd.upgrade_check import deployment
from tests.unit import builders

GOLDEN = builders.CAPTURES.parent / 'golden' / 'upgrade-check.txt'
NAMES = ['compute-%02d.%s.example.org' % (n, 'rack-' * 8) for n in range(9)]
FOUND = [
    ('Option names', Result(Code.SUCCESS)),
    ('Facts file', Result(Code.SUCCESS, 'host_facts_file is not set.')),
    (
        'Memory kept for dom0',
        deployment.problem(
            Code.FAILURE,
            'On Xen hosts nova reserves less memory than dom0 has: %s.'
            % deployment.names(NAMES),
            'set [DEFAULT] reserved_host_memory_mb, then run nova-xen-sched '
            'facts publish --from-placement --apply.',
        ),
    ),
    (
        'AggregateImagePropertiesIsolation',
        deployment.problem(
            Code.WARNING,
            'It logs a warning for each xen: key in the metadata of an '
            'aggregate.',
            'take it out.',
        ),
    ),
]


def page(monkeypatch, width=80, colour=False, every=False):
    monkeypatch.setattr(plain, 'terminal', lambda stream: (width, colour))
    return checks._as_text(FOUND, every)


def test_problems_alone_and_a_line_for_the_rest(monkeypatch):
    text = page(monkeypatch)
    assert text == GOLDEN.read_text()
    assert max(map(len, text.splitlines())) <= 80
    for name in NAMES[:5]:
        assert name in text
    assert page(monkeypatch, width=200) == text


def test_all_checks(monkeypatch):
    text = page(monkeypatch, every=True)
    assert 'Success  Option names\n\n' in text
    assert '         host_facts_file is not set.\n' in text
    assert text.endswith('\n2 checks passed.\n')


def test_what_is_bad_is_red_on_a_terminal(monkeypatch):
    text = page(monkeypatch, colour=True, every=True)
    assert '\033[31mFailure\033[0m  Memory' in text
    assert '\033[31mWarning\033[0m  Aggregate' in text
    assert text.count('\033[31m') == 2
