# SPDX-License-Identifier: Apache-2.0

"""A request made of an image and a flavor is what nova's API makes."""

from __future__ import annotations

from types import SimpleNamespace

from nova import availability_zones
from nova import context
from nova import objects
import nova.conf
from nova.scheduler import utils
import pytest

from nova_xen_sched import request as guest
from nova_xen_sched.cmd import errors
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


def test_an_image_too_large_for_the_flavor_is_refused():
    image = dict(request_spec.image_of({}, 'raw'), min_ram=1024)
    flavor = request_spec.flavor_of(*FLAVOR)
    with pytest.raises(errors.Failure, match='nova refuses this request'):
        request_spec.boot(CLOUD, image, flavor)
    image = dict(request_spec.image_of({}, 'raw'), min_disk=20)
    with pytest.raises(errors.Failure, match='nova refuses this request'):
        request_spec.boot(CLOUD, image, flavor)
    # A volume has a size of its own.
    request_spec.boot(CLOUD, image, flavor, boot_from_volume=True)
