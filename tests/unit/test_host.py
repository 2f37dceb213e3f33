# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json

import pytest

from nova_xen_sched import host
from nova_xen_sched.facts.gather import HostFacts
from tests.unit import builders


def read(state, maxphysaddr=False):
    return host.read(state, maxphysaddr=maxphysaddr)


def test_a_xen_host():
    found = read(builders.state())
    assert found.is_xen
    assert found.guest_types == builders.XEN_HVM
    assert found.hypervisor_version == 4017000


@pytest.mark.parametrize(
    'types, hypervisor_type, expected',
    [
        (builders.XEN_PV, 'Xen', True),
        (builders.XEN_PV, 'xen', True),
        (builders.XEN_HVM, 'XenServer', False),  # XAPI
        (builders.KVM, 'QEMU', False),
        (builders.KVM, 'Xen', False),
        ([*builders.KVM, *builders.XEN_PV], 'Xen', True),
        ((), 'Xen', False),
        (None, None, False),  # never reported
    ],
)
def test_which_hosts_are_xen_hosts(types, hypervisor_type, expected):
    state = builders.state('h', types, hypervisor_type)
    assert read(state).is_xen is expected
    assert host.is_xen(state) is expected


def test_hosts_alike_are_equal():
    one, other = builders.state('a'), builders.state('b')
    assert read(one) == read(other)
    assert hash(read(one)) == hash(read(other))
    other.hypervisor_version = 4014000
    assert read(one) != read(other)


def test_facts_are_looked_up_for_xen_hosts_only():
    known = HostFacts({})
    assert host.read(builders.state(), lambda state: known).facts is known
    other = host.read(builders.kvm_state(), lambda state: known)
    assert other.facts is not known


@pytest.mark.parametrize(
    'cpu_info, bits',
    [
        ({'maxphysaddr': {'mode': 'emulate', 'bits': 42}}, 42),
        ({'maxphysaddr': {'bits': '42'}}, None),
        ({'maxphysaddr': None}, None),
        ({'model': 'Nehalem'}, None),
        ([], None),
        (None, None),
    ],
)
def test_maxphysaddr_bits(cpu_info, bits):
    for form in (cpu_info, json.dumps(cpu_info)):
        state = builders.state(cpu_info=form)
        assert read(state, maxphysaddr=True).maxphysaddr_bits == bits
        assert read(state).maxphysaddr_bits is None


def test_unreadable_cpu_info():
    state = builders.state(cpu_info='{')
    assert read(state, maxphysaddr=True).maxphysaddr_bits is None
