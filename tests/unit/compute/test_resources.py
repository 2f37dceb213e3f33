# SPDX-License-Identifier: Apache-2.0

"""What nova-compute-xen adds to its resource provider, beside nova's own.

The ProviderTree is nova's; placement is none, but for what it answers. With a
real one: tests/functional/test_slots.py.
"""

from __future__ import annotations

import types

import hypothesis
from hypothesis import strategies as st
from keystoneauth1 import exceptions as ks_exc
from nova.compute import provider_tree
import nova.conf
import pytest

from nova_xen_sched import conf
from nova_xen_sched import dom0
from nova_xen_sched import facts
from nova_xen_sched import log
from nova_xen_sched import provider
from nova_xen_sched.compute import dom0_load
from nova_xen_sched.compute import resources
from nova_xen_sched.facts.gather import HostFacts
from nova_xen_sched.host import Host
from tests.unit.compute.instances import instance

SETTINGS = conf.defaults()
NODE = 'xenhost1'
SPECS = {'resources:CUSTOM_XEN_DOM0_SLOT': '1'}
OTHERS = {'HW_CPU_X86_VMX', 'COMPUTE_STATUS_DISABLED', 'CUSTOM_SITE'}
VCPU = {'VCPU': {'total': 4, 'reserved': 0}}


@pytest.fixture(autouse=True)
def said(monkeypatch):
    monkeypatch.setattr(log, 'NOTICES', log.Notices())


class Placement:
    """Answers as placement does, through nova's SchedulerReportClient."""

    def __init__(self, used=0):
        self.used = used
        self.generation = 1
        self.fails = None
        self.status = 200
        self.created = []

    def _answer(self, body=None):
        if self.fails:
            raise self.fails
        return types.SimpleNamespace(
            status_code=self.status, text='its words', json=lambda: body
        )

    def put(self, url, data, version=None):
        answer = self._answer()
        self.created.append((url, version))
        return answer

    def get(self, url, version=None):
        return self._answer(
            {
                'usages': {'VCPU': 3, provider.DOM0_SLOT: self.used},
                'resource_provider_generation': self.generation,
            }
        )


class Node:
    """A node whose dom0 has so many slots."""

    def __init__(self, slots=10, guests=(), used=0):
        self.slots = slots
        self.guests = list(guests)
        self.placement = Placement(used)
        self.tree = provider_tree.ProviderTree()
        uuid = '5f6d7e01-0000-4000-8000-000000000001'
        self.tree.new_root(NODE, uuid, generation=1)
        self.tree.update_traits(NODE, OTHERS)
        self.host = None
        self.provider = resources.Provider(
            self.placement, lambda: self.guests, self.load
        )

    def load(self, found):
        known = {
            'dom0_memory_mb': facts.Fact(400 + 24 * self.slots, 'stats'),
            'dom0_vcpus': facts.Fact(16, 'stats'),
        }
        return dom0_load.load(found, HostFacts(known), 65536, SETTINGS)

    def update(self):
        """As the driver does it."""
        last = self.data.inventory.get(provider.DOM0_SLOT)
        self.tree.update_inventory(NODE, VCPU)
        self.provider.update(self.tree, NODE, last, self.host, SETTINGS)
        assert self.data.inventory.items() >= VCPU.items()
        return self.data.inventory.get(provider.DOM0_SLOT)

    @property
    def data(self):
        return self.tree.data(NODE)


# Slots


def test_the_slots_of_an_empty_host():
    assert Node(10).update() == {
        'total': 10,
        'reserved': 0,
        'min_unit': 1,
        'max_unit': 10,
        'step_size': 1,
        'allocation_ratio': 1.0,
    }


@pytest.mark.parametrize(
    'asking, others, used, total, reserved',
    [
        (3, 0, 3, 10, 0),
        (3, 2, 3, 10, 2),
        # One more is claimed than is here: a guest that comes.
        (3, 2, 4, 10, 2),
        # One is here for which none is claimed.
        (3, 0, 2, 10, 0),
        # Full, and more than full.
        (6, 4, 6, 10, 4),
        (12, 3, 12, 15, 3),
        (0, 13, 0, 13, 13),
    ],
)
def test_slots_that_are_held_and_guests_without(
    asking, others, used, total, reserved
):
    guests = [instance(specs=SPECS) for _ in range(asking)]
    guests += [instance() for _ in range(others)]
    found = Node(10, guests, used).update()
    assert (found['total'], found['reserved']) == (total, reserved)


def test_a_pv_guest_takes_less_than_its_slot():
    # 240 MiB, of which it takes 14: nine more of 24 fit.
    found = Node(10, [instance(specs=SPECS, vm_mode='xen')], 1).update()
    assert (found['total'], found['reserved']) == (10, 0)


@pytest.mark.parametrize('specs', [SPECS, {}])
def test_a_guest_that_is_built_may_be_hvm_yet(specs):
    """As seen on a real host: of its image nova has hw_vm_mode later."""
    guest = instance(specs=specs, vm_mode=None, vm_state='building')
    # 38 MiB: beside a PV guest, which takes 14, another HVM guest fits.
    node = Node(1.6, [guest], len(specs))
    assert node.update()['total'] == 1
    guest.vm_mode = 'hvm'
    assert node.update()['total'] == 1
    # One that was built is what it was built as: PV, by default.
    guest.vm_mode, guest.vm_state = None, 'active'
    assert node.update()['total'] == 2


def test_a_host_without_any_slot_and_any_guest():
    found = Node(0).update()
    assert (found['total'], found['reserved']) == (1, 1)


def test_a_dom0_that_shrinks_keeps_what_is_held():
    guests = [instance(specs=SPECS) for _ in range(8)]
    node = Node(10, guests, 8)
    node.update()
    node.slots = 5
    for left in range(8, 0, -1):
        del guests[left:]
        node.guests, node.placement.used = guests, left
        found = node.update()
        assert found['total'] - found['reserved'] == max(left, 5)


def test_a_change_waits_where_nova_is_outdated_and_nobody_holds_a_slot():
    """Placement would refuse it, and nova log an ERROR for each boot."""
    node = Node(10)
    # What was never reported can't wait.
    node.placement.generation = 2
    before = node.update()
    assert before['reserved'] == 0
    node.guests.append(instance())
    assert node.update() == before
    # nova has looked.
    node.placement.generation = 1
    assert node.update()['reserved'] == 1
    # One that holds a slot, by placement or by its flavor.
    node.placement.generation = 2
    node.guests.append(instance())
    node.placement.used = 1
    assert node.update()['reserved'] == 2
    node.placement.used = 0
    node.guests[:] = [instance(specs=SPECS)]
    assert node.update()['reserved'] == 0


def test_it_does_not_wait_for_a_nova_that_never_looks():
    node = Node(10)
    node.update()
    node.placement.generation = 2
    node.guests.append(instance())
    nova.conf.CONF.set_override(
        'resource_provider_association_refresh', 0, 'compute'
    )
    try:
        assert node.update()['reserved'] == 1
    finally:
        nova.conf.CONF.clear_override(
            'resource_provider_association_refresh', 'compute'
        )


modes = st.sampled_from(['hvm', 'xen', None])
crowds = st.lists(st.tuples(modes, st.integers(0, 3)), max_size=30)


@hypothesis.settings(max_examples=200, deadline=None)
@hypothesis.given(
    crowd=crowds,
    used=st.integers(0, 60),
    dom0_memory_mb=st.integers(1, 3000),
    dom0_vcpus=st.integers(1, 32),
)
def test_what_placement_takes_whatever_there_is(
    crowd, used, dom0_memory_mb, dom0_vcpus
):
    guests = [
        instance(
            vm_mode=mode,
            specs={'resources:CUSTOM_XEN_DOM0_SLOT': str(asked)},
        )
        for mode, asked in crowd
    ]
    known = HostFacts(
        {
            'dom0_memory_mb': facts.Fact(dom0_memory_mb, 'stats'),
            'dom0_vcpus': facts.Fact(dom0_vcpus, 'stats'),
        }
    )
    load = dom0_load.load(guests, known, 65536, SETTINGS)
    found = resources.slots(SETTINGS.dom0_model, load, guests, used)
    # As placement has it from 1.26 on.
    assert 0 <= found['reserved'] <= found['total']
    assert 1 <= found['min_unit'] <= found['max_unit'] <= found['total']
    capacity = (found['total'] - found['reserved']) * found['allocation_ratio']
    asked = sum(asked for _, asked in crowd)
    assert capacity >= max(asked, used)
    # And no more than fit can be claimed beyond what is held.
    free = int(capacity) - max(asked, used)
    more = load._replace(hvm=load.hvm + max(used - asked, 0) + free)
    over = dom0.overcommitted(SETTINGS.dom0_model, more)
    assert not free or not [
        each for each in over if each.resource is not dom0.Resource.HOST_MEMORY
    ]


@pytest.mark.parametrize(
    'fails', [ks_exc.ConnectFailure('no route'), RuntimeError('unforeseen')]
)
def test_what_cant_be_counted_is_reported_as_it_was(caplog, fails):
    node = Node(10)
    before = node.update()
    node.slots = 20
    node.placement.fails = fails
    assert node.update() == before
    assert len([r for r in caplog.records if r.levelname != 'DEBUG']) == 1
    node.update()
    node.placement.fails = None
    assert node.update()['total'] == 20


def test_an_answer_that_is_an_error(caplog):
    node = Node(10)
    node.placement.status = 503
    # Nothing was reported yet: then nothing is.
    assert node.update() is None
    assert "503 'its words'" in caplog.text
    node.placement.status = 200
    assert node.update()


def test_guests_that_cant_be_read_leave_it_as_it_was():
    node = Node(10)
    before = node.update()

    def fail():
        raise RuntimeError('the database is away')

    node.provider._read_guests = fail
    assert node.update() == before


# Names


def test_placement_knows_all_names_before_any_is_used():
    node = Node()
    node.placement.fails = ks_exc.ConnectFailure()
    node.update()
    node.placement.fails = None
    node.update()
    node.update()
    assert node.placement.created == [
        ('/traits/CUSTOM_XEN_HVM', '1.6'),
        ('/traits/CUSTOM_XEN_PV', '1.6'),
        ('/traits/CUSTOM_XEN_LIVE_MIGRATION', '1.6'),
        ('/resource_classes/CUSTOM_XEN_DOM0_SLOT', '1.7'),
    ]


# Traits


def xen(*modes, libvirt='7.0.0'):
    known = {}
    if libvirt:
        version = facts.parse_version(libvirt)
        known['libvirt_version'] = facts.Fact(version, 'stats')
    types = tuple(('x86_64', 'xen', mode) for mode in modes)
    return Host(types, 'Xen', 4014000, None, True, HostFacts(known))


def test_traits_come_and_go_and_others_stay(caplog):
    caplog.set_level('INFO')
    node = Node()
    node.host = xen('xen', 'hvm')
    node.update()
    assert node.data.traits == OTHERS | set(provider.TRAITS)
    assert 'CUSTOM_XEN_HVM: the host offers HVM guests' in caplog.text
    # An administrator's mistake, mended at the next update.
    node.tree.remove_traits(NODE, provider.PV)
    node.update()
    assert node.data.traits == OTHERS | set(provider.TRAITS)
    node.host = xen('xen', libvirt='1.2.5')
    node.update()
    assert node.data.traits == OTHERS | {provider.PV}


@pytest.mark.parametrize('host', [None, xen('xen', 'hvm', libvirt=None)])
def test_what_cant_be_told_removes_no_trait(host):
    node = Node()
    node.host = xen('xen', 'hvm')
    node.update()
    node.host = host
    node.update()
    assert node.data.traits == OTHERS | set(provider.TRAITS)


def test_an_update_that_changes_nothing_says_nothing(caplog):
    caplog.set_level('INFO')
    node = Node()
    node.host = xen('xen')
    node.update()
    caplog.clear()
    node.update()
    assert not caplog.records


def test_traits_are_reported_while_slots_are_not():
    node = Node()
    node.host = xen('xen')
    node.placement.fails = ks_exc.ConnectFailure()
    node.update()
    assert provider.PV in node.data.traits


def test_nothing_reaches_nova(caplog):
    node = Node()
    node.host = object()
    node.update()
    assert 'they stay as they were' in caplog.text
