# SPDX-License-Identifier: Apache-2.0

"""What nova-compute-xen reports and refuses, in a real nova and placement."""

from __future__ import annotations

import tests.functional  # noqa: F401  before any other import of nova

# isort: split
import collections

from nova_xen_sched import provider
from tests.functional import hosts
from tests.functional import reporting
from tests.functional.cases import conf
from tests.functional.cases import FilterCase
from tests.functional.cases import HVM
from tests.functional.cases import PV
from tests.functional.cases import sized
from tests.functional.test_dom0 import sizes

SLOT = {'resources:CUSTOM_XEN_DOM0_SLOT': '1'}
DRIVER = '\n[DEFAULT]\ncompute_driver = %s\n' % reporting.COMPUTE_DRIVER


def xen(name, slots, size='large', **stats):
    stats = {
        'xen_libvirt_version': '7.0.0',
        'xen_version': '4.14.6',
        **sizes(slots),
        **stats,
    }
    return hosts.xen(name, stats=stats, **sized(size))


class PlacementCase(FilterCase):
    NOVA_CONF = conf() + DRIVER

    def slots(self, host):
        """The slots of a host: how many can be used, and are."""
        uuid = self._get_provider_uuid_by_host(host)
        inventory = self._get_provider_inventory(uuid)[provider.DOM0_SLOT]
        used = self._get_provider_usages(uuid)[provider.DOM0_SLOT]
        return inventory['total'] - inventory['reserved'], used

    def traits(self, host):
        uuid = self._get_provider_uuid_by_host(host)
        return set(self._get_provider_traits(uuid))

    def update(self, host):
        """As after a while: nova has read its provider anew."""
        self.computes[host].manager.reportclient.clear_provider_cache()
        with self._cell_context(host) as ctxt:
            pass
        # It stays targeted; and here nova's fixture holds no lock any more,
        # for which an operation that has not quite ended would wait.
        self.computes[host].manager.update_available_resource(ctxt)


class TestTraits(PlacementCase):
    def test_names_exist_and_traits_come_and_go(self):
        self.start_hosts([xen('a', 2)])
        ours = set(provider.TRAITS)
        uuid = self._get_provider_uuid_by_host('a')
        self._set_provider_traits(uuid, [*self.traits('a'), 'CUSTOM_SITE'])
        before = self.traits('a')
        self.assertLessEqual(ours, before)
        # A host of PV guests, with an old libvirt.
        self.change_host(
            xen('a', 2, xen_libvirt_version='1.2.5').but(
                supported_instances=(('x86_64', 'xen', 'xen'),)
            )
        )
        gone = {provider.HVM, provider.LIVE_MIGRATION}
        self.assertEqual(before - gone, self.traits('a'))
        # What a host has no more is known still.
        self.assertLessEqual(ours, set(self._get_all_traits()))
        # A request for it has no candidate, and is no error.
        found = self.placement.get(
            '/allocation_candidates?resources=VCPU:1&required=%s'
            % provider.HVM,
            version='1.22',
        )
        self.assertEqual(200, found.status)
        self.assertEqual([], found.body['allocation_requests'])


class TestSlots(PlacementCase):
    surprised = False

    def test_slots_bound_what_boots(self):
        self.start_hosts([xen('a', 3), xen('b', 2)])
        flavor = self.create_flavor(extra_specs=SLOT)
        image = self.create_image('hvm', **HVM)
        servers = self.boot(image, flavor, count=5)
        found = collections.Counter(self.host_of(s) for s in servers)
        self.assertEqual({'a': 3, 'b': 2}, dict(found))
        self.assertEqual((3, 3), self.slots('a'))
        self.boot(image, flavor, wait='ERROR')
        for server in servers:
            self.delete(server)
        self.update('a')
        self.assertEqual((3, 0), self.slots('a'))

    def test_guests_without_a_slot_are_reserved(self):
        self.start_hosts([xen('a', 3)])
        image = self.create_image('hvm', **HVM)
        without = self.boot(image)
        # A claim has made nova's knowledge of its provider outdated.
        self.assertEqual((3, 0), self.slots('a'))
        self.assertNotIn('Failed to update inventory', self.log)
        self.update('a')
        self.assertEqual((2, 0), self.slots('a'))
        flavor = self.create_flavor(extra_specs=SLOT)
        self.boot(image, flavor, count=2)
        self.boot(image, flavor, wait='ERROR')
        self.delete(without)
        self.update('a')
        self.assertEqual((3, 2), self.slots('a'))

    def test_a_move_holds_two_until_it_is_confirmed(self):
        self.start_hosts([xen('a', 3), xen('b', 2, 'small')])
        flavor = self.create_flavor(extra_specs=SLOT)
        image = self.create_image('hvm', **HVM)
        server = self.assert_boots_on('a', image, flavor)
        self._act(
            server,
            'migrate',
            {'migrate': None},
            lambda before, now: now['status'] == 'VERIFY_RESIZE',
        )
        for host, all_of_it in (('a', 3), ('b', 2)):
            self.update(host)
            self.assertEqual((all_of_it, 1), self.slots(host))
        self._act(
            server,
            'confirmResize',
            {'confirmResize': None},
            lambda before, now: now['status'] == 'ACTIVE',
            leaves='resized',
        )
        self.update('a')
        self.assertEqual((3, 0), self.slots('a'))

    def test_a_dom0_that_shrinks_lets_its_guests_go(self):
        self.start_hosts([xen('a', 3), xen('b', 9, 'small')])
        flavor = self.create_flavor(extra_specs=SLOT)
        image = self.create_image('hvm', **HVM)
        servers = [self.assert_boots_on('a', image, flavor) for _ in 'abc']
        self.change_host(xen('a', 1))
        self.assertEqual((3, 3), self.slots('a'))
        self.live_migrate(servers[0])
        self.update('a')
        self.assertEqual((2, 2), self.slots('a'))
        self.cold_migrate(servers[1])
        self.update('a')
        self.assertEqual((1, 1), self.slots('a'))

    def test_what_cant_be_counted_stays_and_claims_go_on(self):
        self.start_hosts([xen('a', 3)])
        flavor = self.create_flavor(extra_specs=SLOT)
        image = self.create_image('hvm', **HVM)
        self.boot(image, flavor)
        reporting.BROKEN.add('a')
        self.addCleanup(reporting.BROKEN.clear)
        self.surprised = True
        self.boot(image, flavor)
        self.update('a')
        self.assertEqual((3, 2), self.slots('a'))

    def _assert_no_surprise(self):
        # One test has a host that fails.
        if not self.surprised:
            super()._assert_no_surprise()

    def test_other_operations_claim_too(self):
        self.start_hosts([xen('a', 2), xen('b', 2, 'small')])
        flavor = self.create_flavor(extra_specs=SLOT)
        image = self.create_image('hvm', **HVM)
        server = self.assert_boots_on('a', image, flavor)
        self.rebuild(server, self.create_image('other', **HVM))
        self.shelve_offload(server)
        self.update('a')
        self.assertEqual((2, 0), self.slots('a'))
        self.unshelve(server)
        self.assertEqual((2, 1), self.slots('a'))
        self.evacuate(server)
        self.assertEqual((2, 1), self.slots('b'))
        # Not returned yet.
        self.assertEqual((2, 1), self.slots('a'))


class TestLateCheck(PlacementCase):
    """The filter is off: as if two schedulers had chosen one host at once."""

    NOVA_CONF = (
        conf('refuse_dom0_overcommit = true').replace(
            'ComputeCapabilitiesFilter,XenHostFilter,',
            'ComputeCapabilitiesFilter,',
        )
        + DRIVER
    )

    def test_a_boot_goes_to_the_next_host(self):
        self.start_hosts([xen('a', 1), xen('b', 1, 'small')])
        image = self.create_image('hvm', **HVM)
        self.assert_boots_on('a', image)
        self.assert_boots_on('b', image)
        self.assertIn('This guest does not fit on this host', self.log)
        self.boot(image, wait='ERROR')

    def test_boots_at_once_fill_a_host_exactly(self):
        self.start_hosts([xen('a', 4), xen('b', 9, 'small')])
        image = self.create_image('hvm', **HVM)
        servers = self.boot(image, count=8)
        found = collections.Counter(self.host_of(s) for s in servers)
        self.assertEqual({'a': 4, 'b': 4}, dict(found))

    def test_a_live_migration_is_refused_and_the_guest_runs_on(self):
        self.start_hosts([xen('a', 1), xen('b', 0, 'small')])
        server = self.assert_boots_on('a', self.create_image('hvm', **HVM))
        self.live_migrate(server, fails='NoValidHost')
        now = self.api.get_server(server['id'])
        self.assertEqual('ACTIVE', now['status'])
        self.change_host(xen('b', 1, 'small'))
        self.live_migrate(server)

    def test_what_has_no_other_host_is_only_logged(self):
        self.start_hosts([xen('a', 1), xen('b', 0, 'small')])
        server = self.assert_boots_on('a', self.create_image('pv', **PV))
        self.evacuate(server)
        self.assertEqual('b', self.host_of(server))
        self.assertIn('This guest does not fit on this host', self.log)
