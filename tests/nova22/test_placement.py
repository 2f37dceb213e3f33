# SPDX-License-Identifier: Apache-2.0

"""Traits, slots and refusals of the driver under nova 22.

With a real placement: tests/functional/test_slots.py.
"""

from __future__ import annotations

import functools
from unittest import mock

import pytest

from nova_xen_sched.compute import launcher

if launcher.complaint_of_nova():
    pytest.skip('this nova has no Xen', allow_module_level=True)

from nova import exception
from nova import objects
from nova.compute import provider_tree
import nova.conf
from nova.virt.libvirt import driver as libvirt_driver

from nova_xen_sched import conf
from nova_xen_sched import log
from nova_xen_sched import provider
from nova_xen_sched.compute import dom0_load
from tests.unit.compute import instances
from tests.unit.compute.test_resources import Placement

CONF = nova.conf.CONF

NODE = 'xenhost1'
SPECS = {'resources:CUSTOM_XEN_DOM0_SLOT': '1'}
#: dom0 has 1024 MiB, of which dom0 itself uses 400: 26 HVM guests of 24 fit.
SLOTS = 26


#: Small, so that the host's RAM never decides.
instance = functools.partial(instances.instance, memory_mb=64)
booting = functools.partial(instances.booting, memory_mb=64)


@pytest.fixture(autouse=True)
def said(monkeypatch):
    monkeypatch.setattr(log, 'NOTICES', log.Notices())


@pytest.fixture(autouse=True)
def memory_decides():
    """Of dom0's resources: it has 2 vCPUs only."""
    conf.register_opts(CONF)
    CONF.set_override('dom0_guests_per_vcpu', 100, 'xen_scheduler')
    yield
    CONF.clear_override('dom0_guests_per_vcpu', 'xen_scheduler')


@pytest.fixture
def guests(monkeypatch):
    """The guests of the host; there is no database to read them from."""
    found = []
    monkeypatch.setattr(dom0_load, 'on_host', lambda *_: list(found))
    return found


@pytest.fixture
def made(on, guests):
    made = on()
    made._provider._report_client = Placement()
    made.get_available_resource(NODE)
    return made


@pytest.fixture
def limited():
    CONF.set_override('refuse_dom0_overcommit', True, 'xen_scheduler')
    yield
    CONF.clear_override('refuse_dom0_overcommit', 'xen_scheduler')


@pytest.fixture
def tree():
    tree = provider_tree.ProviderTree()
    tree.new_root(NODE, 'b644dec6-3d91-4282-8c3e-3900401e080e', generation=1)
    tree.update_traits(NODE, {'COMPUTE_STATUS_DISABLED', 'CUSTOM_SITE'})
    return tree


# Traits and slots


def test_they_are_beside_what_nova_reports(made, tree, guests):
    guests += [instance(specs=SPECS), instance()]
    stock = provider_tree.ProviderTree()
    stock.new_root(NODE, 'b644dec6-3d91-4282-8c3e-3900401e080e')
    libvirt_driver.LibvirtDriver.update_provider_tree(made, stock, NODE)
    made.update_provider_tree(tree, NODE)
    found, nova_s = tree.data(NODE), stock.data(NODE)
    assert found.inventory == {
        **nova_s.inventory,
        'CUSTOM_XEN_DOM0_SLOT': {
            'total': SLOTS,
            'reserved': 1,
            'min_unit': 1,
            'max_unit': SLOTS,
            'step_size': 1,
            'allocation_ratio': 1.0,
        },
    }
    assert 'MEMORY_MB' in nova_s.inventory
    assert found.traits == {
        *nova_s.traits,
        'COMPUTE_STATUS_DISABLED',
        'CUSTOM_SITE',
        *provider.TRAITS,
    }


def test_a_host_without_hvm(on, guests, tree):
    made = on('xen-4.14-pv-only')
    made._provider._report_client = Placement()
    made.get_available_resource(NODE)
    tree.add_traits(NODE, provider.HVM)
    made.update_provider_tree(tree, NODE)
    ours = tree.data(NODE).traits & set(provider.TRAITS)
    assert ours == {provider.PV, provider.LIVE_MIGRATION}


def test_a_libvirt_that_breaks_removes_nothing(made, tree, monkeypatch):
    made.update_provider_tree(tree, NODE)
    before = tree.data(NODE)
    monkeypatch.setattr(
        made._reporter, 'read', mock.Mock(side_effect=RuntimeError('gone'))
    )
    made._stats()
    made.update_provider_tree(tree, NODE)
    assert tree.data(NODE).traits == before.traits
    assert tree.data(NODE).inventory == before.inventory


def test_before_anything_was_read_nothing_is_said_of_traits(on, guests, tree):
    made = on()
    made._provider._report_client = Placement()
    made.update_provider_tree(tree, NODE)
    assert not tree.data(NODE).traits & set(provider.TRAITS)


@pytest.mark.parametrize('broken', ['guests', 'placement'])
def test_nova_s_update_never_fails_of_it(made, tree, monkeypatch, broken):
    made.update_provider_tree(tree, NODE)
    before = tree.data(NODE).inventory
    if broken == 'guests':
        error = mock.Mock(side_effect=exception.NovaException('no conductor'))
        monkeypatch.setattr(dom0_load, 'on_host', error)
    else:
        made._provider._report_client = None
    made.update_provider_tree(tree, NODE)
    assert tree.data(NODE).inventory == before


def test_a_reshape_is_nova_s(made, tree):
    """What its driver raises is handed on, and nothing is written."""
    with mock.patch.object(
        libvirt_driver.LibvirtDriver,
        'update_provider_tree',
        side_effect=exception.ReshapeNeeded(),
    ), pytest.raises(exception.ReshapeNeeded):
        made.update_provider_tree(tree, NODE)
    assert provider.DOM0_SLOT not in tree.data(NODE).inventory


# The late check


def spawn(made, guest, **properties):
    """Whether nova's spawn was called; also where ours raises."""
    image_meta = objects.ImageMeta.from_dict({'properties': properties})
    with mock.patch.object(libvirt_driver.LibvirtDriver, 'spawn') as nova_s:
        try:
            made.spawn(mock.sentinel.context, guest, image_meta, [], None, {})
        finally:
            spawn.called = nova_s.called
    return nova_s.called


def test_a_boot_that_dom0_can_t_carry_is_refused(
    made, guests, limited, caplog
):
    guests += [instance() for _ in range(SLOTS - 1)]
    guest, more = booting(), booting()
    # nova has claimed for both.
    guests += [guest, more]
    assert spawn(made, guest)
    assert 'does not fit' not in caplog.text
    with pytest.raises(
        exception.ComputeResourcesUnavailable, match='dom0_memory: with this'
    ):
        spawn(made, more)
    assert not spawn.called
    assert 'This guest does not fit on this host' in caplog.text


@pytest.mark.parametrize(
    'state',
    [
        ('active', 'rebuild_spawning'),
        ('error', 'rebuild_spawning'),
        ('shelved_offloaded', 'spawning'),
    ],
)
def test_what_has_no_other_host_is_only_logged(
    made, guests, limited, caplog, state
):
    guests += [instance() for _ in range(SLOTS)]
    vm_state, task_state = state
    assert spawn(made, instance(vm_state=vm_state, task_state=task_state))
    assert 'This guest does not fit on this host' in caplog.text


def test_without_the_option_xen_s_own_memory_decides(made, guests, caplog):
    guests += [instance() for _ in range(SLOTS + 1)]
    # 5046 MiB are left.
    assert spawn(made, booting(memory_mb=4950))
    assert not [r for r in caplog.records if r.levelname == 'WARNING']
    with pytest.raises(
        exception.ComputeResourcesUnavailable,
        match='Xen itself has 5046 MiB of RAM left',
    ):
        spawn(made, booting(memory_mb=5046))


def test_beside_a_dom0_that_balloons_xen_has_none(made, guests):
    made._reporter._last.pop('dom0_memory_mb')
    assert spawn(made, booting(memory_mb=5046))


def test_a_libvirt_that_does_not_answer_refuses_nobody(
    made, guests, monkeypatch
):
    monkeypatch.setattr(
        made._host,
        'get_connection',
        mock.Mock(side_effect=exception.HypervisorUnavailable()),
    )
    assert spawn(made, booting(memory_mb=5046))


def test_hw_vm_mode_counts_for_the_check(made, guests, limited):
    """A PV guest takes 14 MiB of dom0, an HVM guest 24."""
    guests += [instance() for _ in range(SLOTS - 1)]
    # 624 - 600 are left; and of 14 each, one more.
    guests.append(instance(vm_mode='xen'))
    guest = booting(vm_mode=None)
    with pytest.raises(exception.ComputeResourcesUnavailable):
        spawn(made, guest, hw_vm_mode='hvm')
    # As it came: the next host has another nova-compute.
    assert guest.vm_mode is None
    guests.pop()
    assert spawn(made, booting(vm_mode=None), hw_vm_mode='xen')


# The destination of a live migration


def check(made, guest):
    with mock.patch.object(
        libvirt_driver.LibvirtDriver,
        'check_can_live_migrate_destination',
        return_value=mock.sentinel.data,
    ) as nova_s:
        try:
            return made.check_can_live_migrate_destination(
                mock.sentinel.context, guest, {}, {}, True, False
            )
        finally:
            check.called = nova_s.call_args_list


def test_a_guest_that_comes_must_fit(made, guests, limited):
    guests += [instance() for _ in range(SLOTS - 1)]
    guest = instance(task_state='migrating')
    assert check(made, guest) is mock.sentinel.data
    assert check.called == [
        mock.call(mock.sentinel.context, guest, {}, {}, True, False)
    ]
    guests.append(instance())
    with pytest.raises(
        exception.MigrationPreCheckError, match='dom0_memory: with this'
    ):
        check(made, guest)
    # nova's would have left a file behind.
    assert check.called == []


def test_a_guest_that_xen_has_no_memory_for_does_not_come(made, guests):
    with pytest.raises(exception.MigrationPreCheckError, match='Xen itself'):
        check(made, instance(memory_mb=5046))
    assert check(made, instance(memory_mb=4950)) is mock.sentinel.data


def test_what_fails_unforeseen_refuses_nobody(
    made, limited, monkeypatch, caplog
):
    monkeypatch.setattr(
        dom0_load, 'on_host', mock.Mock(side_effect=RuntimeError('no'))
    )
    assert check(made, instance()) is mock.sentinel.data
    assert spawn(made, booting())
    assert 'it may start' in caplog.text
