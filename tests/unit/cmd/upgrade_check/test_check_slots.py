# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from types import SimpleNamespace

from nova import objects
from oslo_upgradecheck.upgradecheck import Code

from nova_xen_sched.cmd.nova import servers
from nova_xen_sched.cmd.upgrade_check import check_slots
from tests.unit import builders

SLOT = {'resources:CUSTOM_XEN_DOM0_SLOT': '1'}


def flavor(extra_specs):
    return objects.Flavor(extra_specs=extra_specs)


def checked(monkeypatch, flavors, guests):
    """guests() of a host with these guests; what was read is in a list."""
    read = []

    def on_host(context, cell, name):
        read.append((cell, name))
        return [
            objects.Instance(uuid=uuid, flavor=flavor(specs))
            for uuid, specs in guests.items()
        ]

    monkeypatch.setattr(servers, 'on_host', on_host)
    host = builders.state('xen-1')
    host.cell_uuid = 'uuid'
    result = check_slots.guests(
        SimpleNamespace(
            flavors=[flavor(each) for each in flavors],
            xen=[SimpleNamespace(name='xen-1', state=host)],
            cloud=SimpleNamespace(
                context=None,
                host_manager=SimpleNamespace(cells={'uuid': 'cell'}),
            ),
        )
    )
    return result, read


def test_servers_whose_own_flavor_asks_for_no_slot_are_named(monkeypatch):
    guests = {builders.UUID[:-1] + str(n): {} for n in range(7)}
    with_one = builders.UUID[:-1] + '8'
    result, read = checked(monkeypatch, [{}, SLOT], {**guests, with_one: SLOT})
    assert result.code is Code.WARNING
    assert (result.what, result.hosts) == ('guests_without_slot', ['xen-1'])
    assert ': 7 (%s' % min(guests) in result.details
    assert 'and 2 more)' in result.details
    assert with_one not in result.details
    assert read == [('cell', 'xen-1')]


def test_all_is_well_where_every_guest_holds_one(monkeypatch):
    result, _ = checked(monkeypatch, [SLOT], {builders.UUID: SLOT})
    assert result.code is Code.SUCCESS


def test_no_guests_are_read_where_no_flavor_asks_for_slots(monkeypatch):
    result, read = checked(monkeypatch, [{}], {builders.UUID: {}})
    assert (result.code, read) == (Code.SUCCESS, [])


def test_flavors_that_require_a_trait_of_xen_hosts_are_named():
    flavors = [
        objects.Flavor(id=number, name='f%d' % number, extra_specs=specs)
        for number, specs in enumerate(
            (
                SLOT,
                {},
                {'trait:COMPUTE_STORAGE_BUS_XEN': 'required'},
                {'trait:CUSTOM_XEN_PV': 'required', **SLOT},
                {'trait:CUSTOM_XEN_PV': 'forbidden'},
            )
        )
    ]
    result = check_slots.flavors(SimpleNamespace(flavors=flavors, xen=[]))
    assert (result.code, result.what) == (Code.WARNING, 'flavors_without_slot')
    assert ': f2 (0 guests). ' in result.details


def test_where_slots_are_in_use_placements_option_is_named():
    flavors = [objects.Flavor(id=1, name='f1', extra_specs=SLOT)]
    result = check_slots.flavors(SimpleNamespace(flavors=flavors, xen=[]))
    assert result.code is Code.SUCCESS
    assert 'allocation_conflict_retry_count = 1' in result.details
