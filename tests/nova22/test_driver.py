# SPDX-License-Identifier: Apache-2.0

"""The driver under nova 22, the last that has Xen.

libvirt is nova's own fake of it, which answers here what captured Xen hosts
answered, and refuses what libxl refused there, in its words. It patches the
standard library, as nova-compute does, so these are no part of the unit tests.
What needs no such nova is tests/unit/compute/test_driver.py.
"""

from __future__ import annotations

import pathlib
from unittest import mock

import pytest

from nova_xen_sched.compute import launcher

if launcher.complaint_of_nova():
    pytest.skip('this nova has no Xen', allow_module_level=True)

from eventlet import tpool
from nova import context
from nova import exception
from nova import objects
import nova.cmd.compute
from nova.compute import resource_tracker
import nova.conf
from nova.objects import fields
from nova.scheduler import host_manager
from nova.tests.unit.virt.libvirt import fakelibvirt
from nova.virt import driver as virt_driver
from nova.virt import fake
from nova.virt.libvirt import driver as libvirt_driver
from nova.virt.libvirt import guest as libvirt_guest

from nova_xen_sched.compute import driver
from nova_xen_sched.compute import stats
from nova_xen_sched.facts import reported
from nova_xen_sched.xenhost import local
from tests.nova22.fakes import Domain
from tests.nova22.fakes import TUNNELLED
from tests.unit.compute.instances import instance
from tests.unit.xenhost import captured

CONF = nova.conf.CONF


# Resources


def test_stock_nova_reports_no_hvm_capable_host(on):
    stock = on(of=libvirt_driver.LibvirtDriver)
    with pytest.raises(exception.InvalidVirtualMachineMode, match='xenpvh'):
        stock.get_available_resource('xenhost1')


def test_stock_nova_reports_no_host_at_all(on):
    stock = on('xen-4.14-pv-only', of=libvirt_driver.LibvirtDriver)
    with pytest.raises(fakelibvirt.libvirtError, match='virNodeGetCPUMap'):
        stock.get_available_resource('xenhost1')


@pytest.mark.parametrize('name', captured.ALL)
def test_every_captured_host_reports_its_resources(on, name):
    data = on(name).get_available_resource('xenhost1')
    info = captured.Connection(name).getInfo()
    assert data['vcpus'] == info[2]
    assert data['memory_mb'] == info[1]
    assert data['hypervisor_type'] == 'Xen'
    assert ('x86_64', 'xen', 'xen') in data['supported_instances']
    assert data['stats']['xen_libvirt_version'] in ('7.0.0', '9.0.0')


def test_guest_types_that_nova_does_not_know_are_left_out(on):
    assert on()._get_instance_capabilities() == [
        ('x86_64', 'xen', 'xen'),
        ('i686', 'xen', 'hvm'),
        ('x86_64', 'xen', 'hvm'),
    ]


def test_the_volume_drivers_share_the_mended_host(on):
    made = on()
    for volume_driver in made.volume_drivers.values():
        host = getattr(volume_driver, 'host', None)
        if host is not None:
            assert host.get_online_cpus() == {0, 1, 2, 3}
    assert made._get_vcpu_available() == {0, 1, 2, 3}


def test_a_shared_set_of_cpus_that_are_there_is_taken(on):
    CONF.set_override('cpu_shared_set', '1-2', 'compute')
    try:
        assert on()._get_vcpu_available() == {1, 2}
    finally:
        CONF.clear_override('cpu_shared_set', 'compute')


# Stats


STATS = {
    'xen_libvirt_version': '7.0.0',
    'xen_libvirt_migration_backports': 'true',
    'xen_version': '4.14.6',
    'xen_dom0_memory_mb': '1024',
    'xen_dom0_vcpus': '2',
    'xen_reserved_host_memory_mb': '1280',
    'xen_free_memory_mb': '5046',
    'xen_reported_by': stats.reported_by(),
}


def test_the_facts_reach_the_scheduler_s_hoststate(on):
    made = on()
    data = made.get_available_resource('xenhost1')
    # Without a placement, which isn't asked here.
    tracker = resource_tracker.ResourceTracker(
        'xenhost1', made, reportclient=mock.Mock()
    )
    node = objects.ComputeNode(
        id=1,
        uuid='b644dec6-3d91-4282-8c3e-3900401e080e',
        host='xenhost1',
        host_ip='10.0.0.1',
        updated_at=None,
        disk_available_least=4,
        cpu_allocation_ratio=1.0,
        ram_allocation_ratio=1.0,
        disk_allocation_ratio=1.0,
        numa_topology=None,
        pci_device_pools=None,
        metrics=None,
        free_ram_mb=5000,
        free_disk_gb=4,
        vcpus_used=0,
    )
    tracker._copy_resources(node, dict(data))
    # What the database keeps, and the scheduler reads.
    stored = node.obj_to_primitive()
    state = host_manager.HostState('xenhost1', 'xenhost1', None)
    state._update_from_compute_node(
        objects.ComputeNode.obj_from_primitive(stored)
    )
    assert STATS.items() <= state.stats.items()
    lookup = reported.Stats(None).for_request([state])
    assert lookup(state)['dom0_memory_mb'] == '1024'


def test_an_update_never_fails_of_the_facts(on, monkeypatch):
    made = on()

    def fail(*_):
        raise RuntimeError('unforeseen')

    monkeypatch.setattr(made._reporter, 'stats', fail)
    data = made.get_available_resource('xenhost1')
    assert data['memory_mb'] == 6143
    assert 'stats' not in data


def test_a_connection_that_breaks_meanwhile_costs_only_what_is_new(
    on, monkeypatch
):
    made = on()
    made.get_available_resource('xenhost1')
    monkeypatch.setattr(
        made._host,
        'get_connection',
        mock.Mock(side_effect=exception.HypervisorUnavailable()),
    )
    expected = dict(STATS)
    del expected['xen_free_memory_mb']
    assert expected.items() <= made._stats().items()


def test_the_reading_runs_beside_eventlet(on, monkeypatch):
    import eventlet.patcher

    threading = eventlet.patcher.original('threading')
    made = on()
    seen = []
    read = made._reporter.read

    def spy(*arguments):
        seen.append(threading.current_thread().ident)
        return read(*arguments)

    monkeypatch.setattr(made._reporter, 'read', spy)
    made.get_available_resource('xenhost1')
    assert seen and threading.get_ident() not in seen


@pytest.mark.parametrize('patience, answers', [(60, True), (0.1, False)])
def test_an_xl_that_hangs_is_given_up_beside_eventlet(
    monkeypatch, tmp_path, patience, answers
):
    info = captured.CAPTURES / 'xen-4.14-hvm' / 'xl-info.txt'
    xl = tmp_path / 'xl'
    xl.write_text(
        '#!/bin/sh\nexec %s\n' % ('cat %s' % info if answers else 'sleep 60')
    )
    xl.chmod(0o755)
    monkeypatch.setattr(local, '_PATH', '%s:/usr/bin:/bin' % tmp_path)
    monkeypatch.setattr(local, 'PATIENCE', patience)
    found = tpool.execute(local.LocalHost().xl, 'info')
    assert (found == info.read_text()) == answers
    assert (found is None) != answers


# Live migration


def test_stock_nova_s_flags_are_refused(on):
    stock = on(of=libvirt_driver.LibvirtDriver)
    stock._parse_migration_flags()
    with pytest.raises(fakelibvirt.libvirtError, match='direct migration'):
        driver.Guest(Domain()).migrate('x', flags=stock._live_migration_flags)


@pytest.mark.parametrize(
    'more, message',
    [
        ({}, "parameter 'bandwidth' not supported"),
        ({'destination_xml': '<domain/>'}, "parameter 'bandwidth'"),
    ],
)
def test_stock_nova_s_parameters_are_refused(on, more, message):
    made = on()
    made._parse_migration_flags()
    with pytest.raises(fakelibvirt.libvirtError, match=message):
        libvirt_guest.Guest(Domain()).migrate(
            'x', flags=made._live_migration_flags, **more
        )


def migrate(made, domain, block_migration=False, disks=()):
    """nova's own _live_migration_operation, less the guest's XML."""
    data = objects.LibvirtLiveMigrateData(
        block_migration=block_migration, serial_listen_addr=None
    )
    with mock.patch.object(
        libvirt_driver.libvirt_migrate,
        'get_updated_guest_xml',
        return_value='<domain/>',
    ):
        made._live_migration_operation(
            context.get_admin_context(),
            mock.Mock(),
            'xenhost2',
            block_migration,
            data,
            libvirt_guest.Guest(domain),
            list(disks),
        )


def test_a_live_migration_is_taken(on):
    made = on()
    made._parse_migration_flags()
    domain = Domain()
    migrate(made, domain)
    assert domain.migrated == [
        ('xen+tcp://xenhost2/system', {'destination_xml': '<domain/>'})
    ]


def test_a_tunnelled_live_migration_is_taken(on):
    CONF.set_override('live_migration_tunnelled', True, 'libvirt')
    try:
        made = on()
        made._parse_migration_flags()
        domain = Domain()
        migrate(made, domain)
    finally:
        CONF.clear_override('live_migration_tunnelled', 'libvirt')
    assert made._live_migration_flags & TUNNELLED
    assert len(domain.migrated) == 1


@pytest.mark.parametrize('disks', [(), ('xvda',)])
def test_a_block_migration_never_reaches_libvirt(on, disks):
    made = on()
    made._parse_migration_flags()
    domain = Domain()
    with pytest.raises(exception.MigrationError, match='no block migration'):
        migrate(made, domain, block_migration=True, disks=disks)
    assert domain.migrated == []


def check(made, shared, **asked):
    data = objects.LibvirtLiveMigrateData(filename='tmp', **asked)
    with mock.patch.object(
        made, '_check_shared_storage_test_file', return_value=shared
    ), mock.patch.object(
        made, '_is_shared_block_storage', return_value=False
    ), mock.patch.object(made, '_assert_dest_node_has_enough_disk'):
        return made.check_can_live_migrate_source(
            context.get_admin_context(),
            objects.Instance(
                uuid='b644dec6-3d91-4282-8c3e-3900401e080e',
                numa_topology=None,
            ),
            data,
        )


@pytest.mark.parametrize(
    'shared, asked',
    [
        # Asked for.
        (False, {'block_migration': True}),
        (True, {'block_migration': True}),
        # Not asked for: nova chooses it, or would.
        (False, {}),
    ],
)
def test_a_block_migration_is_refused_beforehand(on, caplog, shared, asked):
    with pytest.raises(
        exception.MigrationPreCheckError,
        match="Xen's libvirt driver has no block migration",
    ):
        check(on(), shared, **asked)
    assert 'has no block migration' in caplog.text


@pytest.mark.parametrize('asked', [{}, {'block_migration': False}])
def test_a_live_migration_with_shared_storage_is_not_refused(on, asked):
    assert check(on(), True, **asked).block_migration is False


def test_a_live_migration_without_shared_storage_is_refused_by_nova(on):
    with pytest.raises(exception.InvalidSharedStorage):
        check(on(), False, block_migration=False)


# Building


@pytest.mark.parametrize(
    'vm_mode, image, built',
    [
        (None, {'hw_vm_mode': 'hvm'}, 'hvm'),
        (None, {'hw_vm_mode': 'xen'}, 'xen'),
        (None, {'vm_mode': 'hvm'}, 'hvm'),
        (None, {}, None),
        # What nova-api set counts, as before.
        ('xen', {'hw_vm_mode': 'hvm'}, 'xen'),
        ('hvm', {}, 'hvm'),
    ],
)
def test_hw_vm_mode_counts_where_instance_vm_mode_is_unset(
    on, vm_mode, image, built
):
    made = on()
    guest = instance(vm_mode=vm_mode)
    guest.obj_reset_changes()
    image_meta = objects.ImageMeta.from_dict({'properties': image})
    with mock.patch.object(
        libvirt_driver.LibvirtDriver, 'spawn', autospec=True
    ) as spawn:
        made.spawn(
            mock.sentinel.context,
            guest,
            image_meta,
            mock.sentinel.files,
            mock.sentinel.password,
            mock.sentinel.allocations,
            network_info=[],
        )
    spawn.assert_called_once_with(
        made,
        mock.sentinel.context,
        guest,
        image_meta,
        mock.sentinel.files,
        mock.sentinel.password,
        mock.sentinel.allocations,
        network_info=[],
    )
    assert fields.VMMode.get_from_instance(guest) == built
    # nova-compute saves it once the guest runs.
    changed = 'vm_mode' in guest.obj_what_changed()
    assert changed == (built != vm_mode)


@pytest.mark.parametrize(
    'image, root',
    [
        ({'hw_vm_mode': 'hvm'}, '/dev/hda'),
        ({'hw_vm_mode': 'xen'}, '/dev/xvda'),
        ({}, '/dev/xvda'),
    ],
)
def test_disks_are_named_by_hw_vm_mode_too(on, image, root):
    made = on()
    CONF.set_override('virt_type', 'xen', 'libvirt')
    try:
        instance = objects.Instance(vm_mode=None, os_type=None)
        image_meta = objects.ImageMeta.from_dict(
            {'disk_format': 'raw', 'properties': image}
        )
        bdm = objects.BlockDeviceMapping(
            boot_index=0,
            source_type='image',
            destination_type='local',
            device_type='disk',
            disk_bus=None,
            guest_format=None,
            device_name=None,
            no_device=False,
        )
        name = made.default_root_device_name(instance, image_meta, bdm)
    finally:
        CONF.clear_override('virt_type', 'libvirt')
    assert name == root
    assert instance.vm_mode == image.get('hw_vm_mode')


# The launcher


def test_nova_loads_the_driver_by_the_one_line(monkeypatch, tmp_path):
    conf = tmp_path / 'nova.conf'
    conf.write_text(
        '[DEFAULT]\ncompute_driver = %s\n[libvirt]\nvirt_type = xen\n'
        % launcher.DRIVER
    )
    argv = ['/usr/bin/nova-compute-xen', '--config-file', str(conf)]
    monkeypatch.setattr('sys.argv', list(argv))
    path = list(nova.virt.__path__)
    before = {
        file: file.stat().st_mtime_ns
        for file in pathlib.Path(path[0]).rglob('*.py')
    }
    started = mock.Mock()
    monkeypatch.setattr(nova.cmd.compute, 'main', started)
    try:
        assert launcher.main() == 0
        started.assert_called_once_with()
        # It finds the configuration files that nova-compute finds.
        import sys

        assert sys.argv == ['/usr/bin/nova-compute', *argv[1:]]
        assert nova.virt.__path__[:-1] == path
        loaded = virt_driver.load_compute_driver(
            fake.FakeVirtAPI(), launcher.DRIVER
        )
        assert type(loaded) is driver.XenLibvirtDriver
        # nova's own modules are those they were.
        assert nova.virt.driver is virt_driver
    finally:
        nova.virt.__path__[:] = path
    assert all(
        file.stat().st_mtime_ns == then for file, then in before.items()
    )
