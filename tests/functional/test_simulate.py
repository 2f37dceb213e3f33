# SPDX-License-Identifier: Apache-2.0

"""simulate against a real nova: the guests go where it says."""

from __future__ import annotations

import tests.functional  # noqa: F401  before any other import of nova

# isort: split
import collections
import os
import pathlib
import re
from unittest import mock

import nova.conf
from oslo_utils import uuidutils
import pytest

from tests.functional import commands
from tests.functional import glance
from tests.functional import hosts
from tests.functional.cases import conf
from tests.functional.cases import FilterCase
from tests.functional.cases import HVM
from tests.functional.test_hosts import stats
from tests.unit.cmd import schemas

pytestmark = pytest.mark.commands

CONF = nova.conf.CONF
GOLDEN = pathlib.Path(__file__).parents[1] / 'fixtures/golden/simulate-80.txt'
SIZE = ('--ram', '512', '--vcpus', '1', '--disk', '1')
NOVA_CONF = conf('guest_memory_overhead = none').replace(
    '[xen_scheduler]',
    # nova's fake driver reports a disk_available_least of 0 always.
    """disk_weight_multiplier = 0
weight_classes = nova.scheduler.weights.all_weighers,\
nova_xen_sched.weights.Dom0HeadroomWeigher
host_subset_size = 1
shuffle_best_same_weighed_hosts = false
[xen_scheduler]""",
)
MIX = """
- {count: 4, ram: 512, vcpus: 1, disk: 1}
- {count: 2, ram: 512, disk: 1, vm_mode: pv}
- {count: 1, flavor: FLAVOR, image: my image}
"""


def uneven_hosts():
    """No two of them are alike, so that no two weigh the same."""
    return [
        hosts.xen(
            'xen-%d' % n,
            memory_mb=16384 + 1024 * n,
            vcpus=8 + n,
            local_gb=200 + 10 * n,
            stats=stats(3 + 2 * n, vcpus=1 + n),
        )
        for n in range(5)
    ] + [
        hosts.xen('pv-only', 'xen-4.14-pv-only', stats=stats(9)),
        hosts.kvm('kvm-1'),
    ]


class TestSimulate(FilterCase):
    NOVA_CONF = NOVA_CONF

    def setUp(self):
        super().setUp()
        self.start_hosts(uneven_hosts())

    def simulated(self, *argv, code=0):
        """The answer as JSON; it must fit its schema."""
        ran = commands.run('simulate', *argv, '-f', 'json')
        self.assertEqual(code, ran.code, ran.err)
        self.assertEqual('', ran.err)
        schemas.check('simulate', ran.json)
        return ran.json

    # One cloud for all of them: seven computes take a while to start.
    def test_simulate(self):
        self._check_the_page_as_a_person_reads_it()
        self._check_a_mix()
        self._check_other_options_of_nova()
        self._check_what_placement_has()
        self._check_errors_are_one_line()
        self._check_the_hard_limit_refuses_what_now_overcommits()
        self._check_guests_go_where_it_says()

    def _check_the_page_as_a_person_reads_it(self):
        """UPDATE_GOLDEN=1 writes it anew."""
        ran = commands.run(
            *('simulate', '--count', '60', *SIZE),
            *('--set', 'refuse_dom0_overcommit=true'),
            width=80,
        )
        self.assertEqual((0, ''), (ran.code, ran.err))
        plain = re.sub('\033\\[[0-9]*m', '', ran.out)
        self.assertLessEqual(max(map(len, plain.splitlines())), 80)
        text = ran.out.replace('\033', '\\e')
        if os.environ.get('UPDATE_GOLDEN'):
            GOLDEN.write_text(text)
        self.assertEqual(GOLDEN.read_text(), text)
        ran = commands.run('simulate', '--count', '2', *SIZE, '-f', 'value')
        self.assertEqual('All 2 guests find a host.\n', ran.err)
        self.assertEqual(['xen-3', 'xen-4'], [e.split()[0] for e in ran.lines])

    def _check_a_mix(self):
        store = self.useFixture(glance.Glance())
        store.add(uuidutils.generate_uuid(), 'my image')
        flavor = self.create_flavor(ram=512, vcpus=1, disk=1)
        path = pathlib.Path(self._folder) / 'mix.yaml'
        path.write_text(MIX.replace('FLAVOR', flavor))
        found = self.simulated('--mix', str(path))['outcome']
        self.assertEqual(
            [('hvm', 4, None), ('pv', 2, None), (None, 1, 'my image')],
            [(e['mode'], e['count'], e['image']) for e in found['guests']],
        )
        # An image that names no type goes wherever there is most room.
        self.assertEqual(1, found['now']['placed'].count('kvm-1'))
        self.assertEqual(7, found['now']['found'])
        # HVM guests find no host without HVM, PV guests do.
        path.write_text('[{count: 5, vm_mode: pv, ram: 512, disk: 1}]')
        placed = self.simulated('--mix', str(path))['outcome']['now']['placed']
        self.assertIn('pv-only', placed)

    def _check_other_options_of_nova(self):
        argv = ('--count', '5', *SIZE, '--set')
        spread, filled = (
            self.simulated(*argv, 'dom0_headroom_weight_multiplier=' + value)[
                'outcome'
            ]['set']['placed']
            for value in ('1000', '-1000')
        )
        # Of 11, 9, 7 and 5 guests that they can serve; the second one of
        # 11 takes less than the first one of 5.
        self.assertEqual(['xen-4', 'xen-3', 'xen-2', 'xen-4', 'xen-1'], spread)
        self.assertEqual(['xen-0'] * 5, filled)
        # Another filter list is another host manager.
        found = self.simulated(
            *argv, 'filter_scheduler.enabled_filters=ComputeFilter'
        )['outcome']
        self.assertNotIn('kvm-1', found['now']['placed'])
        self.assertIn('XenHostFilter is not', found['set']['notes'][0])
        self.assertEqual([], found['now']['notes'])
        found = self.simulated(*argv, 'filter_scheduler.host_subset_size=4')
        self.assertIn(
            'any of the first 4', found['outcome']['set']['notes'][0]
        )
        self.assertEqual(
            found['outcome']['now']['placed'],
            found['outcome']['set']['placed'],
        )
        # nova's own are in force again.
        self.assertEqual(1, CONF.filter_scheduler.host_subset_size)

    def _check_what_placement_has(self):
        """What the guests took is gone, and what is missing has a name."""
        found = self.simulated(
            *('--ram', '8000', '--vcpus', '1', '--disk', '1'),
            *('--count', '20'),
            code=1,
        )['outcome']['now']
        # 16384 MiB and more less the reserve of 512: one each, then two.
        expected = [(15872 + 1024 * n) // 8000 for n in range(5)]
        self.assertEqual(sum(expected), found['found'])
        (refused,) = found['refused']
        self.assertEqual(sum(expected) + 1, refused['guest'])
        causes = {
            (each['step'], each['code'], each['name']): each['hosts']
            for each in refused['causes']
        }
        self.assertEqual(
            {
                ('placement', 'resource', 'MEMORY_MB'): 5,
                ('XenHostFilter', 'vm_mode', None): 1,
                ('XenHostFilter', 'hypervisor_type', None): 1,
            },
            causes,
        )
        # More than any host has.
        found = self.simulated('--ram', '999999', code=1)
        self.assertEqual([], found['hosts'])
        (refused,) = found['outcome']['now']['refused']
        self.assertEqual(
            [('placement', 'resource', 'MEMORY_MB', 7)],
            [tuple(each.values()) for each in refused['causes']],
        )
        ran = commands.run('simulate', '--ram', '999999')
        self.assertEqual(1, ran.code)
        self.assertIn('0 of 10 guests find a host.', ran.out)

    def _check_errors_are_one_line(self):
        for argv, words in (
            (['--flavor', 'huge'], 'There is no flavor with the name or id'),
            (['--set', 'filter_scheduler.ram=1'], 'There is no option '),
            (
                ['--set', 'filter_scheduler.host_subset_size=0'],
                'allowed: a whole number from 1.',
            ),
            (
                ['--set', 'filter_scheduler.enabled_filters=NoFilter'],
                'With the options of --set: nova-scheduler would not start',
            ),
        ):
            ran = commands.run('simulate', *argv)
            self.assertEqual((2, ''), (ran.code, ran.out), ran.err)
            self.assertEqual(1, ran.err.count('\n'))
            self.assertIn(words, ran.err)
        for what in (
            'nova.objects.CellMappingList.get_all',
            'nova.scheduler.client.report.SchedulerReportClient.get',
        ):
            with mock.patch(what, side_effect=_refused()):
                ran = commands.run('simulate')
            self.assertEqual((2, ''), (ran.code, ran.out), ran.err)
            self.assertEqual(1, ran.err.count('\n'))
            self.assertIn("can't be reached", ran.err)

    def _check_the_hard_limit_refuses_what_now_overcommits(self):
        before = self._what_there_is()
        found = self.simulated(
            *('--count', '60', *SIZE, '--set', 'refuse_dom0_overcommit=true')
        )['outcome']
        self.assertEqual(before, self._what_there_is())
        self.assertEqual(60, found['now']['found'])
        self.assertEqual([], found['now']['refused'])
        self.assertTrue(found['now']['overcommitted']['dom0_memory'])
        self.assertEqual({}, found['set']['overcommitted'])
        (refused,) = found['set']['refused']
        self.assertIn(
            {
                'step': 'XenHostFilter',
                'code': 'dom0_memory',
                'name': None,
                'hosts': 5,
            },
            refused['causes'],
        )
        # As many as capacity counts.
        (total,) = commands.run(
            'capacity', '--total', *SIZE, '-f', 'json'
        ).json
        self.assertEqual(total['fits'], found['set']['found'])
        self.assertEqual(total['fits'] + 1, refused['guest'])
        fits = {
            row['host']: row['fits']
            for row in commands.run('capacity', *SIZE, '-f', 'json').json
            if row['fits']
        }
        self.assertEqual(
            fits,
            dict(collections.Counter(filter(None, found['set']['placed']))),
        )

    def _check_guests_go_where_it_says(self):
        found = self.simulated('--count', '10', *SIZE)
        flavor = self.create_flavor(ram=512, vcpus=1, disk=1)
        hvm = self.create_image('hvm', **HVM)
        self._computes_report()
        booted = [self.host_of(self.boot(hvm, flavor)) for _ in range(10)]
        self.assertEqual(found['outcome']['now']['placed'], booted)
        # And the hosts are then as it said.
        after = {
            row['host']: row['headroom']
            for row in commands.run('host', 'list', '-f', 'json').json
        }
        for row in found['hosts']:
            self.assertEqual(booted.count(row['host']), row['guests_now'])
            self.assertEqual(after[row['host']], row['after_now'])

    def _computes_report(self):
        """Twice, as they do every two minutes.

        The first time nova-scheduler looks which guests a host has, the
        second time it trusts that. Of a first guest that comes before it
        would never know more than that it is there.
        """
        for host in self.computes:
            with self._cell_context(host) as ctxt:
                for _ in range(2):
                    self.host_manager.sync_instance_info(ctxt, host, [])

    def _what_there_is(self):
        """Of hosts, by nova; and of placement."""
        found = commands.run('host', 'list', '-f', 'json').json
        providers = self.placement.get('/resource_providers').body
        return found, [
            self.placement.get(
                '/resource_providers/%s/usages' % each['uuid']
            ).body
            for each in providers['resource_providers']
        ]


def _refused():
    from keystoneauth1 import exceptions

    return exceptions.ConnectFailure('refused')
