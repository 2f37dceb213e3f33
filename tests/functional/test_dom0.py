# SPDX-License-Identifier: Apache-2.0

"""Dom0HeadroomWeigher and the hard limit in a real nova."""

from __future__ import annotations

import tests.functional  # noqa: F401  before any other import of nova

# isort: split
import collections

import pytest

from tests.functional import hosts
from tests.functional.cases import FilterCase
from tests.functional.cases import HVM
from tests.functional.cases import PV
from tests.functional.cases import sized

#: As an operator enables the weigher.
WEIGHERS = """
[filter_scheduler]
weight_classes = nova.scheduler.weights.all_weighers,\
nova_xen_sched.weights.all_weighers
"""


def conf(*options):
    return '\n'.join((FilterCase.NOVA_CONF, *options, WEIGHERS))


def sizes(slots, vcpus=16):
    """Stats of a dom0 with room for so many HVM guests.

    By the defaults dom0 itself uses 400 MiB, and each guest takes 24.
    """
    return {
        'xen_dom0_memory_mb': str(400 + 24 * slots),
        'xen_dom0_vcpus': str(vcpus),
    }


class Dom0Case(FilterCase):
    NOVA_CONF = conf()

    def boot_many(self, image, count):
        """How many of them landed on each host."""
        servers = self.boot(image, count=count)
        return collections.Counter(self.host_of(s) for s in servers)


class TestWeigher(Dom0Case):
    @pytest.mark.smoke
    def test_guests_go_where_dom0_has_room(self):
        """nova would have them on the host with more memory."""
        self.start_hosts(
            [
                hosts.xen('narrow', stats=sizes(10), **sized('large')),
                hosts.xen('wide', stats=sizes(100), **sized('small')),
            ]
        )
        image = self.create_image('hvm', **HVM)
        self.assert_boots_on('wide', image)
        self.rewrite_conf(conf('dom0_headroom_weight_multiplier = 0'))
        self.assert_boots_on('narrow', image)
        self.rewrite_conf(conf('dom0_headroom_weight_multiplier = -10'))
        self.assert_boots_on('narrow', image)

    def test_aggregates_set_the_multiplier(self):
        self.start_hosts(
            [
                hosts.xen('narrow', stats=sizes(10), **sized('large')),
                hosts.xen('wide', stats=sizes(100), **sized('small')),
            ]
        )
        key = 'dom0_headroom_weight_multiplier'
        self.create_aggregate('a', ['narrow', 'wide'], {key: '0'})
        self.assert_boots_on('narrow', self.create_image('hvm', **HVM))

    def test_a_multi_create_spreads(self):
        self.start_hosts(
            [
                hosts.xen('one', stats=sizes(20), **sized('large')),
                hosts.xen('two', stats=sizes(40), **sized('large')),
            ]
        )
        image = self.create_image('hvm', **HVM)
        found = self.boot_many(image, 12)
        self.assertEqual({'one': 4, 'two': 8}, dict(found))

    def test_other_hosts_are_neither_sought_nor_shunned(self):
        """An untyped image goes where nova's own weighers send it."""
        self.start_hosts(
            [
                hosts.kvm('kvm', **sized('large')),
                hosts.xen('narrow', stats=sizes(1), **sized('middle')),
            ]
        )
        untyped = self.create_image('untyped')
        for multiplier in (10, -10):
            self.rewrite_conf(
                conf('dom0_headroom_weight_multiplier = %d' % multiplier)
            )
            self.assert_boots_on('kvm', untyped)


class TestHardLimit(Dom0Case):
    NOVA_CONF = conf('refuse_dom0_overcommit = true')

    @pytest.mark.smoke
    def test_a_multi_create_of_20_fills_dom0_exactly(self):
        self.start_hosts(
            [
                hosts.xen('a', stats=sizes(8), **sized('large')),
                hosts.xen('b', stats=sizes(12), **sized('middle')),
            ]
        )
        image = self.create_image('hvm', **HVM)
        found = self.boot_many(image, 20)
        self.assertEqual({'a': 8, 'b': 12}, dict(found))
        self.assert_no_host(image)
        self.assertIn('dom0_memory=2', self.log)

    def test_one_server_too_many_fails_the_request(self):
        self.start_hosts([hosts.xen('a', stats=sizes(3), **sized('large'))])
        image = self.create_image('hvm', **HVM)
        servers = self.boot(image, count=4, wait='ERROR')
        states = {self.api.get_server(s['id'])['status'] for s in servers}
        self.assertEqual({'ERROR'}, states)
        self.boot_many(image, 3)

    def test_dom0_cpus_and_pv_guests(self):
        # (1 - 0.75) x 20 = 5 guests
        self.start_hosts(
            [hosts.xen('a', stats=sizes(50, vcpus=1), **sized('large'))]
        )
        image = self.create_image('pv', **PV)
        self.boot_many(image, 5)
        self.assert_no_host(image)
        self.assertIn('dom0_cpu=1', self.log)

    def test_memory_beside_dom0(self):
        """nova sells what dom0 has taken; Xen would fail to start it."""
        self.start_hosts(
            [
                hosts.xen(
                    'a',
                    stats={'xen_dom0_memory_mb': '8192'},
                    **sized('small'),
                )
            ]
        )
        image = self.create_image('hvm', **HVM)
        # 16384 MiB, less 512 that nova keeps: it would take 12288
        self.assert_no_host(image, self.create_flavor(ram=12288))
        self.assertIn('host_memory=1', self.log)
        # 8192 are left, less the guest's overhead
        self.assert_no_host(image, self.create_flavor(ram=8192))
        self.boot(image, self.create_flavor(ram=8000))

    def test_moves_and_rebuilds(self):
        self.start_hosts(
            [
                hosts.xen('a', stats=sizes(2), **sized('large')),
                hosts.xen('b', stats=sizes(1), **sized('middle')),
            ]
        )
        image = self.create_image('hvm', **HVM)
        first, *rest = self.boot(image, count=3)
        full = {'a': 2, 'b': 1}
        found = collections.Counter(self.host_of(s) for s in [first, *rest])
        self.assertEqual(full, dict(found))
        self.live_migrate(first, fails='NoValidHost')
        self.cold_migrate(first, fails='NoValidHost')
        self.rebuild(first, self.create_image('other', **HVM))
        self.rewrite_conf(conf('refuse_dom0_overcommit = false'))
        self.live_migrate(first)
