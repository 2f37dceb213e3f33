# SPDX-License-Identifier: Apache-2.0

"""XenHostFilter in a real nova: every rule, by requests to its API."""

from __future__ import annotations

import tests.functional  # noqa: F401  before any other import of nova

# isort: split
from nova import version
import pytest

from nova_xen_sched import request
from nova_xen_sched import request as requests
from tests.functional import cloud
from tests.functional import hosts
from tests.functional.cases import conf
from tests.functional.cases import FilterCase
from tests.functional.cases import HVM
from tests.functional.cases import hvm_only
from tests.functional.cases import PV
from tests.functional.cases import sized
from tests.functional.cases import XEN

#: The hint that nova itself sends with a rebuild.
FORGED = {'_nova_check_type': ['rebuild']}


@pytest.mark.smoke
class TestGuestTypes(FilterCase):
    """The wrong host is always the larger one, which nova prefers."""

    def test_hvm_avoids_pv_only_and_kvm(self):
        self.start_hosts(
            [
                hosts.xen('pv', 'xen-4.14-pv-only', **sized('large')),
                hosts.kvm('kvm', **sized('middle')),
                hosts.xen('xen', **sized('small')),
            ]
        )
        hvm = self.create_image('hvm', **HVM)
        self.assert_boots_on('xen', hvm)
        self.assert_boots_on('pv', self.create_image('pv', **PV))
        kvm = self.create_image('kvm', hypervisor_type='kvm')
        self.assert_boots_on('kvm', kvm)
        # boot from a volume, and a request that is left no host
        self.assert_boots_on('xen', hvm, volume=True)
        self.assert_boots_on('xen', hvm, volume='existing')
        both = self.create_image('odd', hypervisor_type='kvm', vm_mode='xen')
        self.assert_no_host(both)

    def test_pv_avoids_hvm_only(self):
        self.start_hosts(
            [
                hvm_only('hvmonly', **sized('large')),
                hosts.xen('xen', **sized('small')),
            ]
        )
        self.assert_boots_on('xen', self.create_image('pv', **PV))
        self.assert_boots_on('xen', self.create_image('mode?', **XEN))
        self.assert_boots_on('xen', self.create_image('nothing'))
        self.assert_boots_on('hvmonly', self.create_image('hvm', **HVM))
        i686 = self.create_image('i686', architecture='i686', **PV)
        self.assert_no_host(i686)

    def test_moves(self):
        self.start_hosts(
            [
                hosts.xen('pv', 'xen-4.14-pv-only', **sized('large')),
                hosts.xen('xen1', **sized('middle')),
                hosts.xen('xen2', **sized('small')),
            ]
        )
        hvm = self.create_image('hvm', **HVM)
        server = self.assert_boots_on('xen1', hvm)
        for act, host in (
            (self.live_migrate, 'xen2'),
            (self.cold_migrate, 'xen1'),
            (self.evacuate, 'xen2'),
        ):
            act(server)
            self.assertEqual(host, self.host_of(server))
        self.shelve_offload(server)
        self.unshelve(server)
        self.assertEqual('xen2', self.host_of(server))
        # nowhere to go: the only other host runs PV guests
        self.live_migrate(server, fails='NoValidHost')
        self.assertEqual('xen2', self.host_of(server))
        self.assertEqual('ACTIVE', self.api.get_server(server['id'])['status'])

    def test_rebuild_is_judged_too(self):
        self.start_hosts(
            [hosts.xen('pv', 'xen-4.14-pv-only', **sized('large'))]
        )
        pv = self.create_image('pv', **PV)
        server = self.assert_boots_on('pv', pv)
        hvm = self.create_image('hvm', **HVM)
        self.rebuild(server, hvm, fails='NoValidHost')
        self.rebuild(server, self.create_image('pv2', **PV))

    def test_hypervisor_version(self):
        self.start_hosts(
            [
                hosts.xen('new', 'xen-4.17-hvm', **sized('small')),
                hosts.xen('old', 'xen-4.14-hvm', **sized('large')),
            ]
        )
        required = {'hypervisor_version_requires': '>=4.15'}
        image = self.create_image('new', **dict(HVM, **required))
        self.assert_boots_on('new', image)
        self.assert_boots_on('old', self.create_image('any', **HVM))

    def test_forced_host_skips_the_filter(self):
        """What docs say can't be had."""
        self.start_hosts(
            [hosts.xen('pv', 'xen-4.14-pv-only'), hosts.xen('xen')]
        )
        hvm = self.create_image('hvm', **HVM)
        self.assert_boots_on('pv', hvm, az='nova:pv')
        self.assertEqual([], self.asked)
        self.assert_no_host(hvm, host='pv')


class TestDefaultVMModeHVM(FilterCase):
    NOVA_CONF = conf('default_vm_mode = hvm')

    def test_no_mode_goes_where_hvm_runs(self):
        self.start_hosts(
            [
                hosts.xen('pv', 'xen-4.14-pv-only', **sized('large')),
                hosts.xen('xen', **sized('small')),
            ]
        )
        self.assert_boots_on('xen', self.create_image('mode?', **XEN))


class TestSitePolicies(FilterCase):
    NOVA_CONF = conf(
        'require_hypervisor_type = true', 'disk_formats = raw,qcow2,vhd'
    )

    def setUp(self):
        super().setUp()
        self.start_hosts(
            [
                hosts.xen('xen', **sized('large')),
                hosts.xen('xen2', **sized('middle')),
                hosts.kvm('kvm', **sized('small')),
            ]
        )

    @pytest.mark.smoke
    def test_untyped_images_go_elsewhere(self):
        self.assert_boots_on('kvm', self.create_image('untyped'))
        self.assert_boots_on('xen', self.create_image('typed', **HVM))

    def test_formats(self):
        vmdk = self.create_image('vmdk', 'vmdk', **HVM)
        self.assert_no_host(vmdk)
        self.assert_boots_on('xen', vmdk, volume=True)
        self.assert_boots_on('xen', vmdk, volume='existing')
        self.assert_boots_on('xen', self.create_image('vhd', 'vhd', **HVM))

    def test_a_forged_rebuild_hint_skips_nothing(self):
        vmdk = self.create_image('vmdk', 'vmdk', **HVM)
        self.assert_no_host(vmdk, hints={'_nova_check_type': 'rebuild'})
        # nova 34's API drops such hints, nova 22's passes them on
        if version.version_string().startswith('22.'):
            self.assertEqual(FORGED, self.asked[-1].scheduler_hints)

    def test_a_hint_forged_behind_the_api_skips_nothing(self):
        """On every nova: put in where the request reaches the filters."""
        vmdk = self.create_image('vmdk', 'vmdk', **HVM)

        def forge(asked):
            asked.spec.scheduler_hints = dict(FORGED)

        self.on_asked = forge
        self.assert_no_host(vmdk)
        self.assertEqual(FORGED, self.asked[-1].spec.scheduler_hints)

    def test_guests_that_exist_are_not_stranded(self):
        """They came when the site had other policies."""
        self.rewrite_conf(conf())
        server = self.boot(self.create_image('old', 'vmdk'))
        if self.host_of(server) == 'kvm':
            self.fail('the guest must start on a Xen host')
        self.rewrite_conf(self.NOVA_CONF)
        there, back = ('xen', 'xen2')
        self.assertEqual(there, self.host_of(server))
        self.live_migrate(server, host=back)
        self.cold_migrate(server, host=there)
        self.resize(server, self.create_flavor(ram=1024))
        self.shelve_offload(server)
        self.unshelve(server)
        # a rebuild brings a new image, which must keep to the policies
        another = self.create_image('another', 'vmdk')
        if self.host_of(server) != 'kvm':
            self.rebuild(server, another, fails='NoValidHost')


class TestReportOnly(FilterCase):
    NOVA_CONF = conf('report_only = all')

    def test_it_refuses_nothing_and_says_what_it_would(self):
        self.start_hosts([hosts.xen('pv', 'xen-4.14-pv-only')])
        hvm = self.create_image('hvm', **HVM)
        self.assert_boots_on('pv', hvm)
        self.assertIn(
            'XenHostFilter: 1 of 1 hosts left for instance', self.log
        )
        self.assertIn('report_only: vm_mode=1', self.log)

    def test_sighup_ends_it(self):
        self.start_hosts([hosts.xen('pv', 'xen-4.14-pv-only')])
        hvm = self.create_image('hvm', **HVM)
        self.assert_boots_on('pv', hvm)
        self.rewrite_conf(conf('report_only = hypervisor_type'))
        self.assert_no_host(hvm)
        # a wrong value leaves the last good ones in force
        self.rewrite_conf(conf('report_only = vm_mod'))
        self.assert_no_host(hvm)
        self.assertIn('[xen_scheduler] report_only has a wrong', self.log)
        self.rewrite_conf(conf('report_only = vm_mode'))
        self.assert_boots_on('pv', hvm)


class TestWrongValueAtStart(FilterCase):
    NOVA_CONF = conf('default_vm_mode = pvh')

    def _start(self, name, **kwargs):
        if name != 'scheduler':
            return super()._start(name, **kwargs)
        stopped = self.assertRaises(SystemExit, super()._start, name)
        self.assertIn('[xen_scheduler] default_vm_mode', str(stopped))
        self.assertIn("'pvh'; allowed: xen, hvm or any", str(stopped))
        self.stopped = True
        return None

    def test_nova_scheduler_does_not_start(self):
        self.assertTrue(self.stopped)


class TestWhatTheSchedulerIsAsked(cloud.Cloud):
    """The recording on which the table "operation x rule" rests."""

    def setUp(self):
        super().setUp()
        self.start_hosts(
            [
                hosts.xen('a', **sized('large')),
                hosts.xen('b', **sized('middle')),
                hosts.xen('c', **sized('small')),
            ]
        )
        self.image = self.create_image('hvm', **HVM)
        self.told = []
        self.on_asked = self.tell

    def tell(self, asked):
        kinds = request.kinds_of(asked.spec)
        taken_for = '/'.join(sorted(str(kind) for kind in kinds))
        if kinds == request.ANY_MOVE:
            taken_for = 'a move: %s' % requests.kind_in_cell(asked.spec, 5)()
        self.told.append((asked.during, taken_for))

    def kinds(self):
        """What each request was taken for, and what its cell told."""
        return list(self.told)

    def test_kinds_of_requests(self):
        server = self.boot(self.image)
        self.boot(self.image, volume=True)
        self.boot(self.image, host='b')
        self.boot(self.image, hints={'_nova_check_type': 'rebuild'})
        self.live_migrate(server)
        self.live_migrate(server, host='a')
        self.cold_migrate(server)
        self.resize(server, self.create_flavor(ram=1024))
        self.rebuild(server, self.create_image('other', **HVM))
        self.shelve_offload(server)
        self.unshelve(server)
        self.evacuate(server)
        self.assertEqual(
            [
                ('boot', 'boot'),
                ('boot', 'boot'),
                ('boot', 'boot'),
                ('boot', 'boot'),
                ('live_migrate', 'a move: live migration'),
                ('live_migrate', 'a move: live migration'),
                ('cold_migrate', 'a move: move'),
                ('resize', 'a move: move'),
                ('rebuild', 'rebuild'),
                ('unshelve', 'move'),
                ('evacuate', 'a move: evacuation'),
            ],
            self.kinds(),
        )

    def test_moves_to_a_named_host(self):
        server = self.boot(self.image)
        self.live_migrate(server, host='b')
        self.cold_migrate(server, host='a')
        self.evacuate(server, host='c')
        self.assertEqual(
            [
                ('boot', 'boot'),
                ('live_migrate', 'a move: live migration'),
                ('cold_migrate', 'a move: move'),
                ('evacuate', 'a move: evacuation'),
            ],
            self.kinds(),
        )

    def test_a_resize_that_may_stay_where_it_is(self):
        self.flags(allow_resize_to_same_host=True)
        server = self.boot(self.image)
        self.resize(server, self.create_flavor(ram=1024))
        (_, kind) = self.kinds()[-1]
        self.assertIn(kind, ('move', 'a move: move'))

    def test_a_forged_hint_that_is_stored_with_the_guest(self):
        """As nova 22 does; nova 34's API drops it."""
        for hint in ('rebuild', 'live_migrate'):
            self.told.clear()
            server = self.boot(self.image, hints={'_nova_check_type': hint})
            self.live_migrate(server)
            self.cold_migrate(server)
            self.shelve_offload(server)
            self.unshelve(server)
            self.evacuate(server)
            kinds = [
                (hint, during, kind.replace('a move: ', ''))
                for during, kind in self.kinds()
            ]
            self.assertEqual(
                [
                    (hint, 'boot', 'boot'),
                    (hint, 'live_migrate', 'live migration'),
                    (hint, 'cold_migrate', 'move'),
                    (hint, 'unshelve', 'move'),
                    (hint, 'evacuate', 'evacuation'),
                ],
                kinds,
            )

    def test_multi_create_asks_for_each_server(self):
        self.boot(self.image, count=3)
        self.assertEqual([0, 1, 2], [a.index for a in self.asked][:3])
        self.assertEqual({'boot'}, {kind for _, kind in self.kinds()})
