# SPDX-License-Identifier: Apache-2.0

"""A request made of an image and a flavor is what nova's API makes."""

from __future__ import annotations

import json
from types import SimpleNamespace

from nova import availability_zones
from nova import context
from nova import objects
import nova.conf
from nova.scheduler import utils
import pytest

from nova_xen_sched import request as guest
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd.nova import images
from nova_xen_sched.cmd.nova import private
from nova_xen_sched.cmd.nova import request_spec
from nova_xen_sched.request import Kind

CLOUD = SimpleNamespace(context=context.get_admin_context())
FLAVOR = (512, 2, 10)


@pytest.fixture(autouse=True)
def no_groups(monkeypatch):
    objects.register_all()
    nova.conf.CONF([], project='nova', default_config_files=[])
    # There is no database: the server belongs to no group.
    monkeypatch.setattr(utils, 'setup_instance_group', lambda *args: None)
    monkeypatch.setattr(
        availability_zones, 'get_availability_zones', lambda *_a, **_k: ['z1']
    )
    yield
    nova.conf.CONF.reset()


def boot(properties, disk_format='raw', **values):
    return request_spec.boot(
        CLOUD,
        request_spec.image_of(properties, disk_format),
        request_spec.flavor_of(*FLAVOR),
        **values,
    )


@pytest.mark.parametrize(
    ('properties', 'hv_type', 'vm_mode'),
    [
        ({'hypervisor_type': 'xen', 'vm_mode': 'hvm'}, 'xen', 'hvm'),
        ({'hypervisor_type': 'XEN', 'vm_mode': 'pv'}, 'xen', 'xen'),
        ({'img_hv_type': 'xapi', 'hw_vm_mode': 'hv'}, 'xen', 'hvm'),
        ({}, None, None),
    ],
)
def test_properties_arrive_as_nova_spells_them(properties, hv_type, vm_mode):
    read = guest.from_spec(boot(properties))
    assert (read.hypervisor_type, read.vm_mode) == (hv_type, vm_mode)


def test_the_request_is_a_boot_of_that_size():
    spec = boot({}, 'vhd', zone='z1', hints={'foo': ['bar']}, project_id='p1')
    read = guest.from_spec(spec)
    assert read.kinds == {Kind.BOOT}
    assert (read.memory_mb, read.vcpus) == FLAVOR[:2]
    assert read.disk_format == 'vhd'
    assert spec.flavor.root_gb == FLAVOR[2]
    assert spec.availability_zone == 'z1'
    assert spec.scheduler_hints == {'foo': ['bar']}
    assert spec.project_id == 'p1'
    assert not read.boot_from_volume
    assert guest.from_spec(boot({}, boot_from_volume=True)).boot_from_volume


def test_a_zone_that_nova_would_refuse():
    with pytest.raises(
        errors.Failure, match='refuses the availability zone z2'
    ):
        boot({}, zone='z2')


def test_a_host_that_is_forced_by_the_zone():
    spec = boot({}, zone='z2:a')
    assert (spec.availability_zone, spec.force_hosts) == ('z2', ['a'])
    assert guest.kinds_of(spec) == {Kind.BOOT}
    assert boot({}, zone='z1').force_hosts is None


def test_placement_is_asked_for_that_size():
    wanted = utils.resources_from_request_spec(CLOUD.context, boot({}), None)
    assert 'DISK_GB%3A10%2CMEMORY_MB%3A512%2CVCPU%3A2' in (
        wanted.to_querystring()
    )


def test_placement_is_asked_for_some_or_for_all():
    wanted = utils.resources_from_request_spec(CLOUD.context, boot({}), None)
    assert private.limit(wanted, every=False) == 1000
    assert 'limit=1000' in wanted.to_querystring()
    assert private.limit(wanted, every=True) is None
    assert 'limit=' not in wanted.to_querystring()


@pytest.mark.parametrize(
    ('name', 'value'),
    [
        ('hypervisor_type', 'zen'),
        ('vm_mode', 'xenpvh'),
        ('hw_cpu_sockets', 'many'),
        ('architecture', 'foo'),
    ],
)
def test_a_value_that_nova_refuses_is_named(name, value):
    with pytest.raises(errors.Failure) as caught:
        boot({'os_distro': 'debian', name: value})
    message = str(caught.value)
    assert message.startswith(
        'nova refuses the image property %s=%s: ' % (name, value)
    )
    assert '\n' not in message


def test_properties_that_mean_nothing_to_nova():
    known = {'hypervisor_type': 'xen', 'hw_disk_bus': 'virtio'}
    assert request_spec.check_properties(known) == []
    assert request_spec.check_properties(
        {'hypervisor_typ': 'xen', **known}
    ) == ['hypervisor_typ']


def snapshot(**values):
    """nova's snapshot of a volume-backed server, as Glance has it."""
    root = {
        'boot_index': 0,
        'source_type': 'snapshot',
        'destination_type': 'volume',
        'device_name': '/dev/vda',
        'snapshot_id': '2b6e2a2d-6f9e-4cb4-9a2b-5a2b6f8f5a10',
        'volume_size': 8,
        'delete_on_termination': None,
        **values,
    }
    return {'bdm_v2': 'True', 'block_device_mapping': json.dumps([root])}


def boot_image(properties, flavor=FLAVOR, **values):
    image = request_spec.image_of(images.as_nova_reads(properties), 'raw')
    image.update(values)
    return request_spec.boot(CLOUD, image, request_spec.flavor_of(*flavor))


def test_a_snapshot_of_a_volume_backed_server_boots_from_a_volume():
    for flavor in (FLAVOR, (512, 2, 0)):
        spec = boot_image(snapshot(), flavor)
        assert guest.from_spec(spec).boot_from_volume
        wanted = utils.resources_from_request_spec(CLOUD.context, spec, None)
        assert 'DISK_GB' not in wanted.to_querystring()
    # Not where it is another disk than the root.
    spec = boot_image(snapshot(boot_index=1, device_name='/dev/vdb'))
    assert not guest.from_spec(spec).boot_from_volume
    assert not guest.from_spec(
        boot_image(snapshot(destination_type='local', source_type='blank'))
    ).boot_from_volume


@pytest.mark.parametrize(
    'properties',
    [
        {'block_device_mapping': '[{'},
        {'mappings': 'null'},
        {'mappings': '[{}]'},
        {'bdm_v2': 'True', 'block_device_mapping': '[{}]'},
        {'bdm_v2': 'True', 'block_device_mapping': '[{"boot_index": 0}]'},
        {'block_device_mapping': '[{"device_name": "vda", "foo": "1"}]'},
        snapshot(destination_type='moon'),
    ],
)
def test_mappings_that_nova_fails_on_are_one_line(properties):
    with pytest.raises(errors.Failure, match='nova refuses') as caught:
        boot_image(properties)
    assert '\n' not in str(caught.value)
