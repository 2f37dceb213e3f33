# SPDX-License-Identifier: Apache-2.0

"""Traits published to a real placement, beside a real nova that writes too."""

from __future__ import annotations

import tests.functional  # noqa: F401  before any other import of nova

# isort: split
from unittest import mock

import fixtures

from nova_xen_sched import provider
from nova_xen_sched.cmd import cloud
from nova_xen_sched.cmd.facts import nova_api
from nova_xen_sched.cmd.image import hosts as image_hosts
from nova_xen_sched.cmd.nova import images
from tests.functional import hosts
from tests.functional.cases import conf
from tests.functional.cases import HVM
from tests.functional.cases import sized
from tests.functional.test_publish import PublishCase
from tests.unit.cmd import schemas

LOAD = 'nova_xen_sched.cmd.nova.configuration.load'
DISABLED = 'COMPUTE_STATUS_DISABLED'
FACTS = {'xen_libvirt_version': '9.0.0', 'xen_version': '4.17.5'}
PV_ONLY = (('x86_64', 'xen', 'xen'),)


class TestPublishTraits(PublishCase):
    # What a host's service proves is left out: else all is known of each.
    NOVA_CONF = conf('fact_sources = stats,file,aggregate')

    def setUp(self):
        super().setUp()
        # nova can't load a second configuration in one process.
        self.useFixture(fixtures.MonkeyPatch(LOAD, lambda *arguments: None))

    def start_hosts(self, profiles):
        return super().start_hosts(
            [
                hosts.xen('a', stats=FACTS, **sized('large')),
                hosts.xen('b', **sized('small')),
                hosts.kvm('kvm'),
            ]
        )

    def traits(self, host):
        uuid = self._get_provider_uuid_by_host(host)
        return set(self._get_provider_traits(uuid))

    def ours(self, host):
        return self.traits(host) & set(provider.TRAITS)

    def set_traits(self, host, *names):
        uuid = self._get_provider_uuid_by_host(host)
        self._set_provider_traits(uuid, [*self.traits(host), *names])

    def publish(self, *options, code=0, cloud='admin', file=False):
        rows = super().publish(
            '--traits', *options, code=code, cloud=cloud, file=file
        )
        if rows is not None:
            schemas.check('facts-publish', rows)
        return rows

    def disable(self, host):
        found = self.api.get_services(host=host, binary='nova-compute')
        self.api.put_service(found[0]['id'], {'status': 'disabled'})
        self.assertIn(DISABLED, self.traits(host))

    def test_from_nothing_to_all_and_back(self):
        before = {each: self.traits(each) for each in self.computes}
        names = set(self._get_all_traits())
        # b has no fact of libvirt: one of its traits is unknown.
        planned = self.publish(code=1)
        self.assertEqual({'planned'}, {row['result'] for row in planned})
        self.assertEqual(names, set(self._get_all_traits()))
        self.assertIn(
            '\n  CUSTOM_XEN_LIVE_MIGRATION: stays not set (unknown: ',
            self.said,
        )
        done = self.publish('--apply', code=1)
        self.assertEqual([dict(row, result='done') for row in planned], done)
        self.assertEqual(
            list(provider.TRAITS), [row['trait'] for row in done[:3]]
        )
        self.assertEqual(
            {
                'a': before['a'] | set(provider.TRAITS),
                'b': before['b'] | {provider.HVM, provider.PV},
                'kvm': before['kvm'],
            },
            {each: self.traits(each) for each in self.computes},
        )
        self.assertEqual([], self.publish('--apply', code=1))
        self.assertIn('Changes made: 0.', self.said)
        self.publish('--apply', '--prune')
        self.assertEqual(
            before, {each: self.traits(each) for each in self.computes}
        )
        self.assertLessEqual(set(provider.TRAITS), set(self._get_all_traits()))

    def test_others_traits_stay_those_of_a_disabled_host_above_all(self):
        self._create_trait('CUSTOM_SITE')
        self.set_traits('a', 'CUSTOM_SITE')
        self.disable('a')
        before = self.traits('a')
        self.publish('--apply', code=1)
        self.assertEqual(before | set(provider.TRAITS), self.traits('a'))
        self.publish('--apply', '--prune')
        self.assertEqual(before, self.traits('a'))

    def test_a_trait_goes_on_evidence_alone(self):
        self.publish('--apply', code=1)
        # It never said what it can run, or can't be reached any more.
        self.change_host(hosts.xen('a').but(supported_instances=()))
        self.publish('--apply', code=1)
        self.assertIn('stays set (unknown: ', self.said)
        self.assertEqual(set(provider.TRAITS), self.ours('a'))
        self.computes['b'].stop()
        self.publish('--apply', code=1)
        self.assertEqual({provider.HVM, provider.PV}, self.ours('b'))
        self.change_host(
            hosts.xen('a', stats={'xen_libvirt_version': '1.2.5'}).but(
                supported_instances=PV_ONLY
            )
        )
        self.publish('--apply', code=1)
        self.assertEqual({provider.PV}, self.ours('a'))
        self.assertIn('set -> not set (the host offers no HVM', self.said)

    def test_a_writer_beside_it(self):
        real = nova_api.Nova.set_traits
        calls = []

        def beaten(cloud, uuid, generation, names):
            calls.append(uuid)
            if calls.count(uuid) <= times:
                self._create_trait('CUSTOM_SITE_%d' % len(calls))
                now = self._get_provider_traits(uuid)
                self._set_provider_traits(
                    uuid, [*now, 'CUSTOM_SITE_%d' % len(calls)]
                )
            real(cloud, uuid, generation, names)

        with mock.patch.object(nova_api.Nova, 'set_traits', beaten):
            times = 9
            rows = self.publish('--apply', code=1)
            left = [row for row in rows if row['result'] == 'left']
            self.assertEqual(5, len(left))
            self.assertIn('placement answers 409', left[0]['reason'])
            self.assertIn('Run it again.', self.said)
            self.assertEqual(set(), self.ours('a'))
            calls.clear()
            times = 1
            rows = self.publish('--apply', code=1)
            self.assertEqual({'done'}, {row['result'] for row in rows})
        self.assertLessEqual(
            {'CUSTOM_SITE_1', *provider.TRAITS}, self.traits('a')
        )

    def test_what_nova_compute_xen_reports_is_left_alone(self):
        stats = {**FACTS, 'xen_reported_by': 'nova-compute-xen 0.1.0'}
        self.change_host(hosts.xen('a', stats=stats))
        self.publish('--apply', code=1)
        self.assertEqual(set(), self.ours('a'))
        self.assertIn(
            'a\n  CUSTOM_XEN_HVM: stays not set, though the host offers HVM '
            'guests; nova-compute-xen 0.1.0 reports it\n',
            self.said,
        )
        self.set_traits('a', *provider.TRAITS)
        self.publish('--apply', '--prune')
        self.assertEqual(set(provider.TRAITS), self.ours('a'))

    def test_traits_that_a_server_requires_are_not_withdrawn(self):
        self.publish('--apply', code=1)
        required = {'trait:%s' % provider.HVM: 'required'}
        of_image = self.assert_boots_on(
            'a', self.create_image('hvm', **HVM, **required)
        )
        image = self.create_image('other', **HVM)
        flavor = self.create_flavor(extra_specs=required)
        of_flavor = self.assert_boots_on('a', image, flavor)
        self.assert_boots_on('a', image)
        before = self.ours('a')
        for server in (of_image, of_flavor):
            self.assertIsNone(self.publish('--apply', '--prune', code=2))
            self.assertIn(
                'for 1 server' if server is of_flavor else 'for 2 servers',
                self.said,
            )
            self.assertIn(server['id'], self.said)
            self.assertEqual(before, self.ours('a'))
            self.delete(server)
        self.publish('--apply', '--prune')
        self.assertEqual(set(), self.ours('a'))

    def test_what_image_check_reads_of_it(self):
        self.publish('--apply', code=1)
        self.set_traits('kvm', provider.HVM)
        connection = cloud.connect('admin')
        uuids = {
            each: self._get_provider_uuid_by_host(each)
            for each in self.computes
        }
        types = images.hypervisor_types(connection)
        self.assertEqual(set(uuids.values()), set(types))
        found = image_hosts.Hosts(connection, types)
        xen = {uuids['a'], uuids['b']}
        self.assertEqual(xen, found.xen)
        self.assertEqual({uuids['kvm']}, found.others)
        self.assertEqual(set(uuids.values()), found.having(provider.HVM))
        self.assertEqual(xen, found.having(provider.PV))
        self.assertEqual({uuids['a']}, found.having(provider.LIVE_MIGRATION))
        for trait in ('CUSTOM_OF_NOBODY', 'no trait & no name'):
            self.assertIsNone(found.having(trait))

    def test_usage_and_a_cloud_that_is_another(self):
        self.assertIsNone(self.publish('--from-placement', code=2))
        self.assertIn('--traits goes without --from-file', self.said)
        self.assertIsNone(self.publish('--apply', cloud='alone', code=2))
        self.assertIn('Asking placement: Unable to establish', self.said)
        self.assertIsNone(self.publish('--apply', cloud='reader', code=2))
        self.assertIn('placement answers 403', self.said)
        with mock.patch.object(
            nova_api.Nova, 'providers', return_value=frozenset('x')
        ):
            self.assertIsNone(self.publish('--apply', code=2))
        self.assertIn('is it of another cloud?', self.said)
