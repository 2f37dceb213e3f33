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

"""explain names the host that nova picks: hundreds of random requests."""

from __future__ import annotations

import collections
import random

from tests.functional import cases
from tests.functional import cloud
from tests.functional import commands
from tests.functional import hosts

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
    REQUESTS = 220

    def setUp(self):
        super().setUp()
        self.start_hosts(_fleet())
        self.chance = random.Random(1306)
        self.tally = collections.Counter()

    def explain(self, *arguments):
        """The rows of explain, by host."""
        ran = commands.run('explain', '-f', 'json', *arguments)
        self.assertIn(ran.code, (0, 1), ran.err)
        return {row['host']: row for row in ran.json}

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

    def _known(self, server, host):
        """Wait until the scheduler knows of a server on a host."""
        info = self.host_manager._instance_info

        def known():
            return server['id'] in info.get(host, {}).get('instances', {})

        self._until(known, 'the scheduler to know of %s' % server['id'])

    def _boot_one(self, images, flavors):
        number = self.chance.randrange(len(_PROPERTIES))
        flavor = self.chance.choice(flavors)
        properties = [
            '--property=%s=%s' % pair for pair in _PROPERTIES[number].items()
        ]
        rows = self.explain('--flavor', flavor, *properties)
        server = self.boot(images[number], flavor, wait=None)
        fails = None if any(r['rank'] for r in rows.values()) else ''
        server = self._ended(
            server,
            'create',
            lambda now: now['status'] == 'ACTIVE',
            fails,
            leaves='building',
        )
        return server, rows

    def test_the_host_that_nova_picks_is_named_first(self):
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
        running = []
        for number in range(self.REQUESTS):
            server, rows = self._boot_one(images, flavors)
            host = self.host_of(server)
            self.assert_agrees(host, rows, (number, server))
            if host is not None:
                self._known(server, host)
                running.append(server)
            if len(running) > 60:
                gone = self.chance.choice(running)
                running.remove(gone)
                self.delete(gone)
        # Else it shows nothing: most are decided by weight, among many hosts.
        chosen = {host for host in self.tally if '-' in host}
        self.assertGreater(self.tally['first'], self.REQUESTS // 2, self.tally)
        self.assertGreater(self.tally['none'], 5, self.tally)
        self.assertGreater(len(chosen), 12, self.tally)
