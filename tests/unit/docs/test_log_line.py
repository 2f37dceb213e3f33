# SPDX-License-Identifier: Apache-2.0

"""XenHostFilter's line has the form that docs give."""

from __future__ import annotations

import logging
import re

import pytest

from nova_xen_sched import filters
from tests.unit import builders
from tests.unit.docs import sources

pytestmark = pytest.mark.usefixtures('clean')

PAGE = (sources.DOCS / 'admin' / 'metrics.rst').read_text(encoding='utf-8')


@pytest.fixture(autouse=True)
def _level(caplog):
    caplog.set_level(logging.DEBUG, filters.LOG.name)


def expression():
    """That of the page."""
    (found,) = (
        line.strip()
        for _, body in sources.blocks(PAGE)
        for line in body
        if line.strip().startswith('XenHostFilter: ')
    )
    return re.compile(found)


HVM = {'hypervisor_type': 'xen', 'vm_mode': 'hvm'}
LEFT = {'stats': {'xen_libvirt_version': '9.0.0', 'xen_version': '4.17.5'}}
OLD = {'stats': {'xen_libvirt_version': '1.2.5', 'xen_version': '4.17.5'}}


@pytest.mark.parametrize(
    'properties, states, options, groups',
    [
        (
            HVM,
            [
                builders.state('a', aggregates=[], **LEFT),
                builders.state('b', aggregates=[], **OLD),
                builders.state('c', builders.XEN_PV, aggregates=[], **LEFT),
                builders.kvm_state(aggregates=[]),
            ],
            {},
            (
                '1',
                '4',
                builders.UUID,
                'hypervisor_type=1 vm_mode=1 libvirt_too_old=1',
            ),
        ),
        (
            {'hypervisor_type': 'xen'},
            [builders.kvm_state('k', aggregates=[])],
            {},
            ('0', '1', builders.UUID, 'hypervisor_type=1'),
        ),
        (
            HVM,
            [
                builders.state('b', aggregates=[], **OLD),
                builders.state('c', builders.XEN_PV, aggregates=[], **OLD),
            ],
            {'report_only': ['libvirt_too_old']},
            ('1', '2', builders.UUID, 'vm_mode=1', 'libvirt_too_old=1'),
        ),
        (
            HVM,
            [builders.state('c', builders.XEN_PV, aggregates=[], **OLD)],
            {'report_only': ['all']},
            ('1', '1', builders.UUID, '', 'vm_mode=1 libvirt_too_old=1'),
        ),
    ],
)
def test_the_expression_matches_the_line(
    properties, states, options, groups, option, logged
):
    for name, value in options.items():
        option(name, value)
    filters.XenHostFilter().filter_all(states, builders.spec(properties))
    (line,) = (e for e in logged('INFO') if 'XenHostFilter' in e)
    found = expression().search('2026-11-29 nova.scheduler INFO ' + line)
    assert [each and each.strip() for each in found.groups()] == [
        *groups,
        *[None] * (5 - len(groups)),
    ]


def test_what_is_routine_is_no_such_line(logged):
    states = [
        builders.state('a', aggregates=[], **LEFT),
        builders.kvm_state(aggregates=[]),
    ]
    passed = filters.XenHostFilter().filter_all(states, builders.spec(HVM))
    assert len(passed) == 1
    assert not any('XenHostFilter' in each for each in logged('INFO'))
    (line,) = (e for e in logged('DEBUG') if ' hosts left ' in e)
    assert expression().search(line)
