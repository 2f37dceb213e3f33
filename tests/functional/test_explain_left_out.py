# SPDX-License-Identifier: Apache-2.0

"""explain names what leaves hosts out, where placement only says none."""

from __future__ import annotations

import tests.functional  # noqa: F401  before any other import of nova

# isort: split
from unittest import mock

import nova.conf
from nova.scheduler.client import report
import os_traits
from oslo_utils import uuidutils
import yaml

from tests.functional import cases
from tests.functional import cloud
from tests.functional.test_explain import ExplainCloud
from tests.functional.test_explain import Explaining
from tests.functional.test_explain import HVM
from tests.functional.test_explain import SMALL
from tests.unit.cmd import schemas

CONF = nova.conf.CONF

TRAIT = os_traits.HW_CPU_X86_AVX512F


class LeftOutTest(Explaining, cloud.SharedCloud):
    CLOUD = ExplainCloud

    def rows(self, *arguments, code=0):
        ran = self.explain('-f', 'json', *arguments, code=code)
        schemas.check('explain', ran.json)
        return {row['host']: row for row in ran.json['hosts']}

    def causes(self, *arguments, code=1):
        """By code: those of the outcome, of placement's step."""
        ran = self.explain('-f', 'json', *arguments, code=code)
        schemas.check('explain', ran.json)
        return {
            (cause['code'], cause['name']): cause
            for step in ran.json['outcome']['steps']
            if step['step'] == 'placement'
            for cause in step['causes']
        }

    def aggregate(self, name, *names, **metadata):
        aggregate = self.create_aggregate(
            name,
            names,
            {key.replace('__', ':'): value for key, value in metadata.items()},
        )
        self.addCleanup(self.api.delete_aggregate, aggregate)
        for each in names:
            self.addCleanup(
                self.api.post_aggregate_action,
                aggregate,
                {'remove_host': {'host': each}},
            )

    def give_trait(self, *names):
        for name in names:
            uuid = self._get_provider_uuid_by_host(name)
            before = self._get_provider_traits(uuid)
            self._set_provider_traits(uuid, [*before, TRAIT])
            self.addCleanup(self._set_provider_traits, uuid, before)

    def test_each_resource_that_is_short(self):
        # xen-tiny has 1024 MiB of which 512 are reserved, all have 500 GiB.
        found = self.causes('--ram=31000', '--disk=2000')
        disk = found['resource', 'DISK_GB']
        self.assertEqual(
            (2000, 500, 'GiB', 22),
            (disk['asked'], disk['most_free'], disk['unit'], disk['hosts']),
        )
        memory = found['resource', 'MEMORY_MB']
        # xen-a1 to a5 have 31744 MiB and less.
        self.assertEqual(
            (31000, 30208, 'MiB', 'xen-a2', 5),
            tuple(
                memory[key]
                for key in ('asked', 'most_free', 'unit', 'host', 'hosts')
            ),
        )
        self.assertEqual(2, len(found))
        # For whom the image is not, kvm-0, has no part in it.
        found = self.causes(*HVM, '--ram=999999')
        memory = found['resource', 'MEMORY_MB']
        self.assertEqual(('xen-a0', 22), (memory['host'], memory['hosts']))
        out = self.explain('--ram=31000', '--disk=2000', code=1).out
        self.assertIn(
            'the request needs 31000 MiB; the most that is free is 30208 MiB',
            ' '.join(out.split()),
        )

    def test_more_than_one_guest_may_have(self):
        # Of 16 CPUs four times as many are allowed, but 16 for one guest.
        asked = []
        get = report.SchedulerReportClient.get

        def noting(client, url, *args, **kwargs):
            asked.append(url)
            return get(client, url, *args, **kwargs)

        with mock.patch.object(report.SchedulerReportClient, 'get', noting):
            found = self.causes('--vcpus=20')
        # However many hosts there are.
        self.assertLess(len(asked), 20)
        vcpus = found['resource', 'VCPU']
        self.assertEqual((20, 16), (vcpus['asked'], vcpus['most_free']))
        out = self.explain('--vcpus=20', code=1).out
        self.assertIn('the most that one guest can get is 16 vCPUs', out)

    def test_a_resource_that_hosts_share(self):
        self.placement.put(
            '/resource_classes/CUSTOM_LICENCE', {}, version='1.7'
        )
        shared = self._post_resource_provider('licences')['uuid']
        self._set_inventory(
            shared,
            {
                'resource_class': 'CUSTOM_LICENCE',
                'total': 3,
                'resource_provider_generation': 0,
            },
        )
        self._set_provider_traits(shared, ['MISC_SHARES_VIA_AGGREGATE'])
        aggregate = uuidutils.generate_uuid()
        self._set_aggregate(shared, aggregate)
        for name in ('xen-a0', 'xen-a1'):
            uuid = self._get_provider_uuid_by_host(name)
            before = self._get_provider_aggregates(uuid)
            self.assertEqual([], before)
            self._set_aggregate(uuid, aggregate)
        key = 'resources:CUSTOM_LICENCE'
        flavor = self.create_flavor(extra_specs={key: '3'})
        rows = self.rows('--flavor', flavor, *HVM)
        self.assertEqual(
            {'xen-a0', 'xen-a1'}, {h for h, r in rows.items() if r['rank']}
        )
        (cause,) = rows['xen-a2']['causes']
        self.assertEqual(
            ('CUSTOM_LICENCE', 3, 0, None),
            tuple(cause[key] for key in ('name', 'asked', 'free', 'unit')),
        )
        flavor = self.create_flavor(extra_specs={key: '5'})
        short = self.causes('--flavor', flavor, *HVM)[
            'resource', 'CUSTOM_LICENCE'
        ]
        self.assertEqual((22, 3), (short['hosts'], short['most_free']))
        self.assertIn(short['host'], ('xen-a0', 'xen-a1'))

    def test_traits_that_are_required_and_forbidden(self):
        self.give_trait('xen-a0', 'kvm-0')
        flavor = self.create_flavor(extra_specs={'trait:' + TRAIT: 'required'})
        rows = self.rows('--flavor', flavor, *HVM)
        self.assertEqual(['xen-a0'], [h for h, r in rows.items() if r['rank']])
        (cause,) = rows['xen-a1']['causes']
        self.assertEqual(
            ('trait', TRAIT, True),
            (cause['code'], cause['name'], cause['required']),
        )
        flavor = self.create_flavor(
            extra_specs={'trait:' + TRAIT: 'forbidden'}
        )
        rows = self.rows('--flavor', flavor, *HVM)
        (cause,) = rows['xen-a0']['causes']
        self.assertIs(False, cause['required'])
        self.assertEqual([], rows['xen-a1']['causes'])

    def test_names_that_placement_does_not_know(self):
        """nova gets an error of them, and finds no host."""
        trait = self.create_flavor(
            extra_specs={'trait:CUSTOM_NOPE': 'required'}
        )
        found = self.causes(*HVM, '--flavor', trait)
        self.assertEqual([('trait', 'CUSTOM_NOPE')], list(found))
        out = self.explain(*HVM, '--flavor', trait, code=1).out
        self.assertIn(
            'No valid host. Of 22 hosts: all without the required trait '
            'CUSTOM_NOPE.',
            ' '.join(out.split()),
        )
        self.assertIn('placement knows no CUSTOM_NOPE', out)
        self.assertIn('\n    openstack trait list\n', out)
        thing = self.create_flavor(extra_specs={'resources:CUSTOM_THING': '3'})
        found = self.causes(*HVM, '--flavor', thing)
        self.assertEqual([('resource', 'CUSTOM_THING')], list(found))
        image = self.create_image('hvm', **cases.HVM)
        server = self.boot(image, trait, wait='ERROR')
        self.addCleanup(self.delete, server)

    def test_an_aggregate_for_guests_with_a_trait(self):
        self.flags(enable_isolated_aggregate_filtering=True, group='scheduler')
        self.aggregate('fast', 'xen-a0', **{'trait__' + TRAIT: 'required'})
        row = self.rows(*HVM, *SMALL)['xen-a0']
        (cause,) = row['causes']
        self.assertEqual(
            ('aggregate', False, ['fast']),
            (cause['code'], cause['required'], cause['aggregates']),
        )
        self.assertIn('only guests that require %s' % TRAIT, row['why'])

    def test_an_aggregate_of_a_project(self):
        self.flags(
            limit_tenants_to_placement_aggregate=True, group='scheduler'
        )
        project = uuidutils.generate_uuid(dashed=False)
        self.aggregate('theirs', 'xen-a0', filter_tenant_id=project)
        asked = (*HVM, *SMALL, '--project', project)
        row = self.rows(*asked)['xen-a1']
        (cause,) = row['causes']
        self.assertEqual(
            ('project', project, ['theirs']),
            (cause['code'], cause['name'], cause['aggregates']),
        )
        self.assertIn(
            'Not in theirs, the aggregate of project %s, 21:' % project,
            ' '.join(self.explain(*asked).out.split()),
        )
        self.flags(
            placement_aggregate_required_for_tenants=True, group='scheduler'
        )
        other = uuidutils.generate_uuid(dashed=False)
        out = self.explain(*SMALL, '--project', other, code=1).out
        self.assertIn(
            'all without an aggregate for project %s.' % other,
            ' '.join(out.split()),
        )

    def test_filters_of_aggregates(self):
        self.flags(
            enabled_filters=[
                'AggregateInstanceExtraSpecsFilter',
                'AggregateImagePropertiesIsolation',
            ],
            group='filter_scheduler',
        )
        self.aggregate('fast', 'xen-a0', 'xen-a1', ssd='true', os_type='linux')
        self.aggregate('windows', 'xen-a1', os_type='windows')
        self.aggregate('apart', 'xen-a2', ssd='true', os_type='windows')
        flavor = self.create_flavor(
            extra_specs={
                'aggregate_instance_extra_specs:ssd': 'true',
                'hw:mem_page_size': 'any',
            }
        )
        asked = (*HVM, '--property=os_type=linux', '--flavor', flavor)
        rows = self.rows(*asked)
        self.assertEqual(
            {'xen-a0', 'xen-a1'}, {h for h, r in rows.items() if r['rank']}
        )
        for name, required, metadata, names in (
            ('xen-a2', False, 'os_type=windows', ['apart']),
            ('xen-a3', True, 'ssd=true', []),
        ):
            (cause,) = rows[name]['causes']
            self.assertEqual(
                ('aggregate_metadata', metadata, required, names),
                tuple(
                    cause[key]
                    for key in ('code', 'name', 'required', 'aggregates')
                ),
            )
        out = self.explain(*asked).out
        self.assertIn('  In no aggregate with ssd=true, 19: kvm-0, ', out)
        self.assertIn(
            'In apart, an aggregate for images with os_type=windows', out
        )

    def test_a_zone_that_a_host_is_not_in(self):
        if 'query_placement_for_availability_zone' in CONF.scheduler:
            # nova 22 leaves it to a filter, unless it is told to.
            self.flags(
                query_placement_for_availability_zone=True, group='scheduler'
            )
        self.aggregate('zone', 'xen-a3', availability_zone='z1')
        rows = self.rows(*HVM, *SMALL, '--availability-zone=z1')
        for name, row in rows.items():
            if name != 'xen-a3':
                cause = row['causes'][0]
                self.assertEqual(
                    ('availability_zone', 'z1'), (cause['code'], cause['name'])
                )
        self.assertEqual(
            ['availability_zone', 'resource'],
            [each['code'] for each in rows['xen-tiny']['causes']],
        )
        out = self.explain(
            *(*HVM, *SMALL, '--availability-zone=z1:xen-a0'), code=1
        ).out
        self.assertIn('Not in availability zone z1, 1: xen-a0', out)
        self.assertNotIn('in_tree', out)
        said = self.fails(*SMALL, '--availability-zone=nova:xen-q')
        self.assertIn('bound to host xen-q, which does not exist', said)
        self.assertNotIn('lacement', said)

    def test_a_host_that_is_down(self):
        service = self.api.get_services(binary='nova-compute', host='xen-down')
        self.addCleanup(
            self.api.put_service_force_down, service[0]['id'], False
        )
        self.stop_host('xen-down')
        row = self.rows(*HVM, *SMALL)['xen-down']
        self.assertEqual('ComputeFilter', row['step'])
        self.assertEqual(['down'], [each['code'] for each in row['causes']])
        self.assertEqual('its nova-compute is down', row['why'])
        # Filters would see it.
        ran = self.explain(
            *(*HVM, *SMALL, '--availability-zone=nova:xen-down', '-f', 'json')
        )
        codes = [each['code'] for each in ran.json['outcome']['notes']]
        self.assertEqual(
            ['forced_host', 'forced_host_down', 'not_weighed'], codes
        )

    def test_a_hint_appears_where_it_helps(self):
        hint = "correct the image's img_hv_type"
        self.assertNotIn(hint, self.explain(*HVM, *SMALL).out)
        # Xen hosts would do, if they had the trait.
        self.give_trait('kvm-0')
        flavor = self.create_flavor(extra_specs={'trait:' + TRAIT: 'required'})
        rows = self.rows(*HVM, '--flavor', flavor, code=1)
        self.assertEqual('XenHostFilter', rows['kvm-0']['step'])
        self.assertEqual('', rows['kvm-0']['reasons'][0]['remedy'])
        out = self.explain(
            '--property=hypervisor_type=hyperv', *SMALL, code=1
        ).out
        self.assertIn(hint, out)

    def test_a_server_by_name(self):
        server = self.booted('xen-t0')
        asked = ('--operation=live-migrate', '--server')
        expected = self.rows(*asked, server['id'])
        self.assertEqual(expected, self.rows(*asked, 'guest'))
        self.assertIn(
            'no server with the name or id gues', self.fails(*asked, 'gues')
        )
        other = self.booted('xen-t1')
        said = self.fails(*asked, 'guest')
        for each in (server, other):
            self.assertIn(each['id'], said)
        self.assertIn('More than one server has the name guest', said)
        said = self.fails(*asked, 'gu?s*')
        self.assertIn('More than one server has a name like gu?s*', said)
        self.assertIn('guest (%s)' % server['id'], said)
        odd = self.booted('xen-t0')
        self.api.put_server(odd['id'], {'server': {'name': 'a.b[1]*'}})
        expected = self.rows(*asked, odd['id'])
        # A name that looks like a pattern, and patterns of it.
        for name in ('a.b[1]*', 'a.b*', '?.b[1]?'):
            self.assertEqual(expected, self.rows(*asked, name))
        for name in ('a?b', 'aXb*', 'A.B*'):
            self.assertIn('no server with the name', self.fails(*asked, name))

    def test_hosts_by_wildcard(self):
        rows = self.rows(*HVM, *SMALL, '--host=XEN-T?')
        self.assertEqual({'xen-t0', 'xen-t1'}, set(rows))
        out = self.explain(*HVM, *SMALL, '--host=xen-t*').out
        self.assertIn(
            'xen-t0 has rank 3 of 10, tied with xen-down, xen-t1', out
        )
        self.assertIn(
            'xen-t1 has rank 3 of 10, tied with xen-down, xen-t0', out
        )
        self.assertIn('No host matches nope*', self.fails('--host=nope*'))

    def test_the_sizes_have_defaults(self):
        self.assertEqual(
            self.rows(*HVM, '--ram=2048', '--vcpus=1', '--disk=20'),
            self.rows(*HVM),
        )
        self.assertEqual(
            self.rows(*HVM, '--ram=4096', '--vcpus=1', '--disk=20'),
            self.rows(*HVM, '--ram=4096'),
        )

    def test_programs_are_told_what_nova_refuses(self):
        server = self.booted('xen-t0')
        asked = ('--server', server['id'], '--operation=evacuate')
        for name in ('json', 'yaml'):
            ran = self.explain('-f', name, *asked, code=1)
            found = yaml.safe_load(ran.out)
            schemas.check('explain', found)
            (refusal,) = found['outcome']['nova_refuses']
            self.assertEqual('compute_up', refusal['code'])
            self.assertEqual('', ran.err)
        ran = self.explain('-f', 'json', '-c', 'host', *asked, code=1)
        self.assertIn({'host': 'xen-t1'}, ran.json['hosts'])
