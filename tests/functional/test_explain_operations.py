# SPDX-License-Identifier: Apache-2.0

"""explain of what is to be done with a server, beside what nova does."""

from __future__ import annotations

import tests.functional  # noqa: F401  before any other import of nova

# isort: split
from nova import objects
from nova.tests.functional.api import client as api_client

from tests.functional import cases
from tests.functional import cloud
from tests.functional.test_explain import ExplainCloud
from tests.functional.test_explain import Explaining
from tests.functional.test_explain import SMALL

LIVE = {'host': None, 'block_migration': 'auto'}


class OperationsTest(Explaining, cloud.SharedCloud):
    CLOUD = ExplainCloud

    def instance(self, server, **changes):
        """Its Instance; with changes it is what they make of it."""
        with self._cell_context('xen-t0') as ctxt:
            instance = objects.Instance.get_by_uuid(ctxt, server['id'])
            instance.update(changes)
            instance.save()
        return instance

    def test_what_novas_api_refuses_comes_first(self):
        server = self.booted('xen-t0')
        asked = ('--server', server['id'], '--operation')
        for state, operation, action in (
            ('error', 'live-migrate', {'os-migrateLive': LIVE}),
            ('paused', 'cold-migrate', {'migrate': None}),
            ('rescued', 'evacuate', {'evacuate': {}}),
            ('active', 'unshelve', {'unshelve': None}),
        ):
            self.instance(server, vm_state=state)
            # nova says the same.
            refused = self.assertRaises(
                api_client.OpenStackApiException,
                self.api.post_server_action,
                server['id'],
                action,
            )
            self.assertIn('vm_state %s' % state, str(refused))
            ran = self.explain(*asked, operation, code=1)
            first, rest = ' '.join(ran.out.split()).split(' If it did not: ')
            self.assertIn('nova refuses to %s the server' % operation, first)
            self.assertIn('its vm_state is ' + state, first)
            self.assertTrue(rest)
            # A program has it with each host, and on stderr.
            ran = self.explain(*asked, operation, '-f', 'json', code=1)
            self.assertEqual(first, ' '.join(ran.err.split()))
            self.assertEqual(
                {first},
                {
                    ' '.join(each['why'] for each in row['nova_refuses'])
                    for row in ran.json
                },
            )
        self.instance(server, vm_state='active')
        self.explain(*asked, 'live-migrate')

    def test_a_locked_server_is_told(self):
        server = self.booted('xen-t0')
        self.api.post_server_action(server['id'], {'lock': None})
        asked = ('--server', server['id'], '--operation')
        ran = self.explain(*asked, 'live-migrate')
        self.assertIn('The server is locked: nova lets none but', ran.out)

    def test_a_server_that_never_got_a_host(self):
        flavor = self.create_flavor(ram=999999)
        image = self.create_image('hvm', **cases.HVM)
        server = self.boot(image, flavor, wait='ERROR')
        self.addCleanup(self.delete, server)
        for operation in ('live-migrate', 'evacuate', 'rebuild', 'unshelve'):
            said = self.fails(
                '--server', server['id'], '--operation', operation
            )
            self.assertIn('never got a host: nova keeps it in cell0', said)
        self.explain('--server', server['id'], code=1)

    def test_unshelve(self):
        server = self.booted('xen-t0')
        asked = ('--server', server['id'])
        self.shelve_offload(server)
        said = self.fails(*asked, '--operation=cold-migrate')
        self.assertIn('--operation unshelve says where it could go', said)
        rows = self.rows(*asked, '--operation=unshelve')
        first = [host for host, row in rows.items() if row['rank'] == 1]
        # It may come back to where it was.
        self.assertIsNotNone(rows['xen-t0']['rank'])
        self.assertIn(self.host_of(self.unshelve(server)), first)
        # Only what is offloaded is for the scheduler.
        self.instance(server, vm_state='shelved')
        said = self.fails(*asked, '--operation=unshelve')
        self.assertIn('is shelved, but not offloaded: nova starts it', said)
        self.instance(server, vm_state='active')

    def test_resize(self):
        server = self.booted('xen-t0')
        asked = ('--server', server['id'], '--operation=resize')
        rows = self.rows(*asked, *SMALL)
        self.assertEqual(
            rows,
            self.rows(
                *('--server', server['id'], '--operation=cold-migrate', *SMALL)
            ),
        )
        first = [host for host, row in rows.items() if row['rank'] == 1]
        flavor = self.create_flavor(ram=2048, vcpus=2, disk=10)
        moved = self.resize(server, flavor)
        self.assertIn(self.host_of(moved), first)
        for arguments, words in (
            (['--flavor', flavor], 'nova refuses to resize server'),
            (['--ram=2048', '--vcpus=1', '--disk=0'], 'zero disk flavor'),
        ):
            self.assertIn(words, self.fails(*asked, *arguments))

    def test_a_stored_image_that_is_not_the_servers(self):
        server = self.booted('xen-t0')
        other = self.create_image('arm', architecture='armv7l')
        self.rebuild(server, other, fails='NoValidHost')
        server = self.api.get_server(server['id'])
        ran = self.explain(
            *('--server', server['id'], '--operation=cold-migrate'), code=1
        )
        self.assertIn(
            'names image %s, but the server has' % other,
            ' '.join(ran.out.split()),
        )

    def test_what_the_conductor_passes_over_is_never_first(self):
        # It has the most of all that is weighed.
        self.changed_host(
            'xen-a0', hypervisor_version=4013000, memory_mb=65536
        )
        server = self.booted('xen-t0')
        ran = self.rows('--server', server['id'], '--operation=live-migrate')
        row = ran['xen-a0']
        self.assertEqual(
            ('refused', 'conductor', None),
            (row['result'], row['step'], row['rank']),
        )
        self.assertIn('older than the', row['why'])
        self.assertIn('of xen-t0', row['why'])
        moved = self.live_migrate(server)
        self.assertEqual(1, ran[self.host_of(moved)]['rank'])
