# SPDX-License-Identifier: Apache-2.0

"""explain of what is to be done with a server, beside what nova does."""

from __future__ import annotations

import tests.functional  # noqa: F401  before any other import of nova

# isort: split
from nova import objects
from nova.tests.functional.api import client as api_client

from tests.functional import cases
from tests.functional import cloud
from tests.functional import glance
from tests.functional.test_explain import ExplainCloud
from tests.functional.test_explain import Explaining
from tests.functional.test_explain import SMALL
from tests.unit.cmd import schemas

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
            first, rest = ' '.join(ran.out.split()).split(
                ' If nova did not refuse: '
            )
            self.assertIn('nova refuses to %s the server' % operation, first)
            self.assertIn('its vm_state is ' + state, first)
            self.assertTrue(rest)
            # A program has it in the outcome, or on stderr.
            ran = self.explain(*asked, operation, '-f', 'csv', code=1)
            self.assertEqual(first, ' '.join(ran.err.split()))
            ran = self.explain(*asked, operation, '-f', 'json', code=1)
            schemas.check('explain', ran.json)
            refusals = ran.json['outcome']['nova_refuses']
            self.assertEqual('vm_state', refusals[0]['code'])
            self.assertEqual(
                first,
                ' '.join(
                    line
                    for each in refusals
                    for line in (each['why'], *each['commands'])
                ),
            )
        self.instance(server, vm_state='active')
        self.explain(*asked, 'live-migrate')

    def test_a_locked_server_is_told(self):
        server = self.booted('xen-t0')
        self.api.post_server_action(server['id'], {'lock': None})
        asked = ('--server', server['id'], '--operation')
        ran = self.explain(*asked, 'live-migrate')
        self.assertIn('The server is locked: nova lets only an admin', ran.out)

    def test_a_server_that_never_got_a_host(self):
        flavor = self.create_flavor(ram=999999)
        image = self.create_image('hvm', **cases.HVM)
        server = self.boot(image, flavor, wait='ERROR')
        self.addCleanup(self.delete, server)
        for operation in ('live-migrate', 'evacuate', 'rebuild', 'unshelve'):
            asked = ('--server', server['id'], '--operation', operation)
            out = self.explain(*asked, code=1).out
            self.assertIn(
                'nova refuses to %s the server: no host was found for it '
                'when it was booted, and nova keeps it in cell0.' % operation,
                ' '.join(out.split()),
            )
            # What is asked of hosts is nothing then.
            self.assertEqual(out, self.explain(*asked, '--host=a', code=1).out)
            found = self.explain(*asked, '-f', 'json', code=1).json
            schemas.check('explain', found)
            self.assertEqual([], found['hosts'])
            (refusal,) = found['outcome']['nova_refuses']
            self.assertEqual('cell0', refusal['code'])
        self.explain('--server', server['id'], code=1)

    def test_unshelve(self):
        server = self.booted('xen-t0')
        asked = ('--server', server['id'])
        self.shelve_offload(server)
        out = self.explain(*asked, '--operation=cold-migrate', code=1).out
        self.assertIn(
            '--operation unshelve says where it could go',
            ' '.join(out.split()),
        )
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
        for arguments, code in (
            (['--flavor', flavor], 'same_flavor'),
            (['--ram=2048', '--vcpus=1', '--disk=0'], 'zero_disk'),
        ):
            ran = self.explain(*asked, *arguments, '-f', 'json', code=1)
            schemas.check('explain', ran.json)
            (refusal,) = ran.json['outcome']['nova_refuses']
            self.assertEqual(code, refusal['code'])
            self.assertTrue(ran.json['hosts'])
        # nova says the same.
        self.assertRaises(
            api_client.OpenStackApiException,
            self.api.post_server_action,
            server['id'],
            {'resize': {'flavorRef': flavor}},
        )
        ran = self.explain(*asked, '--ram=4096', '--disk=9', '-f', 'json')
        (note,) = ran.json['outcome']['notes']
        self.assertEqual('smaller_disk', note['code'])

    def test_rebuild_with_an_image_that_nova_refuses(self):
        store = self.useFixture(glance.Glance())
        server = self.booted('xen-t0')
        asked = ('--server', server['id'], '--operation=rebuild')
        for status, min_ram, codes in (
            ('active', 0, []),
            ('deactivated', 0, ['image_not_active']),
            ('active', 999999, ['min_ram']),
        ):
            image_id = self.create_image('new', **cases.HVM)
            values = {'status': status, 'min_ram': min_ram}
            self.glance.images[image_id].update(values)
            store.add(image_id, 'new', **cases.HVM)
            store.images[image_id].update(values)
            ran = self.explain(
                *(*asked, '--image', image_id, '-f', 'json'), code=bool(codes)
            )
            schemas.check('explain', ran.json)
            refusals = ran.json['outcome']['nova_refuses']
            self.assertEqual(codes, [each['code'] for each in refusals])
            if codes:
                # nova says the same.
                self.assertRaises(
                    api_client.OpenStackApiException,
                    self.api.post_server_action,
                    server['id'],
                    {'rebuild': {'imageRef': image_id}},
                )

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
