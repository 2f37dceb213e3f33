# SPDX-License-Identifier: Apache-2.0

"""What of the driver needs no nova that has Xen. The rest: tests/nova22."""

from __future__ import annotations

import types
from unittest import mock

from nova.virt.libvirt import driver as libvirt_driver
import pytest

from nova_xen_sched.compute import driver
from tests.unit.xenhost import captured


@pytest.fixture
def made():
    """A driver that was not started."""
    made = object.__new__(driver.XenLibvirtDriver)
    made._host = mock.Mock()
    made._reporter = mock.Mock()
    return made


# Resources


def test_guest_types_that_nova_does_not_know_are_left_out(made):
    made._host.get_capabilities.return_value.guests = [
        types.SimpleNamespace(arch=arch, domains=['xen'], ostype=mode)
        for arch, mode in (
            ('z9', 'hvm'),
            ('x86_64', 'xen'),
            ('x86_64', 'xenpvh'),
            ('i686', 'hvm'),
        )
    ]
    assert made._get_instance_capabilities() == [
        ('x86_64', 'xen', 'xen'),
        ('i686', 'xen', 'hvm'),
    ]


def test_the_cpus_are_counted_without_their_map(made):
    host = captured.Connection('xen-4.14-hvm', uri='xen:///system')
    made._host.get_connection.return_value = host
    assert made._get_online_cpus() == {0, 1, 2, 3}


@pytest.mark.parametrize('fails', [False, True])
def test_the_facts_are_added_and_an_update_never_fails_of_them(
    made, monkeypatch, fails
):
    stats = mock.Mock(return_value={'xen_version': '4.14.6'})
    if fails:
        stats.side_effect = RuntimeError('unforeseen')
    monkeypatch.setattr(made, '_stats', stats)
    monkeypatch.setattr(
        libvirt_driver.LibvirtDriver,
        'get_available_resource',
        lambda self, nodename: {'memory_mb': 6143, 'stats': {'io': '0'}},
    )
    found = made.get_available_resource('xenhost1')
    assert found['memory_mb'] == 6143
    assert found['stats'] == (
        {'io': '0'} if fails else {'io': '0', 'xen_version': '4.14.6'}
    )
