# SPDX-License-Identifier: Apache-2.0

"""Plans of rebalance and drain, carried out on a real nova by its API."""

from __future__ import annotations

import tests.functional  # noqa: F401  before any other import of nova

# isort: split
import json
import os
import re
from unittest import mock
import uuid

from nova import objects
import pytest

from nova_xen_sched import provider
from nova_xen_sched.cmd.nova import configuration
from nova_xen_sched.cmd.nova import moving
from tests.functional import commands
from tests.functional import hosts
from tests.functional.cases import conf
from tests.functional.cases import FilterCase
from tests.functional.cases import HVM
from tests.functional.cases import PV
from tests.functional.test_hosts import GOLDEN
from tests.functional.test_hosts import stats
from tests.functional.test_slots import PlacementCase
from tests.functional.test_slots import SLOT
from tests.functional.test_slots import xen
from tests.unit.cmd import schemas

pytestmark = pytest.mark.commands

_UUID = re.compile('[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}')


class Moves:
    """Plans, and carrying them out."""

    def boot_on(self, host, image=None, count=1, zone='nova', **more):
        found = [
            self.boot(image or self.hvm, az='%s:%s' % (zone, host), **more)
            for _ in range(count)
        ]
        self.update(host)
        return found

    def boot_named(self, host, *names):
        """HVM guests of different sizes, so that plans name the same."""
        found = []
        for number, name in enumerate(names, 1):
            flavor = self.create_flavor(ram=512 * number)
            (server,) = self.boot_on(host, flavor=flavor)
            self.api.put_server(server['id'], {'server': {'name': name}})
            found.append(server)
        return found

    def assert_golden(self, name, *argv):
        """UPDATE_GOLDEN=1 writes it anew."""
        ran = commands.run(*argv, width=80)
        text = re.sub('\033\\[[0-9]*m', '', ran.err + ran.out)
        for number, each in enumerate(dict.fromkeys(_UUID.findall(text)), 1):
            text = text.replace(each, str(uuid.UUID(int=number << 96)))
        path = GOLDEN / (name + '.txt')
        if os.environ.get('UPDATE_GOLDEN'):
            path.write_text(text)
        self.assertEqual(path.read_text(), text)

    def ran(self, *argv, code):
        ran = commands.run(*argv, '-f', 'json')
        self.assertEqual(code, ran.code, ran.err + ran.out)
        schemas.check(argv[0], ran.json)
        return ran.json

    def planned(self, *argv, code):
        """A plan, and the planner's state after it."""
        states = []
        planned = moving.planned

        def noted(*args):
            states.append(planned(*args))
            return states[-1]

        with mock.patch.object(moving, 'planned', noted):
            plan = self.ran(*argv, code=code)
        ((state, _),) = states
        return plan, state

    def carry_out(self, plan):
        """Each command of a plan, as nova's API has it."""
        for move in plan['moves']:
            if move['operation'] == 'disable':
                self._disable(move)
            else:
                self.make(move)
        for host in self.computes:
            self.update(host)

    def make(self, move):
        """One move; its destination is named, and nova takes it."""
        server = self.api.get_server(move['server_id'])
        self.assertEqual(move['source'], self.host_of(server))
        found = re.match(
            r'openstack --os-compute-api-version (\S+) server migrate '
            r'(--live-migration )?--host (\S+)(?: --wait)? (\S+)',
            move['command'],
        )
        version, live, host, server_id = found.groups()
        self.assertEqual(server['id'], server_id)
        self.assertEqual('2.30' if live else '2.56', version)
        self.assertEqual(move['operation'], 'live' if live else 'cold')
        if live:
            self._act(
                server,
                'live-migration',
                {'os-migrateLive': {'host': host, 'block_migration': 'auto'}},
                # A guest that is paused stays so.
                lambda before, now: now['OS-EXT-SRV-ATTR:host'] == host,
            )
        else:
            self.assertIn('resize confirm ' + server_id, move['command'])
            self.migrate(server, host)
            self.confirm(server)
        self.assertEqual(move['target'], self.host_of(server))
        self.assert_allocated(server, move['target'])

    def migrate(self, server, host):
        """Cold; it waits to be confirmed then."""
        self._act(
            server,
            'migrate',
            {'migrate': {'host': host}},
            lambda before, now: now['status'] == 'VERIFY_RESIZE',
        )

    def confirm(self, server):
        self._act(
            server,
            'confirmResize',
            {'confirmResize': None},
            lambda before, now: now['status'] in ('ACTIVE', 'SHUTOFF'),
            leaves='resized',
        )

    def update(self, host):
        """As after a while: its nova-compute has counted its guests anew."""
        with self._cell_context(host) as ctxt:
            pass
        manager = self.computes[host].manager
        manager.update_available_resource(ctxt)
        # Else nova-scheduler has a guest on the host that it left, too.
        manager._sync_scheduler_instance_info(ctxt)

    def _disable(self, move):
        found = re.search(r'(\S+) nova-compute$', move['command'])
        self.set_status(found[1], 'disabled')

    def set_status(self, host, status):
        (record,) = self.api.get_services(binary='nova-compute', host=host)
        self.api.put_service(record['id'], {'status': status})

    def assert_allocated(self, server, host):
        """What the server holds is on its host alone."""
        held = self._get_allocations_by_server_uuid(server['id'])
        self.assertEqual([self._get_provider_uuid_by_host(host)], list(held))

    def assert_as_planned(self, after, now):
        """What the planner foresaw is what is read of nova now."""
        read = {name: host.load for name, host in now.cloud.hosts.items()}
        self.assertEqual(after.loads, read)
        self.assertEqual(
            {
                host: sorted(guest.uuid for guest in after.guests(host))
                for host in after.loads
            },
            {
                host: sorted(guest.uuid for guest in now.guests(host))
                for host in now.loads
            },
        )


class MovesCase(Moves, FilterCase):
    NOVA_CONF = conf('guest_memory_overhead = none')
    HOSTS = (
        # Three HVM guests fill the first, by its dom0's memory.
        hosts.xen('xen-a', stats=stats(3)),
        hosts.xen('xen-b', stats=stats(6)),
        hosts.xen('xen-c', stats=stats(4)),
        hosts.xen('xen-old', 'xen-4.14-hvm', stats=stats(9)),
        hosts.kvm('kvm-a'),
    )

    def setUp(self):
        super().setUp()
        self.start_hosts(self.HOSTS)
        self.hvm = self.create_image('hvm', **HVM)
        self.pv = self.create_image('pv', **PV)


class TestRebalance(MovesCase):
    def test_mends(self):
        names = ('mail-1', 'web-1', 'web-2', 'db-1', 'db-2')
        servers = self.boot_named('xen-a', *names)
        self.boot_on('xen-c', count=3)
        argv = ('rebalance', '--shared-storage')
        self.assert_golden('rebalance-80', *argv)
        plan, after = self.planned(*argv, code=1)
        self.assertEqual(['xen-a'], plan['outcome']['overcommitted_before'])
        self.assertEqual([], plan['outcome']['overcommitted_after'])
        self.assertEqual(2, len(plan['moves']))
        self.assertEqual({'live'}, {m['operation'] for m in plan['moves']})
        # Xen 4.14 takes no guest of 4.17.
        self.assertEqual({'xen-b'}, {m['target'] for m in plan['moves']})
        self.carry_out(plan)
        again, now = self.planned(*argv, code=0)
        self.assertEqual([], again['moves'])
        self.assert_as_planned(after, now)
        ran = commands.run(*argv, '-f', 'value', '-c', 'command')
        self.assertEqual((0, ''), (ran.code, ran.out), ran.err)
        self.assertIn('Nothing to do', ran.err)
        self.assertEqual(
            3, sum(self.host_of(each) == 'xen-a' for each in servers)
        )

    def test_local_disks_go_cold(self):
        self.boot_on('xen-a', count=4)
        plan = self.ran('rebalance', code=1)
        self.assertEqual(['cold'], [m['operation'] for m in plan['moves']])
        self.carry_out(plan)
        self.ran('rebalance', code=0)
        ran = commands.run('rebalance', '--live-only', '--until', 'even')
        self.assertEqual(0, ran.code, ran.err)


class TestDrain(MovesCase):
    def test_drains(self):
        names = ('web-1', 'web-2', 'mail-1', 'db-1')
        *_, waiting, locked = self.boot_named('xen-b', *names)
        (pv,) = self.boot_on(
            'xen-b', self.pv, flavor=self.create_flavor(ram=768)
        )
        self.api.put_server(pv['id'], {'server': {'name': 'dns-1'}})
        self.api.post_server_action(locked['id'], {'lock': None})
        self.migrate(waiting, 'xen-c')
        for host in self.computes:
            self.update(host)
        argv = ('drain', 'xen-b', '--shared-storage')
        self.assert_golden('drain-80', *argv)
        plan = self.ran(*argv, code=1)
        self.assertEqual('disable', plan['moves'][0]['operation'])
        self.assertEqual(
            {locked['id'], waiting['id']},
            {each['server_id'] for each in plan['outcome']['stays']},
        )
        self.carry_out(plan)
        self.confirm(waiting)
        self.api.post_server_action(locked['id'], {'unlock': None})
        plan = self.ran(*argv, code=0)
        self.assertEqual(1, len(plan['moves']))
        self.carry_out(plan)
        self.ran(*argv, code=0)
        ran = commands.run(*argv)
        self.assertIn('xen-b has no guests', ran.err)
        # Of one that goes from xen-a to xen-b just now nova has this.
        (coming,) = self.boot_named('xen-a', 'late-1')
        with self._cell_context('xen-a') as context:
            instance = objects.Instance.get_by_uuid(context, coming['id'])
            instance.task_state = 'migrating'
            instance.save()
            objects.Migration(
                context,
                instance_uuid=coming['id'],
                source_compute='xen-a',
                dest_compute='xen-b',
                migration_type='live-migration',
                status='running',
            ).create()
        plan = self.ran(*argv, code=1)
        (stays,) = plan['outcome']['stays']
        self.assertEqual(coming['id'], stays['server_id'])
        self.assertIn('on its way here from xen-a', stays['why'])
        ran = commands.run(*argv)
        self.assertIn('0 stay.\n1 is on its way here.\n', ran.err)
        self.assertIn('late-1: it is on its way here', ran.out)


class TestCheck(MovesCase):
    def checked(self, path, code):
        found = self.ran('rebalance', '--check', path, code=code)
        check = found['outcome']['check']
        self.assertEqual(code == 0, check['holds'])
        self.assertEqual(code != 0, bool(check['why']))
        return found['moves'], check

    def test_a_plan_holds_until_it_does_no_more(self):
        self.boot_on('xen-a', count=5)
        plan = self.ran('rebalance', '--shared-storage', code=1)
        self.assertIsNone(plan['outcome']['check'])
        path = os.path.join(self._folder, 'plan.json')
        with open(path, 'w') as f:
            json.dump(plan, f)
        first, second = plan['moves']
        moves, check = self.checked(path, 0)
        self.assertEqual(plan['moves'], moves)
        self.assertEqual((0, 2), (check['made'], check['left']))
        argv = ('rebalance', '--shared-storage', '--check', path)
        ran = commands.run(*argv, width=80)
        self.assertEqual(0, ran.code)
        self.assertEqual(
            'The plan of %s holds: hosts and guests are as it saw them.\n'
            % plan['outcome']['made_at'],
            ran.err,
        )
        ran = commands.run('rebalance', '--check', path, '--live-only')
        self.assertEqual((2, ''), (ran.code, ran.out))
        self.assertIn('was made without --live-only', ran.err)

        self.make(first)
        moves, check = self.checked(path, 0)
        self.assertEqual(
            [second['server_id']], [m['server_id'] for m in moves]
        )
        self.assertEqual((1, 1), (check['made'], check['left']))
        ran = commands.run(*argv)
        # The move of its own is nothing that has changed.
        self.assertTrue(
            ran.err.endswith('holds: 1 of 2 moves made, 1 left.\n'), ran.err
        )

        self.set_status(second['target'], 'disabled')
        moves, check = self.checked(path, 1)
        self.assertEqual([], moves)
        self.assertIn('disabled', check['why'])
        self.set_status(second['target'], 'enabled')
        self.checked(path, 0)

        # Its destination fills meanwhile.
        servers = self.boot_on(second['target'], count=6)
        _, check = self.checked(path, 1)
        self.assertIn('its dom0 would be overcommitted', check['why'])
        for server in servers:
            self.delete(server)
        self.update(second['target'])
        self.checked(path, 0)

        server = self.api.get_server(second['server_id'])
        other = {'xen-b': 'xen-c', 'xen-c': 'xen-b'}[second['target']]
        self.live_migrate(server, other)
        _, check = self.checked(path, 1)
        self.assertIn('is on %s now, not on xen-a' % other, check['why'])
        self.delete(server)
        _, check = self.checked(path, 1)
        self.assertIn('is on no Xen host any more', check['why'])
        self.assertEqual((1, 1), (check['made'], check['left']))


class TestGroups(MovesCase):
    def group(self, policy):
        return self.api.post_server_groups({'name': policy, 'policy': policy})

    def test_a_plan_breaks_no_group(self):
        together = {'hints': {'group': self.group('affinity')['id']}}
        apart = {'hints': {'group': self.group('anti-affinity')['id']}}
        (first,) = self.boot_on('xen-a', **apart)
        self.boot_on('xen-b', **apart)
        pair = self.boot_on('xen-a', count=2, **together)
        alone = self.boot_on('xen-a', count=2)
        argv = ('rebalance', '--shared-storage')
        plan, after = self.planned(*argv, code=1)
        moved = {move['server_id']: move['target'] for move in plan['moves']}
        self.assertEqual(2, len(moved))
        self.assertFalse(moved.keys() & {each['id'] for each in pair})
        self.assertNotEqual('xen-b', moved.get(first['id']))
        self.carry_out(plan)
        _, now = self.planned(*argv, code=0)
        self.assert_as_planned(after, now)

        argv = ('drain', 'xen-a', '--shared-storage')
        for server in [first, *alone]:
            if self.host_of(server) != 'xen-a':
                self.live_migrate(server, 'xen-a')
        for host in self.computes:
            self.update(host)
        plan = self.ran(*argv, code=1)
        moved = {move['server_id']: move['target'] for move in plan['moves']}
        self.assertEqual('xen-c', moved.pop(first['id']))
        self.assertEqual({each['id'] for each in alone}, {*moved} - {None})
        stays = plan['outcome']['stays']
        self.assertEqual(
            {each['id'] for each in pair},
            {each['server_id'] for each in stays},
        )
        for each in stays:
            self.assertIn('its server group keeps', each['why'])
        self.carry_out(plan)


class TestStates(MovesCase):
    def test_what_a_server_is_in_counts(self):
        waiting, stopped, locked, busy, paused, fine = self.boot_on(
            'xen-b', count=6
        )
        self.migrate(waiting, 'xen-c')
        for server, action in (
            (stopped, 'os-stop'),
            (locked, 'lock'),
            (paused, 'pause'),
        ):
            self.api.post_server_action(server['id'], {action: None})
        self._until(
            lambda: all(
                self.api.get_server(server['id'])['status'] == status
                for server, status in (
                    (stopped, 'SHUTOFF'),
                    (paused, 'PAUSED'),
                )
            ),
            'servers to be stopped and paused',
        )
        self._set_task(busy, 'rebooting')
        for host in self.computes:
            self.update(host)
        argv = ('drain', 'xen-b', '--shared-storage')
        plan = self.ran(*argv, code=1)
        _, *moves = plan['moves']
        self.assertEqual(
            {
                stopped['id']: 'cold',
                paused['id']: 'live',
                fine['id']: 'live',
            },
            {move['server_id']: move['operation'] for move in moves},
        )
        why = {e['server_id']: e['why'] for e in plan['outcome']['stays']}
        self.assertEqual({waiting['id'], locked['id'], busy['id']}, {*why})
        self.assertIn(
            'it went to xen-c, and its migration', why[waiting['id']]
        )
        self.assertIn(
            [
                'openstack server resize %s %s' % (each, waiting['id'])
                for each in ('confirm', 'revert')
            ],
            [each['commands'] for each in plan['outcome']['stays']],
        )
        self.assertIn('--include-locked', why[locked['id']])
        self.assertIn('its task_state is rebooting', why[busy['id']])
        # Where it is, it can't be moved on.
        there = self.ran('drain', 'xen-c', '--shared-storage', code=1)
        (stays,) = there['outcome']['stays']
        self.assertEqual(waiting['id'], stays['server_id'])
        self.assertIn('its vm_state is resized', stays['why'])
        for host in 'xen-b', 'xen-c':
            ran = commands.run('drain', host, '--shared-storage', width=80)
            self.assertLess(max(map(len, ran.err.splitlines())), 80)
            self.assertNotIn('..', ran.out)

        self.carry_out(plan)
        self._set_task(busy, None)
        self.confirm(waiting)
        plan = self.ran(*argv, '--include-locked', '--live-only', code=0)
        self.assertEqual(
            {busy['id'], locked['id']},
            {move['server_id'] for move in plan['moves']},
        )
        self.carry_out(plan)
        plan = self.ran(*argv, code=0)
        self.assertEqual([], plan['moves'])

    def _set_task(self, server, task):
        host = self.host_of(server)
        with self._cell_context(host) as ctxt:
            instance = objects.Instance.get_by_uuid(ctxt, server['id'])
            instance.task_state = task
            instance.save()


class TestHardLimit(MovesCase):
    """Plans are made where the filter refuses what overcommits."""

    NOVA_CONF = conf(
        'guest_memory_overhead = none', 'refuse_dom0_overcommit = true'
    )

    def test_evens(self):
        self.boot_on('xen-a', count=4)
        self.boot_on('xen-c', count=4)
        argv = ('rebalance', '--shared-storage', '--until', 'even')
        plan, after = self.planned(*argv, code=1)
        self.assertGreater(len(plan['moves']), 1)
        self.assertFalse(plan['outcome']['overcommitted_after'])
        self.carry_out(plan)
        again, now = self.planned(*argv, code=0)
        self.assertEqual([], again['moves'])
        self.assert_as_planned(after, now)
        # Until the others are full; the last goes where it can't run on.
        argv = ('drain', 'xen-b', '--shared-storage')
        plan, after = self.planned(*argv, code=0)
        moves = plan['moves'][1:]
        self.assertEqual(
            ['cold', 'live', 'live', 'live'],
            sorted(move['operation'] for move in moves),
        )
        for move in moves:
            self.assertGreaterEqual(move['target_headroom']['after'], 0)
        self.carry_out(plan)
        _, now = self.planned(*argv, code=0)
        self.assert_as_planned(after, now)


class TestZoneAndCell(MovesCase):
    NUMBER_OF_CELLS = 2
    NOVA_CONF = (
        conf('guest_memory_overhead = none')
        # nova 22 doesn't by default.
        + '\n[scheduler]\nquery_placement_for_availability_zone = true\n'
    )
    HOSTS = (*MovesCase.HOSTS[:3],)

    def test_guests_stay_in_theirs(self):
        for name, slots in (('cell-a', 1), ('cell-b', 2)):
            self.start_hosts(
                [hosts.xen(name, stats=stats(slots))], cell_name='cell2'
            )
        self.create_aggregate(
            'zone', ['xen-a', 'xen-c'], {'availability_zone': 'zone-1'}
        )
        self.boot_on('xen-a', count=4, zone='zone-1')
        self.boot_on('cell-a', count=2)
        argv = ('rebalance', '--shared-storage')
        plan, after = self.planned(*argv, code=1)
        self.assertEqual(
            [('cell-a', 'cell-b'), ('xen-a', 'xen-c')],
            sorted((m['source'], m['target']) for m in plan['moves']),
        )
        self.carry_out(plan)
        _, now = self.planned(*argv, code=0)
        self.assert_as_planned(after, now)
        plan = self.ran('drain', 'cell-a', '--shared-storage', code=0)
        self.assertEqual(['cell-b'], [m['target'] for m in plan['moves'][1:]])


class TestSlots(Moves, PlacementCase):
    def test_a_provider_that_is_over_full(self):
        self.start_hosts([xen('a', 3), xen('b', 9, 'small')])
        self.hvm = self.create_image('hvm', **HVM)
        flavor = self.create_flavor(extra_specs=SLOT)
        servers = self.boot_on('a', count=3, flavor=flavor)
        self.change_host(xen('a', 2))
        self._overfill('a', 2)
        argv = ('rebalance', '--shared-storage')
        if configuration.release() < 32:
            plan = self.ran(*argv, code=1)
            self.assertEqual([], plan['moves'])
            (left,) = plan['outcome']['stays']
            self.assertEqual(
                {each['id'] for each in servers},
                {each['server_id'] for each in left['guests']},
            )
            for each in left['guests']:
                self.assertIn('has more CUSTOM_XEN_DOM0_SLOT', each['why'])
            # So does nova.
            self.live_migrate(servers[0], 'b', fails='')
            return
        plan, after = self.planned(*argv, code=1)
        self.assertEqual(['b'], [move['target'] for move in plan['moves']])
        self.make(plan['moves'][0])
        for host in 'ab':
            self.update(host)
        self.assertEqual((2, 2), self.slots('a'))
        self.assertEqual(1, self.slots('b')[1])
        _, now = self.planned(*argv, code=0)
        self.assert_as_planned(after, now)

    def _overfill(self, host, slots):
        """As by an inventory that was lowered by hand."""
        uuid = self._get_provider_uuid_by_host(host)
        path = '/resource_providers/%s/inventories' % uuid
        body = self.placement.get(path, version='1.26').body
        body['inventories'][provider.DOM0_SLOT].update(total=slots, reserved=0)
        found = self.placement.put(path, body, version='1.26')
        self.assertEqual(200, found.status, found.body)
        self.assertEqual((slots, 3), self.slots(host))
