# SPDX-License-Identifier: Apache-2.0

"""explain names the host that nova picks: hundreds of random requests."""

from __future__ import annotations

import collections
import random
from unittest import mock

import fixtures
from nova import context
from nova import exception
from nova import objects
from nova.scheduler import host_manager
import oslo_messaging
from oslo_utils import uuidutils
import pytest

from tests.functional import cases
from tests.functional import cloud
from tests.functional import commands
from tests.functional import hosts

pytestmark = pytest.mark.commands

_WEIGHERS = (
    '\nweight_classes = nova.scheduler.weights.all_weighers,'
    'nova_xen_sched.weights.Dom0HeadroomWeigher\n'
)

#: Properties of images, as users set them.
_PROPERTIES = (
    cases.HVM,
    cases.HVM,
    cases.PV,
    cases.XEN,
    {'hypervisor_type': 'qemu'},
    {'img_hv_type': 'kvm', 'hw_vm_mode': 'hvm'},
    {},
    {'architecture': 'x86_64', 'hypervisor_type': 'XEN', 'vm_mode': 'pv'},
    # No host of the cloud is one.
    {'architecture': 'ppc64le'},
)


def _fleet():
    """26 hosts that differ in all that filters and weighers look at."""
    chance = random.Random(6)
    fleet = []
    for number in range(20):
        capture = chance.choice(
            (
                'xen-4.17-hvm',
                'xen-4.17-hvm',
                'xen-4.14-hvm',
                'xen-4.14-pv-only',
            )
        )
        stats = {
            'xen_libvirt_version': chance.choice(('9.0.0', '7.0.0', '1.2.5')),
            'xen_dom0_memory_mb': str(chance.choice((1024, 2048, 4096))),
            'xen_dom0_vcpus': str(chance.choice((2, 4, 8))),
        }
        fleet.append(
            hosts.xen(
                'xen-%02d' % number,
                capture,
                stats=stats if number % 5 else {},
                memory_mb=chance.choice((8192, 16384, 32768)),
                vcpus=chance.choice((8, 16, 32)),
            )
        )
    # Two pairs alike, whose weights are equal.
    fleet += [hosts.kvm('kvm-%d' % number) for number in range(4)]
    fleet += [hosts.xen('xen-t%d' % number) for number in range(2)]
    return fleet


class AgreementTest(cloud.Cloud):
    NOVA_CONF = (
        cloud.Cloud.NOVA_CONF.rstrip()
        + _WEIGHERS
        + '[xen_scheduler]\nmin_libvirt_version = 5.0.0\n'
        'refuse_dom0_overcommit = true\n'
    )
    #: Of which each ninth boots a server, which is slow: so that what the
    #: computes report changes. For the others the scheduler's own manager is
    #: called as the conductor calls it, and claims in placement.
    REQUESTS = 225
    BOOTS = 9

    def setUp(self):
        super().setUp()
        self.start_hosts(_fleet())
        for name in ('update', 'delete', 'sync'):
            self.useFixture(
                fixtures.MockPatchObject(
                    self.host_manager, name + '_instance_info'
                )
            )
        self.chance = random.Random(1306)
        self.tally = collections.Counter()

    def explain(self, *arguments):
        """The rows of explain, by host."""
        ran = commands.run('explain', '-f', 'json', *arguments)
        self.assertIn(ran.code, (0, 1), ran.err)
        return {row['host']: row for row in ran.json['hosts']}

    def assert_agrees(self, picked, rows, what):
        """The host that nova picked, None if none, is the one named first."""
        first = sorted(h for h, row in rows.items() if row['rank'] == 1)
        if picked is None:
            self.assertEqual([], first, what)
            self.tally['none'] += 1
            return
        self.assertIn(picked, first, what)
        self.tally['first' if len(first) == 1 else 'tied'] += 1
        self.tally[picked] += 1

    def _boot(self, image, flavor, expected):
        """The host that a server is booted on."""
        server = self.boot(image, flavor, wait=None)
        server = self._ended(
            server,
            'create',
            lambda now: now['status'] == 'ACTIVE',
            None if expected else '',
            leaves='building',
        )
        return self.host_of(server)

    def settle(self):
        """Have the scheduler know the servers as it does after its start.

        What it remembers otherwise depends on which messages reached it, and
        in what order: of a server that it wasn't sent it makes a stub, which
        doesn't say its mode. So here it reads them anew, by nova's own
        function, and hears no messages (see setUp).
        """
        manager = self.host_manager
        with self._inline():
            manager._init_instance_info()
        for name in self.computes:
            known = manager._instance_info.setdefault(name, {'instances': {}})
            known['updated'] = True

    @staticmethod
    def _inline():
        """What nova starts in a thread runs at once."""

        def call(function, *args):
            function(*args)

        module = getattr(host_manager, 'thread_pool_factory', None)
        if module is not None:
            return mock.patch.object(module, 'spawn', call)
        return mock.patch.object(host_manager.utils, 'spawn_n', call)

    def _select(self, properties, flavor):
        """The host that nova's scheduler picks, and claims."""
        admin = context.get_admin_context()
        uuid = uuidutils.generate_uuid()
        spec = objects.RequestSpec.from_components(
            admin,
            uuid,
            {'properties': dict(properties), 'disk_format': 'raw'},
            objects.Flavor.get_by_flavor_id(admin, flavor),
            None,
            objects.InstancePCIRequests(requests=[]),
            {},
            None,
            None,
            project_id=uuidutils.generate_uuid(dashed=False),
            user_id=uuidutils.generate_uuid(dashed=False),
        )
        spec.is_bfv = False
        try:
            ((picked, *_),) = self.scheduler.manager.select_destinations(
                admin,
                spec_obj=spec,
                instance_uuids=[uuid],
                return_objects=True,
            )
        except oslo_messaging.ExpectedException as e:
            self.assertIs(exception.NoValidHost, e.exc_info[0])
            return None
        self.claimed.append(uuid)
        return picked.service_host

    def test_the_host_that_nova_picks_is_named_first(self):
        self.claimed = []
        images = [
            self.create_image('image-%d' % number, **properties)
            for number, properties in enumerate(_PROPERTIES)
        ]
        flavors = [
            self.create_flavor(ram=ram, vcpus=vcpus, disk=disk)
            for ram, vcpus, disk in (
                (256, 1, 1),
                (512, 1, 1),
                (1024, 2, 5),
                (4096, 4, 10),
                (8192, 8, 20),
                (16384, 16, 40),
            )
        ]
        for number in range(self.REQUESTS):
            kind = self.chance.randrange(len(_PROPERTIES))
            flavor = self.chance.choice(flavors)
            self.settle()
            properties = _PROPERTIES[kind]
            rows = self.explain(
                '--flavor',
                flavor,
                *['--property=%s=%s' % pair for pair in properties.items()],
            )
            if number % self.BOOTS:
                picked = self._select(properties, flavor)
            else:
                expected = any(row['rank'] for row in rows.values())
                picked = self._boot(images[kind], flavor, expected)
            self.assert_agrees(picked, rows, (number, properties, flavor))
            if len(self.claimed) > 80:
                gone = self.chance.randrange(len(self.claimed))
                self.placement.delete(
                    '/allocations/%s' % self.claimed.pop(gone)
                )
        # Else it shows nothing: most are decided by weight, among many hosts.
        chosen = {host for host in self.tally if '-' in host}
        self.assertGreater(self.tally['first'], self.REQUESTS // 2, self.tally)
        self.assertGreater(self.tally['none'], 5, self.tally)
        self.assertGreater(self.tally['tied'], 5, self.tally)
        self.assertGreater(len(chosen), 10, self.tally)

    def test_moves_agree_as_well(self):
        images = [
            self.create_image('hvm', **cases.HVM),
            self.create_image('pv', **cases.PV),
        ]
        for number in range(8):
            server = self.boot(images[number % 2])
            self.settle()
            operation = ('live-migrate', 'cold-migrate')[number // 2 % 2]
            rows = self.explain(
                '--server', server['id'], '--operation', operation
            )
            source = self.host_of(server)
            self.assertEqual('request', rows[source]['step'])
            move = getattr(self, operation.replace('-', '_'))
            moved = move(server)
            self.assert_agrees(self.host_of(moved), rows, (number, server))
        self.stop_host(self.host_of(server))
        self.settle()
        rows = self.explain('--server', server['id'], '--operation=evacuate')
        moved = self.evacuate(server)
        self.assert_agrees(self.host_of(moved), rows, server)
