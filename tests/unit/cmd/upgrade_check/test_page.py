# SPDX-License-Identifier: Apache-2.0

"""What upgrade check prints for a person."""

from __future__ import annotations

import json

from oslo_upgradecheck.upgradecheck import Code
from oslo_upgradecheck.upgradecheck import Result

from nova_xen_sched.cmd import plain
from nova_xen_sched.cmd.upgrade_check import checks
from nova_xen_sched.cmd.upgrade_check import deployment
from nova_xen_sched.cmd.upgrade_check.checks import Checked
from tests.unit import builders
from tests.unit.cmd import schemas

GOLDEN = builders.CAPTURES.parent / 'golden' / 'upgrade-check.txt'
NAMES = ['compute-%02d.%s.example.org' % (n, 'rack-' * 8) for n in range(9)]
FOUND = [
    Checked('option_names', 'Option names', Result(Code.SUCCESS)),
    Checked(
        'facts_file',
        'Facts file',
        Result(Code.SUCCESS, 'host_facts_file is not set.'),
    ),
    Checked(
        'memory_for_dom0',
        'Memory kept for dom0',
        deployment.Problem(
            Code.FAILURE,
            'too_little_reserved',
            'nova reserves less memory than dom0 has on Xen hosts, and so '
            'gives memory of dom0 to guests: %s; 32256 MiB in all.'
            % deployment.counted_names(NAMES),
            'set [DEFAULT] reserved_host_memory_mb in nova-compute to what '
            'dom0 has (dom0_mem=), restart nova-compute, and run this again; '
            'refuse_dom0_overcommit refuses such hosts until then.',
            NAMES,
        ),
    ),
    Checked(
        'aggregate_image_properties_isolation',
        'AggregateImagePropertiesIsolation',
        deployment.Problem(
            Code.WARNING,
            'warns_of_facts',
            'AggregateImagePropertiesIsolation logs a warning for each xen: '
            'key in the metadata of an aggregate, for every host of every '
            'request: aggregates nova-xen-sched-eb87e7ca.',
            'move these facts to host_facts_file, or take '
            'AggregateImagePropertiesIsolation out.',
        ),
    ),
]


AWAY = "Placement can't be reached. Check the section [placement]."


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


def test_what_several_checks_lack_is_said_once(monkeypatch):
    monkeypatch.setattr(plain, 'terminal', lambda stream: (80, False))
    away = [
        Checked(code, name, Result(Code.FAILURE, AWAY))
        for code, name in (('a', 'Memory kept'), ('b', 'Reserves'))
    ]
    assert checks._as_text([*away, FOUND[0]], False).split('\n') == [
        'Failure  Memory kept, Reserves',
        '         ' + AWAY,
        '',
        '1 check passed.',
        '',
    ]


def test_programs_get_codes_and_all_hosts():
    found = json.loads(checks._as_json(FOUND))
    schemas.check('upgrade-check', found)
    assert [
        (each['code'], each['result'], each['passed'], each['problem'])
        for each in found['checks']
    ] == [
        ('option_names', 0, True, None),
        ('facts_file', 0, True, None),
        ('memory_for_dom0', 2, False, 'too_little_reserved'),
        ('aggregate_image_properties_isolation', 1, False, 'warns_of_facts'),
    ]
    assert found['checks'][2]['hosts'] == NAMES
    assert found['checks'][2]['remedy'].startswith('set [DEFAULT] ')
    assert found['checks'][0]['hosts'] == []


def test_every_code_is_in_the_schema():
    schema = json.loads((schemas.FOLDER / 'upgrade-check.json').read_text())
    items = schema['properties']['checks']['items']['properties']
    assert items['code']['enum'] == [code for code, _, _ in checks._checks()]
