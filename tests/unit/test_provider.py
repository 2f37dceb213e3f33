# SPDX-License-Identifier: Apache-2.0

"""Which traits a Xen host has, and how many slots its dom0 has left."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
import pytest

from nova_xen_sched import conf
from nova_xen_sched import dom0
from nova_xen_sched import facts
from nova_xen_sched import provider
from nova_xen_sched.facts.gather import HostFacts
from nova_xen_sched.host import Host

SETTINGS = conf.defaults()
PV = ('x86_64', 'xen', 'xen')
HVM = ('x86_64', 'xen', 'hvm')


def host(*guest_types, version=4014000, **known):
    found = {
        name: facts.Fact(facts.BY_NAME[name].parse(value), 'stats')
        for name, value in known.items()
    }
    return Host(guest_types, 'Xen', version, None, True, HostFacts(found))


def has(of, settings=SETTINGS):
    return {
        name: trait.has
        for name, trait in provider.traits(of, settings).items()
    }


def test_placement_takes_the_names():
    for name in (*provider.TRAITS, provider.DOM0_SLOT):
        assert re.fullmatch('CUSTOM_[A-Z0-9_]{1,248}', name)


@pytest.mark.parametrize(
    'offered, hvm, pv',
    [
        ((PV, HVM), True, True),
        ((PV,), False, True),
        ((HVM,), True, False),
        # Of QEMU beside it.
        ((PV, ('x86_64', 'qemu', 'hvm')), False, True),
    ],
)
def test_guest_types_are_what_the_host_offers(offered, hvm, pv):
    found = provider.traits(host(*offered), SETTINGS)
    assert list(found) == list(provider.TRAITS)
    assert found[provider.HVM].has is hvm
    assert found[provider.PV].has is pv
    assert found[provider.HVM].reason == (
        'the host offers %sHVM guests' % ('' if hvm else 'no ')
    )


@pytest.mark.parametrize(
    'libvirt, xen, expected, reason',
    [
        ('7.0.0', '4.14.6', True, 'libvirt is 1.3.2 or better'),
        # Of most releases the patch level doesn't matter.
        ('7.0.0', None, True, 'libvirt is 1.3.2 or better'),
        ('1.2.5', '4.14.6', False, "host's libvirt is 1.2.5"),
        (None, '4.14.6', None, 'of unknown version'),
        ('7.0.0', '4.4.2', False, "host's Xen is 4.4.2"),
        # One that is too old decides, whatever the other is.
        (None, '4.4.2', False, "host's Xen is 4.4.2"),
        ('7.0.0', '4.5.0', False, '4.5.0'),
    ],
)
@pytest.mark.parametrize('unknown', ['accept', 'refuse'])
def test_live_migration_takes_libvirt_and_xen(
    libvirt, xen, expected, reason, unknown
):
    known = {'libvirt_version': libvirt, 'xen_version': xen}
    known = {name: value for name, value in known.items() if value}
    settings = conf.defaults(
        unknown_version=unknown, live_migration_check='never'
    )
    found = provider.traits(host(PV, **known), settings)
    assert found[provider.LIVE_MIGRATION].has is expected
    assert reason in found[provider.LIVE_MIGRATION].reason


def test_a_xen_whose_patch_level_matters_is_unknown_without_it():
    known = host(PV, libvirt_version='7.0.0', version=4004000)
    assert has(known)[provider.LIVE_MIGRATION] is None


def test_a_libvirt_that_is_only_known_to_be_reached():
    def at_least(version):
        fact = facts.Fact(version, 'service_version', exact=False)
        known = HostFacts({'libvirt_version': fact})
        return has(Host((PV,), 'Xen', 4014000, None, True, known))

    assert at_least((1, 2, 9))[provider.LIVE_MIGRATION] is None
    assert at_least((5, 0, 0))[provider.LIVE_MIGRATION] is True


def test_where_the_rule_is_off_nothing_is_said():
    old = host(PV, libvirt_version='1.2.5')
    off = conf.defaults(min_libvirt_version=None)
    assert has(old, off)[provider.LIVE_MIGRATION] is None
    # Xen's alone says nothing against it.
    good = host(PV, libvirt_version='7.0.0')
    off = conf.defaults(min_xen_version=None)
    assert has(good, off)[provider.LIVE_MIGRATION] is True


@pytest.mark.parametrize(
    'other, expected',
    [
        (Host((('x86_64', 'kvm', 'hvm'),), 'QEMU'), False),
        (Host((('x86_64', 'xen', 'hvm'),), 'XenServer'), False),
        # A node that never reported, or not in full.
        (Host(), None),
        (Host((), 'Xen'), None),
    ],
)
def test_other_hosts_have_none(other, expected):
    assert set(has(other).values()) == {expected}


loads = st.builds(
    dom0.Load,
    memory_mb=st.one_of(st.just(0), st.integers(1024, 131072)),
    dom0_memory_mb=st.integers(1, 8192),
    dom0_vcpus=st.integers(1, 64),
    hvm=st.integers(0, 200),
    pv=st.integers(0, 200),
    pvh=st.integers(0, 5),
    unknown=st.integers(0, 20),
    guests_memory_mb=st.integers(0, 200000),
    guests_vcpus=st.integers(0, 100),
    free_mb=st.one_of(st.none(), st.integers(0, 131072)),
)


@given(loads)
def test_free_slots_fill_dom0_and_no_more(load):
    model = SETTINGS.dom0_model
    free = provider.free_slots(model, load)

    def over(count):
        more = dom0.resources(model, load._replace(hvm=load.hvm + count))
        return any(each.overcommitted for each in more[:2])

    assert free >= 0
    assert over(free + 1)
    assert not free or not over(free)


def test_what_hvm_guests_take_nothing_of_is_no_limit():
    model = SETTINGS.dom0_model._replace(hvm_memory_mb=0, guests_per_vcpu=1e9)
    assert provider.free_slots(model, dom0.Load(0, 4096, 4)) > 10**6 - 1
