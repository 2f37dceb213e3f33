# SPDX-License-Identifier: Apache-2.0

"""capacity --failures against a real nova whose hosts do fail."""

from __future__ import annotations

import tests.functional  # noqa: F401  before any other import of nova

# isort: split
import pytest

from tests.functional import commands
from tests.functional import hosts
from tests.functional.cases import conf
from tests.functional.cases import FilterCase
from tests.functional.cases import HVM
from tests.functional.cases import PV
from tests.functional.test_hosts import stats
from tests.functional.test_moves import Moves
from tests.unit.cmd import schemas

pytestmark = pytest.mark.commands


class TestFailures(Moves, FilterCase):
    NOVA_CONF = conf('guest_memory_overhead = none')

    def setUp(self):
        super().setUp()
        # The names say what becomes of their guests.
        self.start_hosts(
            [
                hosts.xen('xen-fine', stats=stats(6), memory_mb=8192),
                hosts.xen('xen-full', stats=stats(4), memory_mb=8192),
                hosts.xen(
                    'xen-large', 'xen-4.14-hvm', stats=stats(6), local_gb=20
                ),
                hosts.kvm('kvm-a'),
            ]
        )
        self.hvm = self.create_image('hvm', **HVM)
        self.pv = self.create_image('pv', **PV)

    def failures(self, number, *argv, code=1):
        ran = commands.run(
            'capacity', '--failures', str(number), *argv, '-f', 'json'
        )
        self.assertEqual(code, ran.code, ran.err + ran.out)
        schemas.check('capacity-failures', ran.json)
        return ran.json

    def test_says_what_evacuation_does(self):
        few = self.boot_on('xen-fine', count=2)
        self.boot_on('xen-full', self.pv, count=3)
        # There is so much RAM on no other host.
        self.boot_named('xen-large', 'db-1')
        (huge,) = self.boot_on(
            'xen-large', flavor=self.create_flavor(ram=16384)
        )
        rows = {row['host'][0]: row for row in self.failures(1)}
        self.assertEqual({'xen-fine', 'xen-full', 'xen-large'}, set(rows))
        # The worst comes first.
        self.assertEqual('xen-large', next(iter(rows)))
        (nowhere,) = rows['xen-large']['nowhere']
        self.assertEqual(huge['id'], nowhere['server_id'])
        self.assertFalse(rows['xen-large']['accepted'])
        self.assertTrue(rows['xen-fine']['accepted'])
        self.assertEqual([], rows['xen-fine']['overcommitted'])
        self.assertEqual(
            sorted(each['id'] for each in few),
            sorted(rows['xen-fine']['empty']),
        )
        self.assert_golden(
            'capacity-failures-80', 'capacity', '--failures', '1'
        )
        # Evacuated guests may overcommit a dom0: better than being down.
        filled = self.boot_on('xen-fine', count=5)
        rows = {row['host'][0]: row for row in self.failures(1, 'xen-f*')}
        self.assertTrue(rows['xen-fine']['accepted'])
        (over,) = rows['xen-fine']['overcommitted']
        rows = self.failures(2, '--shared-storage')
        self.assertEqual([1, 2], [len(row['host']) for row in rows])
        self.assertEqual([[], []], [row['empty'] for row in rows])
        # And so it is.
        for server in few + filled:
            self.evacuate(server)
        ran = commands.run('host', 'show', over, '-f', 'json')
        self.assertLess(ran.json['headroom'], 0)
        self.stop_host('xen-large')
        self.evacuate(huge, fails='NoValidHost')

    def test_wrong_usage(self):
        for argv, said in (
            (('--failures', '4'), 'more than the 3 Xen hosts'),
            (('--failures', '1', '--total'), 'goes without --total'),
            (('--failures', '1', '--ram', '9'), 'the size of a guest'),
            (('--shared-storage',), 'needs --failures'),
        ):
            ran = commands.run('capacity', *argv)
            self.assertEqual((2, ''), (ran.code, ran.out), argv)
            self.assertIn(said, ran.err)
