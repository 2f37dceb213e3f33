# SPDX-License-Identifier: Apache-2.0

"""Images from Glance's JSON are as nova's API has them."""

from __future__ import annotations

from nova.objects import image_meta

from nova_xen_sched.cmd.nova import images

FROM_GLANCE = {
    'id': 'b1',
    'name': 'my image',
    'status': 'active',
    'visibility': 'private',
    'disk_format': 'qcow2',
    'container_format': 'bare',
    'size': None,
    'min_ram': 64,
    'min_disk': 2,
    'tags': ['one'],
    'os_hash_algo': 'sha512',
    'file': '/v2/images/b1/file',
    'schema': '/v2/schemas/image',
    'self': '/v2/images/b1',
    'hypervisor_type': 'xen',
    'hw_vm_mode': 'hvm',
    'os_distro': 'debian',
}


def test_what_glance_does_not_define_is_a_property():
    image = images.as_nova_has_it(FROM_GLANCE)
    assert image['properties'] == {
        'hypervisor_type': 'xen',
        'hw_vm_mode': 'hvm',
        'os_distro': 'debian',
    }
    assert (image['disk_format'], image['min_disk']) == ('qcow2', 2)
    # An image that has no data yet.
    assert image['size'] == 0


def test_nova_reads_it():
    image = images.as_nova_has_it(FROM_GLANCE)
    read = image_meta.ImageMeta.from_dict(image)
    assert read.disk_format == 'qcow2'
    assert read.properties.img_hv_type == 'xen'
    assert read.properties.hw_vm_mode == 'hvm'
