# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

from __future__ import annotations

from nova import objects

from nova_xen_sched import guest
from tests.unit import builders


def test_all_that_an_image_says():
    read = guest.from_spec(
        builders.spec(
            {
                'architecture': 'x86_64',
                'hypervisor_type': 'Xen',
                'vm_mode': 'pv',
                'hypervisor_version_requires': '>=4.14',
            },
            image={'disk_format': 'QCOW2'},
            is_bfv=True,
        )
    )
    assert read == guest.GuestRequest(
        kind=guest.Kind.BOOT,
        instance_uuid=builders.UUID,
        architecture='x86_64',
        hypervisor_type='xen',
        vm_mode='xen',
        hypervisor_version_requires='>=4.14',
        disk_format='qcow2',
        boot_from_volume=True,
    )
    assert read.names_a_type


def test_new_names_win_over_legacy_ones():
    read = guest.from_spec(
        builders.spec({'vm_mode': 'xen', 'hw_vm_mode': 'hvm'})
    )
    assert read.vm_mode == 'hvm'


def test_empty_requests():
    for spec in (
        objects.RequestSpec(),
        objects.RequestSpec(image=None),
        objects.RequestSpec(image=objects.ImageMeta()),
    ):
        assert guest.from_spec(spec) == guest.GuestRequest()
    assert not guest.from_spec(objects.RequestSpec()).names_a_type


def test_default_architecture_stands_for_a_missing_one():
    read = guest.from_spec(builders.spec(), 'amd64')
    assert read.architecture == 'x86_64'
    assert read.names_a_type
    named = builders.spec({'architecture': 'i686'})
    assert guest.from_spec(named, 'x86_64').architecture == 'i686'


def test_maxphysaddr_bits_where_nova_has_it():
    has = 'hw_maxphysaddr_bits' in objects.ImageMetaProps.fields
    read = guest.from_spec(builders.spec({'hw_maxphysaddr_bits': 42}))
    assert read.maxphysaddr_bits == (42 if has else None)


def test_kinds():
    assert guest.kind_of(builders.spec()) is guest.Kind.BOOT
    assert guest.kind_of(builders.moved()) is guest.Kind.MOVE
    assert guest.kind_of(builders.rebuilt()) is guest.Kind.REBUILD


def test_a_boot_with_a_destination_is_a_boot():
    spec = builders.spec(
        requested_destination=objects.Destination(host='host1')
    )
    assert guest.kind_of(spec) is guest.Kind.BOOT


def test_a_forged_rebuild_hint_is_no_rebuild():
    hint = {'_nova_check_type': ['rebuild']}
    assert (
        guest.kind_of(builders.spec(scheduler_hints=hint)) is guest.Kind.BOOT
    )
    assert (
        guest.kind_of(builders.moved(scheduler_hints=hint)) is guest.Kind.MOVE
    )
