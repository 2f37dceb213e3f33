# SPDX-License-Identifier: Apache-2.0

"""What is said of a simulation, and what programs get."""

from __future__ import annotations

import collections

import pytest

from nova_xen_sched import dom0
from nova_xen_sched.cmd import columns
from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd.simulate import report
from nova_xen_sched.cmd.simulate.result import Cause
from nova_xen_sched.cmd.simulate.result import HostChange
from nova_xen_sched.cmd.simulate.result import Refusal
from nova_xen_sched.cmd.simulate.result import Side
from nova_xen_sched.cmd.simulate.result import Simulated
from nova_xen_sched.cmd.simulate.settings import Setting
from tests.unit.cmd import schemas

MEMORY, CPU, RAM = dom0.Resource
LABEL = tables.Structured(
    {
        'mode': 'hvm',
        'flavor': None,
        'memory_mb': 512,
        'vcpus': 1,
        'disk_gb': 1,
        'image': None,
    },
    'HVM guests of 512 MiB',
)


def usages(memory, cpu):
    """What is taken, of 100 each."""
    return (
        dom0.Usage(MEMORY, 100.0, memory),
        dom0.Usage(CPU, 100.0, cpu),
    )


A = HostChange('a', 2, usages(50, 20), usages(110, 40))
B = HostChange('b', 1, usages(120, 20), usages(130, 90), (CPU,))
KVM = HostChange('kvm', 1, (), ())
NOW = Side(
    ('a', 'b', 'a', 'kvm', None),
    (
        Refusal(
            5,
            0,
            collections.Counter(
                {
                    Cause('placement', 'resource', 'MEMORY_MB'): 3,
                    Cause('XenHostFilter', 'vm_mode'): 2,
                    Cause('XenHostFilter', 'dom0_memory'): 4,
                    Cause('OtherFilter', None): 1,
                }
            ),
        ),
    ),
    {each.host: each for each in (A, B, KVM)},
)
SET = Side(('a',) * 5, (), {'a': A}, ('A note.',))
SETTINGS = [
    Setting('xen_scheduler', 'refuse_dom0_overcommit', True),
    Setting('xen_scheduler', 'disk_formats', ['raw', 'vhd']),
    Setting('filter_scheduler', 'ram_weight_multiplier', 2.0),
]


def test_what_fills_is_what_was_not_full_before():
    # b was overcommitted already.
    assert NOW.overcommitted() == {MEMORY: ['a']}
    assert NOW.full() == {CPU: ['b']}
    assert NOW.found == 4


def test_sentences():
    assert report.sentences(Simulated([(LABEL, 5)], NOW), []) == [
        '4 of 5 guests find a host.',
        'Guest 5 is the first that finds none (HVM guests of 512 MiB): '
        'XenHostFilter refuses 6 hosts (dom0_memory 4, vm_mode 2); placement '
        'refuses 3 hosts (MEMORY_MB 3); OtherFilter refuses 1 host.',
        'Overcommitted by them: dom0 memory on 1 host (a).',
        'Full, so that one more would overcommit it: dom0 vCPUs on 1 host '
        '(b).',
    ]


def test_two_sides_have_a_heading_each():
    found = report.sentences(Simulated([(LABEL, 5)], NOW, SET), SETTINGS)
    assert found[0] == 'With the options in force:'
    assert found[5:] == [
        'With refuse_dom0_overcommit = true, disk_formats = raw,vhd, '
        'filter_scheduler.ram_weight_multiplier = 2:',
        '  All 5 guests find a host.',
        '  Overcommitted by them: dom0 memory on 1 host (a).',
        '  A note.',
    ]


@pytest.mark.parametrize(
    ('side', 'text'),
    [
        (Side(('a',), (), {}), 'The guest finds a host.'),
        (Side((None,), (), {}), 'The guest finds no host.'),
    ],
)
def test_one_guest(side, text):
    assert report.sentences(Simulated([(LABEL, 1)], side), [])[0] == text


def test_rows():
    now = report.rows(Simulated([(LABEL, 5)], NOW))
    assert {len(row) for row in now} == {len(report.NOW)}
    assert columns.shown(now, 'csv') == [
        ['a', 2, 0.5, -0.1, 'dom0_memory'],
        ['b', 1, -0.2, -0.3, 'dom0_memory'],
        ['kvm', 1, '', '', ''],
    ]
    both = report.rows(Simulated([(LABEL, 5)], NOW, SET))
    assert {len(row) for row in both} == {len(report.COLUMNS)}
    assert [tables.text(cell) for cell in both[1]] == [
        *('b', '1', '-20 %', '-30 %', 'dom0 memory'),
        *('0', '', '', ''),
    ]


@pytest.mark.parametrize('other', [None, SET])
def test_for_programs(other):
    simulated = Simulated([(LABEL, 5)], NOW, other)
    settings = SETTINGS if other else []
    names = report.COLUMNS if other else report.NOW
    found = {
        'outcome': report.outcome(simulated, settings, False),
        'hosts': [
            dict(zip(names, [columns.shown(c, 'json') for c in row]))
            for row in report.rows(simulated)
        ],
    }
    for row in found['hosts']:
        for name, cell in row.items():
            if isinstance(cell, tables.Cell):
                row[name] = cell.machine_readable()
    schemas.check('simulate', found)
    assert found['outcome']['now']['placed'][-1] is None
    assert found['outcome']['now']['refused'][0]['causes'][0] == {
        'step': 'XenHostFilter',
        'code': 'dom0_memory',
        'name': None,
        'hosts': 4,
    }
