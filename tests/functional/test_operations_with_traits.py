# SPDX-License-Identifier: Apache-2.0

"""Every operation where placement knows which hosts are Xen hosts.

A mixed cloud whose Xen hosts report traits and slots, images that require a
trait, flavors that claim a slot; and servers booted before there were any.
"""

from __future__ import annotations

import tests.functional  # noqa: F401  before any other import of nova

# isort: split
from nova_xen_sched import provider
from tests.functional import hosts
from tests.functional import reporting
from tests.functional.cases import HVM
from tests.functional.cases import sized
from tests.functional.test_slots import PlacementCase
from tests.functional.test_slots import SLOT
from tests.functional.test_slots import xen

TRAIT = {'trait:' + provider.HVM: 'required'}
KVM = ['kvm-a', 'kvm-b']
XEN = ['xen-a', 'xen-b']


class OperationsCase(PlacementCase):
    #: Hosts whose nova-compute is nova's own.
    PLAIN = KVM

    def setUp(self):
        super().setUp()
        reporting.PLAIN.update(self.PLAIN)
        self.addCleanup(reporting.PLAIN.clear)
        # By size alone the guests would go to KVM hosts, then to xen-a.
        self.start_hosts(
            [hosts.kvm(name, **sized('large')) for name in KVM]
            + [xen('xen-a', 2, 'middle'), xen('xen-b', 2, 'small')]
        )
        self.plain = self.create_image('plain', **HVM)
        self.with_trait = self.create_image('with trait', **HVM, **TRAIT)
        self.without_slot = self.create_flavor()
        self.with_slot = self.create_flavor(extra_specs=SLOT)

    def assert_asked(self, operation, names_in, names_out=None):
        """What the filters were asked last, and what they left."""
        asked = self.asked[-1]
        self.assertEqual(
            (operation, names_in, names_out or names_in),
            (asked.during, asked.names_in, asked.names_out),
        )

    def assert_slots(self, *expected):
        """Of each Xen host: how many can be used, and are."""
        for name in XEN:
            self.update(name)
        self.assertEqual(list(expected), [self.slots(name) for name in XEN])

    def unconfirmed(self, server, action, arguments=None):
        """Migrate or resize it, up to VERIFY_RESIZE."""
        return self._act(
            server,
            action,
            {action: arguments},
            lambda before, now: now['status'] == 'VERIFY_RESIZE',
        )

    def confirm(self, server):
        return self._act(
            server,
            'confirmResize',
            {'confirmResize': None},
            lambda before, now: now['status'] == 'ACTIVE',
            leaves='resized',
        )


class TestBoot(OperationsCase):
    def test_boots(self):
        guest = self.with_trait, self.with_slot
        self.assert_boots_on('xen-a', *guest)
        self.assert_asked('boot', XEN)
        self.assert_boots_on('xen-a', *guest, volume=True)
        self.assert_asked('boot', XEN)
        self.assert_slots((2, 2), (2, 0))
        # Placement leaves out what is full.
        self.assert_boots_on('xen-b', *guest, volume='existing')
        self.assert_asked('boot', ['xen-b'])
        self.assert_slots((2, 2), (2, 1))
        # Whom an operator names a host for, no filter is asked about.
        self.asked.clear()
        self.boot(*guest, az='nova:xen-a', wait='ERROR')
        self.assert_boots_on('xen-b', *guest, az='nova:xen-b')
        self.assert_slots((2, 2), (2, 2))
        self.boot(*guest, wait='ERROR')
        self.assertEqual([], self.asked)

    def test_a_host_without_the_trait_is_refused_by_name_too(self):
        kvm = {'az': 'nova:kvm-a'}
        self.boot(self.with_trait, self.without_slot, wait='ERROR', **kvm)
        self.boot(self.plain, self.with_slot, wait='ERROR', **kvm)
        # With neither it isn't: no filter is asked.
        self.assert_boots_on('kvm-a', self.plain, self.without_slot, **kvm)
        self.assertEqual([], self.asked)

    def test_the_trait_is_of_a_volume_too(self):
        """Each alone keeps KVM hosts out."""
        self.assert_boots_on(
            'xen-a', self.with_trait, self.without_slot, volume='existing'
        )
        self.assert_asked('boot', XEN)
        self.assert_boots_on('xen-a', self.plain, self.with_slot)
        self.assert_asked('boot', XEN)


class TestMoves(OperationsCase):
    def setUp(self):
        super().setUp()
        self.server = self.assert_boots_on(
            'xen-a', self.with_trait, self.with_slot
        )

    def test_live_and_cold_migration(self):
        self.live_migrate(self.server)
        self.assert_asked('live_migrate', ['xen-b'])
        self.assert_slots((2, 0), (2, 1))
        self.unconfirmed(self.server, 'migrate')
        self.assert_asked('migrate', ['xen-a'])
        self.assert_slots((2, 1), (2, 1))
        self.confirm(self.server)
        self.assert_slots((2, 1), (2, 0))

    def test_resize(self):
        larger = self.create_flavor(ram=1024, extra_specs=SLOT)
        self.unconfirmed(self.server, 'resize', {'flavorRef': larger})
        self.assert_asked('resize', ['xen-b'])
        self.assert_slots((2, 1), (2, 1))
        self.confirm(self.server)
        self.assert_slots((2, 0), (2, 1))
        # It still has the trait.
        self.resize(self.server, self.without_slot)
        self.assert_asked('resize', ['xen-a'])
        # The guest is there, and holds none.
        self.assert_slots((1, 0), (2, 0))

    def test_no_move_to_a_full_host(self):
        for _ in 'ab':
            self.boot(self.with_trait, self.with_slot, az='nova:xen-b')
        self.asked.clear()
        self.live_migrate(self.server, fails='NoValidHost')
        self.cold_migrate(self.server, fails='NoValidHost')
        self.resize(
            self.server,
            self.create_flavor(ram=1024, extra_specs=SLOT),
            fails='NoValidHost',
        )
        self.assertEqual([], self.asked)
        self.assert_slots((2, 1), (2, 2))

    def test_evacuation_and_return(self):
        self.evacuate(self.server)
        self.assert_asked('evacuate', ['xen-b'])
        self.assertEqual((2, 1), self.slots('xen-b'))
        # Until its compute is back and has removed the guest.
        self.assertEqual((2, 1), self.slots('xen-a'))
        self.computes['xen-a'] = self.restart_compute_service(
            self.computes['xen-a']
        )
        self.assert_slots((2, 0), (2, 1))

    def test_shelving_and_rebuild(self):
        self.rebuild(self.server, self.create_image('2', **HVM, **TRAIT))
        self.assert_asked('rebuild', ['xen-a'])
        self.assert_slots((2, 1), (2, 0))
        self.shelve_offload(self.server)
        self.assert_slots((2, 0), (2, 0))
        self.unshelve(self.server)
        self.assert_asked('unshelve', XEN)
        self.assert_slots((2, 1), (2, 0))

    def test_no_rebuild_of_an_image_with_a_trait_that_the_host_lacks(self):
        vmx = {'trait:HW_CPU_X86_VMX': 'required'}
        image = self.create_image('other', **HVM, **vmx)
        self.asked.clear()
        # nova-conductor sees to it, with no filter. The guest is untouched,
        # and in ERROR, as after each rebuild that nova finds no host for.
        self.rebuild(self.server, image, fails='Image traits cannot be')
        self.assertEqual([], self.asked)
        now = self.api.get_server(self.server['id'])
        self.assertEqual('ERROR', now['status'])
        self.assertEqual('xen-a', self.host_of(self.server))
        self.assert_slots((2, 1), (2, 0))


class TestBootedBefore(OperationsCase):
    """nova-compute-xen comes to the Xen hosts after the server."""

    PLAIN = KVM + XEN

    def setUp(self):
        super().setUp()
        self.server = self.assert_boots_on(
            'xen-a', self.plain, self.without_slot
        )
        self.assert_asked('boot', KVM + XEN, XEN)
        self.assertNotIn(provider.HVM, self.traits('xen-a'))
        reporting.PLAIN.difference_update(XEN)
        self.assert_slots((1, 0), (2, 0))
        self.assertIn(provider.HVM, self.traits('xen-a'))

    def test_it_moves_as_before(self):
        self.live_migrate(self.server)
        self.assert_asked('live_migrate', [*KVM, 'xen-b'], ['xen-b'])
        self.assert_slots((2, 0), (1, 0))
        self.cold_migrate(self.server)
        self.assert_asked('cold_migrate', [*KVM, 'xen-a'], ['xen-a'])
        self.assert_slots((1, 0), (2, 0))
        self.resize(self.server, self.create_flavor(ram=1024))
        self.assert_asked('resize', [*KVM, 'xen-b'], ['xen-b'])
        self.assert_slots((2, 0), (1, 0))
        self.evacuate(self.server)
        self.assert_asked('evacuate', [*KVM, 'xen-a'], ['xen-a'])
        self.update('xen-a')
        self.assertEqual((1, 0), self.slots('xen-a'))

    def test_shelving_and_rebuild(self):
        self.rebuild(self.server, self.create_image('other', **HVM))
        self.assert_asked('rebuild', ['xen-a'])
        self.shelve_offload(self.server)
        self.assert_slots((2, 0), (2, 0))
        self.unshelve(self.server)
        self.assert_asked('unshelve', KVM + XEN, XEN)
        self.assert_slots((1, 0), (2, 0))
        # From now on it requires the trait.
        self.rebuild(self.server, self.with_trait)
        self.assert_asked('rebuild', ['xen-a'])
        self.live_migrate(self.server)
        self.assert_asked('live_migrate', ['xen-b'])

    def test_resized_it_holds_a_slot(self):
        self.resize(
            self.server, self.create_flavor(ram=1024, extra_specs=SLOT)
        )
        self.assert_asked('resize', ['xen-b'])
        self.assert_slots((2, 0), (2, 1))
        self.live_migrate(self.server)
        self.assert_asked('live_migrate', ['xen-a'])
        self.assert_slots((2, 1), (2, 0))
