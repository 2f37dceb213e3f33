# SPDX-License-Identifier: Apache-2.0

"""Which facts the hosts of nova shall have."""

from __future__ import annotations

import logging

import pytest

from nova_xen_sched.cmd.facts import desired
from nova_xen_sched.cmd.facts import nova_api
from nova_xen_sched.cmd.facts import read_hosts
from nova_xen_sched.facts import parse_file

HOSTS = [
    nova_api.Host('xen-a1', 'xen-a1.example.org', True),
    nova_api.Host('XEN-b1', 'xen-b1.example.org', True),
    nova_api.Host('kvm-1', 'kvm-1.example.org', False),
    nova_api.Host('new', 'new.example.org', False),
]


def of_file(text):
    return desired.of_file(parse_file.load(text.encode(), 'f'), HOSTS)


def of_host(name, by_nova, reported):
    result = read_hosts.Result('', None, None, name, name if by_nova else None)
    return desired.of_hosts([result], reported, HOSTS)


def test_a_file_counts_for_the_xen_hosts_as_in_the_scheduler():
    found = of_file(
        """
        version: 1
        defaults: {dom0_vcpus: 4}
        patterns: [{match: "xen-b*", libvirt_version: "1.2.5"}]
        hosts:
          Xen-A1.example.org: {libvirt_version: "9.0.0", dom0_vcpus: 8}
        """
    )
    assert found.facts == {
        'xen-a1': {'xen:libvirt_version': '9.0.0', 'xen:dom0_vcpus': '8'},
        'XEN-b1': {'xen:libvirt_version': '1.2.5', 'xen:dom0_vcpus': '4'},
    }
    assert found.unknown == []


def test_who_is_named_is_told_of_whatever_it_runs():
    found = of_file(
        'version: 1\nhosts: {kvm-1: {dom0_vcpus: 2}, new: {}, nobody: {}}'
    )
    assert found.facts == {'kvm-1': {'xen:dom0_vcpus': '2'}, 'new': {}}
    assert found.unknown == ['nobody']


def test_who_has_no_facts_and_is_not_named_is_not_told_of():
    assert of_file('version: 1').facts == {}


RAW = {'libvirt_version': '9.0.0'}
METADATA = {'xen:libvirt_version': '9.0.0'}


@pytest.mark.parametrize(
    'name, by_nova, known',
    [
        ('XEN-A1', True, 'xen-a1'),
        ('xen-a1.example.org', True, None),
        ('xen-a1.example.org', False, 'xen-a1'),
        ('xen-b1', False, 'XEN-b1'),
        ('xen-a1.example.com', False, None),
    ],
)
def test_libvirts_name_of_a_host_is_that_of_its_node(name, by_nova, known):
    found = of_host(name, by_nova, {name: RAW})
    assert found.facts == ({known: METADATA} if known else {})
    assert found.unknown == ([] if known else [name])


def test_a_host_that_says_nothing_is_left_as_it_is():
    found = of_host('xen-a1', True, {})
    assert found.facts == {}
    assert found.spared == {'xen-a1'}


def test_what_is_wrong_with_a_file_is_kept(caplog):
    caplog.set_level(logging.ERROR)
    found = parse_file.load(
        b'version: 1\nhost: {}\nhosts: {a: {dom0_vcpus: -1}}', 'f'
    )
    assert len(found.wrong) == 2
