# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from nova import objects
import pytest

from nova_xen_sched import request
from nova_xen_sched.request import Kind
from tests.unit import builders


def test_all_that_an_image_says():
    read = request.from_spec(
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
    assert read == request.GuestRequest(
        kinds=frozenset({request.Kind.BOOT}),
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
    read = request.from_spec(
        builders.spec({'vm_mode': 'xen', 'hw_vm_mode': 'hvm'})
    )
    assert read.vm_mode == 'hvm'


def test_empty_requests():
    for spec in (
        objects.RequestSpec(),
        objects.RequestSpec(image=None),
        objects.RequestSpec(image=objects.ImageMeta()),
    ):
        assert request.from_spec(spec) == request.GuestRequest()
    assert not request.from_spec(objects.RequestSpec()).names_a_type


def test_default_architecture_stands_for_a_missing_one():
    read = request.from_spec(builders.spec(), 'amd64')
    assert read.architecture == 'x86_64'
    assert read.names_a_type
    named = builders.spec({'architecture': 'i686'})
    assert request.from_spec(named, 'x86_64').architecture == 'i686'


def test_maxphysaddr_bits_where_nova_has_it():
    has = 'hw_maxphysaddr_bits' in objects.ImageMetaProps.fields
    read = request.from_spec(builders.spec({'hw_maxphysaddr_bits': 42}))
    assert read.maxphysaddr_bits == (42 if has else None)


def kinds(spec):
    return sorted(str(kind) for kind in request.kinds_of(spec))


ANY_MOVE = ['evacuation', 'live migration', 'move']


def test_kinds():
    assert kinds(builders.spec()) == ['boot']
    assert kinds(builders.rebuilt()) == ['rebuild']
    assert kinds(builders.moved()) == ANY_MOVE


def test_an_unshelve_ignores_no_host():
    assert kinds(builders.moved(ignore_hosts=None)) == ['move']
    assert kinds(builders.moved(ignore_hosts=[])) == ['move']


def test_a_move_to_another_cell_is_a_cold_one():
    spec = builders.moved()
    spec.requested_destination.allow_cross_cell_move = True
    assert kinds(spec) == ['move']


def test_a_move_to_a_named_host_of_another_cell():
    """nova takes the cell away again; it is no boot for that."""
    spec = builders.moved()
    spec.requested_destination.allow_cross_cell_move = True
    spec.requested_destination.cell = None
    assert kinds(spec) == ['move']


@pytest.mark.parametrize('ignore_hosts', [['source'], None])
def test_the_hint_of_a_live_migration_alone_tells_nothing(ignore_hosts):
    """A user can have sent it with the boot; nova 22 stores it."""
    hint = {'_nova_check_type': ['live_migrate']}
    spec = builders.moved(scheduler_hints=hint, ignore_hosts=ignore_hosts)
    assert kinds(spec) == ANY_MOVE
    assert kinds(builders.spec(scheduler_hints=hint)) == ['boot']
    spec.requested_destination.allow_cross_cell_move = True
    assert kinds(spec) == ['move']


def test_a_boot_with_a_destination_is_a_boot():
    spec = builders.spec(
        requested_destination=objects.Destination(host='host1')
    )
    assert kinds(spec) == ['boot']


def test_a_forged_rebuild_hint_is_no_rebuild():
    hint = {'_nova_check_type': ['rebuild']}
    assert kinds(builders.spec(scheduler_hints=hint)) == ['boot']
    assert kinds(builders.moved(scheduler_hints=hint)) == ANY_MOVE


@pytest.mark.parametrize('kind', list(Kind))
def test_a_request_of_our_own_making_is_what_it_was_told_to_be(kind):
    spec = builders.moved()
    assert request.kinds_of(spec) == request.ANY_MOVE
    request.set_kind(spec, kind)
    assert request.kinds_of(spec) == {kind}
    assert request.from_spec(spec).kinds == {kind}


def test_what_it_was_told_to_be_does_not_travel():
    spec = builders.spec()
    request.set_kind(spec, Kind.EVACUATION)
    sent = objects.RequestSpec.obj_from_primitive(spec.obj_to_primitive())
    assert request.kinds_of(sent) == {Kind.BOOT}
