# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

from oslo_upgradecheck.upgradecheck import Code
import pytest

from nova_xen_sched import conf
from nova_xen_sched.cmd.upgrade_check import check_facts
from tests.unit import builders


@pytest.mark.parametrize(
    'text, code, said',
    [
        ('hosts: {a: {dom0_vcpus: 4}}', Code.SUCCESS, ': 1 host, 0 patterns'),
        (
            'hosts: {a: {dom0_memory_mb: 17:04}, b: {dom0_cpu: 4}}',
            Code.WARNING,
            "dom0_memory_mb of hosts, a: '17:04', not a whole number",
        ),
        ('hosts: [', Code.FAILURE, "can't be used: line 3, column "),
    ],
)
def test_what_is_wrong_with_the_facts_file(tmp_path, text, code, said):
    path = tmp_path / 'facts.yaml'
    path.write_text('version: 1\n%s\n' % text)
    settings = dataclasses.replace(conf.defaults(), host_facts_file=str(path))
    result = check_facts.facts_file(SimpleNamespace(settings=settings))
    assert result.code is code
    assert said in result.details


def test_a_pattern_of_no_host_is_told_by_its_number_in_the_file(tmp_path):
    path = tmp_path / 'facts.yaml'
    path.write_text(
        'version: 1\npatterns:\n'
        '- {dom0_vcpus: 4}\n'
        '- {match: "xen-*", dom0_vcpus: 4}\n'
        '- {match: "old-*", dom0_vcpus: 4}\n'
    )
    result = check_facts.nonexistent(
        SimpleNamespace(
            settings=dataclasses.replace(
                conf.defaults(), host_facts_file=str(path)
            ),
            cloud=SimpleNamespace(unreachable={}),
            hosts=[SimpleNamespace(state=builders.state('xen-1'))],
        )
    )
    assert 'patterns that match no host: entry 3.' in result.details
