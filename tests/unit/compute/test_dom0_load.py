# SPDX-License-Identifier: Apache-2.0

"""What dom0 serves, by the Instances of nova's database."""

from __future__ import annotations

from nova.objects.flavor import Flavor
import pytest

from nova_xen_sched import conf
from nova_xen_sched import dom0
from nova_xen_sched import facts
from nova_xen_sched.compute import dom0_load
from nova_xen_sched.facts.gather import HostFacts
from nova_xen_sched.facts.gather import NOTHING_KNOWN
from tests.unit.compute.instances import instance

SLOT = 'resources:CUSTOM_XEN_DOM0_SLOT'


@pytest.mark.parametrize(
    'specs, expected',
    [
        ({}, 0),
        ({SLOT: '1'}, 1),
        ({SLOT: '2', 'resources:VCPU': '4'}, 2),
        # A granular group, numbered as in nova 22, named as later.
        ({'resources1:CUSTOM_XEN_DOM0_SLOT': '1'}, 1),
        ({'resources_DOM0:CUSTOM_XEN_DOM0_SLOT': '1', SLOT: '1'}, 2),
        # What nova doesn't take either.
        ({SLOT: 'one'}, 0),
        ({SLOT: '-1'}, 0),
        ({SLOT: '0'}, 0),
        ({'trait:CUSTOM_XEN_DOM0_SLOT': '1'}, 0),
        ({SLOT + 'S': '1'}, 0),
        ({'hw:' + SLOT: '1'}, 0),
    ],
)
def test_what_a_flavor_asks_for(specs, expected):
    assert dom0_load.slots_of(instance(specs=specs)) == expected


def test_a_flavor_without_extra_specs():
    guest = instance()
    guest.flavor = Flavor()
    assert dom0_load.slots_of(guest) == 0


def test_the_load_of_guests_of_all_modes():
    guests = [
        instance(vm_mode='hvm', memory_mb=1024, vcpus=2),
        instance(vm_mode='xen', memory_mb=512, vcpus=1),
        instance(vm_mode='xen', memory_mb=512, vcpus=1),
        # As it is built.
        instance(vm_mode=None, memory_mb=256, vcpus=1),
    ]
    known = HostFacts(
        {
            'dom0_memory_mb': facts.Fact(2048, 'stats'),
            'dom0_vcpus': facts.Fact(2, 'stats'),
        }
    )
    found = dom0_load.load(guests, known, 8192, conf.defaults())
    assert found == dom0.Load(
        memory_mb=8192,
        dom0_memory_mb=2048,
        dom0_vcpus=2,
        hvm=1,
        pv=3,
        guests_memory_mb=2304,
        guests_vcpus=5,
    )
    settings = conf.defaults(default_vm_mode='hvm')
    assert dom0_load.load(guests, known, 8192, settings).hvm == 2


def test_what_is_not_known_the_options_say():
    found = dom0_load.load(
        iter([]), NOTHING_KNOWN, 8192, conf.defaults(dom0_memory_mb=3000)
    )
    assert (found.dom0_memory_mb, found.dom0_vcpus) == (3000, 4)
