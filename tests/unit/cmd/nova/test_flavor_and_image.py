# SPDX-License-Identifier: Apache-2.0

"""What nova's API refuses of flavors and images is said by name."""

from __future__ import annotations

import json
from types import SimpleNamespace

from nova import context
from nova import objects
from nova import version
from nova.compute import utils as compute_utils
import nova.conf
import pytest

from nova_xen_sched.cmd.nova import flavor_and_image
from nova_xen_sched.cmd.nova import images
from nova_xen_sched.cmd.nova import request_spec

MAJOR = int(version.version_string().split('.')[0])
UUID = '5c5b4a1e-6c4f-4f0b-8a54-6f4f8f2b1d10'
CLOUD = SimpleNamespace(context=context.get_admin_context())
GIB = 1 << 30


@pytest.fixture(autouse=True)
def configured():
    objects.register_all()
    nova.conf.CONF([], project='nova', default_config_files=[])
    yield
    nova.conf.CONF.reset()


def flavor(ram=512, vcpus=2, disk=10, **fields):
    found = request_spec.flavor_of(ram, vcpus, disk)
    found.update(fields)
    return found


def image(properties=None, **values):
    read = images.as_nova_reads(properties or {})
    found = request_spec.image_of(read, 'raw')
    found.update(values)
    return found


def of_boot(image, flavor, volume=None):
    return flavor_and_image.refuses_boot(CLOUD, image, flavor, volume)


@pytest.mark.parametrize(
    ('values', 'fields', 'code', 'words'),
    [
        (
            {'min_ram': 1024},
            {},
            'min_ram',
            "512 MiB of memory, and the image's min_ram is 1024 MiB",
        ),
        (
            {'min_disk': 20},
            {},
            'min_disk',
            "a disk of 10 GiB, and the image's min_disk is 20 GiB",
        ),
        (
            {'size': 11 * GIB + GIB // 2},
            {},
            'image_size',
            'a disk of 10 GiB, and the image is of 11.5 GiB',
        ),
        (
            {'status': 'deactivated'},
            {},
            'image_not_active',
            'the status of the image is deactivated; it has to be active',
        ),
        ({}, {'disabled': True}, 'flavor_disabled', 'the flavor 512 MiB'),
        (
            {},
            {'extra_specs': {'hw:cpu_policy': 'nonsense'}},
            'image_and_flavor',
            'nonsense',
        ),
    ],
)
def test_what_is_refused_of_a_boot(values, fields, code, words):
    (found,) = of_boot(image(**values), flavor(**fields))
    assert found.code == code
    assert found.startswith('nova refuses to boot the server')
    assert words in found
    assert '\n' not in found
    assert found.endswith('.')


def test_all_is_said_at_once():
    found = of_boot(image(status='queued', min_ram=9999), flavor())
    assert [each.code for each in found] == ['image_not_active', 'min_ram']


def test_a_volume_has_a_size_of_its_own():
    assert (
        of_boot(image(min_disk=20), flavor(), flavor_and_image.volume()) == []
    )
    # Policy says who may have a flavor without a disk.
    assert of_boot(image(min_disk=20), flavor(disk=0)) == []
    root = {
        'boot_index': 0,
        'source_type': 'snapshot',
        'destination_type': 'volume',
        'device_name': '/dev/vda',
        'snapshot_id': UUID,
        'volume_size': 8,
        'delete_on_termination': None,
    }
    snapshot = {'bdm_v2': 'True', 'block_device_mapping': json.dumps([root])}
    for min_disk, codes in ((8, []), (9, ['image_and_flavor'])):
        given = image(snapshot, min_disk=min_disk)
        volume = request_spec.root_volume(given, flavor())
        found = of_boot(given, flavor(), volume)
        assert [each.code for each in found] == codes


@pytest.fixture
def server(monkeypatch):
    """One of 2048 MiB and 20 GiB; whose is_bfv says if of a volume."""
    found = SimpleNamespace(
        instance=objects.Instance(
            uuid=UUID,
            image_ref='b',
            flavor=flavor(2048, 2, 20, flavorid='1', name='m1.small'),
            system_metadata={'image_min_ram': '1024', 'image_min_disk': '15'},
        ),
        cell=objects.CellMapping(
            uuid=UUID, database_connection='none:///', transport_url='none:///'
        ),
        is_bfv=False,
    )
    # There is no database.
    monkeypatch.setattr(
        compute_utils,
        'is_volume_backed_instance',
        lambda *args: found.is_bfv,
    )
    monkeypatch.setattr(
        flavor_and_image.nova_context,
        'target_cell',
        lambda *args: _Nothing(),
    )
    return found


class _Nothing:
    def __enter__(self):
        return None

    def __exit__(self, *args):
        pass


@pytest.mark.parametrize(
    ('fields', 'code', 'of_volume'),
    [
        ({'flavorid': '1'}, 'same_flavor', True),
        ({'flavorid': '2', 'disabled': True}, 'flavor_disabled', True),
        ({'disk': 0}, 'zero_disk', False),
        ({'disk': 14}, 'min_disk', False),
        ({'ram': 1023}, 'min_ram', False),
        ({'ram': 1024}, None, True),
    ],
)
def test_what_is_refused_of_a_resize(server, fields, code, of_volume):
    wanted = flavor(**{'ram': 4096, 'disk': 40, **fields})
    for server.is_bfv in (False, True):
        found = flavor_and_image.refuses_resize(CLOUD, server, wanted)
        refused = code and (of_volume or not server.is_bfv)
        assert [each.code for each in found] == ([code] if refused else [])


def test_a_smaller_disk_fails_on_the_host(server):
    def said(**fields):
        return flavor_and_image.resize_remarks(CLOUD, server, flavor(**fields))

    (told,) = said(disk=19)
    assert told.code == 'smaller_disk'
    assert 'a smaller disk (19 GiB) than the server has now (20 GiB)' in told
    assert said(disk=20) == said(disk=0) == []
    server.is_bfv = True
    assert said(disk=19) == []


@pytest.mark.parametrize(
    ('values', 'codes'),
    [
        ({}, []),
        ({'status': 'queued'}, ['image_not_active']),
        ({'min_ram': 2049}, ['min_ram']),
        ({'min_disk': 21}, ['min_disk']),
        ({'size': 21 * GIB}, ['image_size']),
        ({'properties': {'hw_numa_nodes': '2'}}, ['numa']),
    ],
)
def test_what_is_refused_of_a_rebuild(server, values, codes):
    found = flavor_and_image.refuses_rebuild(CLOUD, server, image(**values))
    assert [each.code for each in found] == codes


def test_another_image_on_a_volume(server):
    server.is_bfv = True
    found = flavor_and_image.refuses_rebuild(CLOUD, server, image())
    told = flavor_and_image.rebuild_remarks(CLOUD, server)
    # nova 26 has microversion 2.93.
    assert ([], ['volume_backed'])[MAJOR < 26] == [e.code for e in found]
    assert (['volume_backed'], [])[MAJOR < 26] == [e.code for e in told]
