# SPDX-License-Identifier: Apache-2.0

"""What of the driver needs no nova that has Xen. The rest: tests/nova22."""

from __future__ import annotations

import types
from unittest import mock

from nova import exception
from nova.virt.libvirt import driver as libvirt_driver
from nova.virt.libvirt import guest as libvirt_guest
import pytest

from nova_xen_sched.compute import driver
from tests.unit.xenhost import captured

PEER2PEER = 2
NON_SHARED_INC = 128


@pytest.fixture(autouse=True)
def libvirt(monkeypatch):
    """The constants of libvirt's that it reads."""
    constants = types.SimpleNamespace(
        VIR_MIGRATE_PEER2PEER=PEER2PEER,
        VIR_MIGRATE_NON_SHARED_INC=NON_SHARED_INC,
    )
    # Each module imports it for itself, late.
    monkeypatch.setattr(libvirt_driver, 'libvirt', constants)
    monkeypatch.setattr(libvirt_guest, 'libvirt', constants)


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


# Live migration


def migrated(**values):
    """The parameters with which libvirt is asked to migrate a guest."""
    domain = mock.Mock()
    flags = values.pop('flags', PEER2PEER)
    driver.Guest(domain).migrate('xen+tcp://b/system', flags=flags, **values)
    ((_, asked),) = domain.migrateToURI3.call_args_list
    assert asked['flags'] == flags
    return asked['params']


def test_the_address_of_the_destination_is_handed_on():
    assert migrated(migrate_uri='tcp://10.0.0.2') == {
        'migrate_uri': 'tcp://10.0.0.2'
    }


def test_a_bandwidth_is_left_out_and_said(caplog):
    assert migrated(bandwidth=100) == {}
    assert 'live_migration_bandwidth is 100' in caplog.text


@pytest.mark.parametrize(
    'values',
    [{'migrate_disks': ['xvda']}, {'flags': PEER2PEER | NON_SHARED_INC}],
)
def test_a_block_migration_never_reaches_libvirt(values):
    with pytest.raises(exception.MigrationError, match='no block migration'):
        migrated(**values)
