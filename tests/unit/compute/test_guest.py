# SPDX-License-Identifier: Apache-2.0

"""How libvirt is asked to live-migrate a guest. With libxl: tests/nova22."""

from __future__ import annotations

import types
from unittest import mock

from nova import exception
from nova.virt.libvirt import driver as libvirt_driver
from nova.virt.libvirt import guest as libvirt_guest
import pytest

from nova_xen_sched.compute import guest

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


def migrated(**values):
    """The parameters with which libvirt is asked to migrate a guest."""
    domain = mock.Mock()
    flags = values.pop('flags', PEER2PEER)
    guest.Guest(domain).migrate('xen+tcp://b/system', flags=flags, **values)
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
