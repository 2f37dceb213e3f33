# SPDX-License-Identifier: Apache-2.0


"""nova-xen-sched-status upgrade check against a real nova of 21 computes."""

from __future__ import annotations

import tests.functional  # noqa: F401  before any other import of nova

# isort: split
import contextlib
import dataclasses
from importlib import metadata
import io
import json
import os
import pathlib
from unittest import mock

from keystoneauth1 import exceptions as ks_exceptions
import nova.conf
from oslo_db import exception as db_exception
import pytest

from nova_xen_sched.cmd.nova import configuration
from nova_xen_sched.cmd.nova import xen_hosts as view_hosts
from nova_xen_sched.cmd.upgrade_check import command
from tests.functional import hosts
from tests.functional.cases import conf
from tests.functional.cases import FilterCase
from tests.functional.cases import HVM
from tests.unit.cmd import schemas

pytestmark = pytest.mark.commands

CONF = nova.conf.CONF

FINE, WARNING, FAILURE = range(3)
ISOLATION = 'AggregateImagePropertiesIsolation'
FACTS = 'version: 1\nhosts:\n  xen-00: {libvirt_version: "9.0.0"}\n'
WELL = """
[DEFAULT]
reserved_host_memory_mb = 4096
[filter_scheduler]
weight_classes = nova.scheduler.weights.all_weighers,\
nova_xen_sched.weights.all_weighers
"""
STATS = {
    'xen_libvirt_version': '9.0.0',
    'xen_version': '4.17.5',
    'xen_dom0_memory_mb': '4096',
    'xen_dom0_vcpus': '8',
}


def well(*options):
    return conf(*options) + WELL


class TestStatus(FilterCase):
    NOVA_CONF = well()

    def setUp(self):
        super().setUp()
        self.start_hosts(
            [hosts.xen('xen-%02d' % n, stats=STATS) for n in range(20)]
            + [hosts.kvm('kvm')]
        )
        self.facts = pathlib.Path(os.path.join(self._folder, 'facts.yaml'))
        self.facts.write_text(FACTS)

    def checked(self, *argv):
        """The exit code, and each check's (code, details)."""
        out = io.StringIO()
        with mock.patch.object(
            configuration, 'load'
        ), contextlib.redirect_stdout(out):
            code = command.main(['upgrade', 'check', '--json', *argv])
        schemas.check('upgrade-check', json.loads(out.getvalue()))
        self.by_code = {
            each['code']: each for each in json.loads(out.getvalue())['checks']
        }
        found = {
            each['check']: (
                each['result'],
                ' Remedy: '.join(
                    filter(None, (each['details'], each['remedy']))
                ),
            )
            for each in json.loads(out.getvalue())['checks']
        }
        for result, details in found.values():
            # Every failure says what to do.
            if result == FAILURE and len(found) > 1:
                self.assertRegex(details, 'Remedy: |Check the section ')
        self.assertEqual(max(result for result, _ in found.values()), code)
        return code, found

    @contextlib.contextmanager
    def with_options(self, *options):
        self.rewrite_conf(well(*options))
        yield
        self.rewrite_conf(well())

    @contextlib.contextmanager
    def with_flags(self, group='filter_scheduler', **flags):
        """What nova-scheduler reads at its start."""
        for name, value in flags.items():
            CONF.set_override(name, value, group=group)
        yield
        for name in flags:
            CONF.clear_override(name, group=group)

    def assert_only(self, name, result, *words):
        """This check finds something, and all others are well."""
        code, found = self.checked()
        self.assertEqual(result, code, found)
        self.assertEqual(
            {name: result},
            {each: found[each][0] for each in found if found[each][0]},
        )
        for each in words:
            self.assertIn(each, found[name][1])

    def assert_well(self):
        code, found = self.checked()
        self.assertEqual(FINE, code, found)
        return found

    # One cloud for all of them: 21 computes take a while to start.
    def test_each_check(self):
        found = self.assert_well()
        self.assertEqual(22, len(found))
        out = io.StringIO()
        with mock.patch.object(
            configuration, 'load'
        ), contextlib.redirect_stdout(out):
            self.assertEqual(FINE, command.main(['upgrade', 'check']))
        self.assertEqual('22 checks passed.\n', out.getvalue())
        self._check_plugins()
        self._check_options()
        self._check_facts()
        self._check_neighbours()
        self._check_memory()
        self._check_placement()
        self.assert_well()
        self._check_what_is_out_of_reach()

    def _check_plugins(self):
        ours = list(CONF.filter_scheduler.enabled_filters)
        theirs = 'ImagePropertiesFilter'
        with_theirs = [*ours, theirs]
        with self.with_flags(
            enabled_filters=[f for f in ours if f != 'XenHostFilter']
        ):
            self.assert_only('XenHostFilter enabled', FAILURE)
        with self.with_flags(
            weight_classes=['nova.scheduler.weights.all_weighers']
        ):
            self.assert_only('Dom0HeadroomWeigher enabled', WARNING)
        with self.with_flags(enabled_filters=with_theirs):
            self.assert_only(theirs, WARNING, 'take ImagePropertiesFilter out')
            with self.with_options('report_only = all'):
                self.assert_well()
        with self.with_flags(enabled_filters=[theirs, *ours]):
            self.assert_only(theirs, WARNING, 'put XenHostFilter first')
        with self.with_options('report_only = vm_mode'):
            self.assert_only(theirs, FAILURE, 'vm_mode')

    def _check_options(self):
        with self.with_options('min_libvirt = 9.0.0'):
            self.assert_only(
                'Option names', FAILURE, 'nearest: min_libvirt_version'
            )
        refused = 'Hosts that the rules refuse'
        with self.with_options('min_libvirt_version = 10.0.0'):
            self.assert_only(refused, FAILURE, 'libvirt_too_old 20', '0 of 20')
            found = self.by_code['hosts_refused']
            self.assertEqual('no_host_left', found['problem'])
            self.assertEqual(
                ['xen-%02d' % n for n in range(20)], found['hosts']
            )
        with self.with_options(
            'min_libvirt_version = 10.0.0', 'report_only = libvirt_too_old'
        ):
            self.assert_only(refused, WARNING, 'libvirt_too_old (report_only)')

    def _check_facts(self):
        option = 'host_facts_file = %s' % self.facts
        with self.with_options(option):
            found = self.assert_well()
            self.assertIn('1 host, 0 patterns', found['Facts file'][1])
            # Of sha256sum facts.yaml.
            self.assertIn('sha256 ', found['Facts file'][1])
            self.facts.write_text(FACTS.replace('xen-00', 'xen-99'))
            exist = 'Facts for hosts that exist'
            self.assert_only(exist, WARNING, 'xen-99')
            self.facts.write_text(
                'version: 1\npatterns:\n- {match: "zen*", dom0_vcpus: 1}\n'
            )
            self.assert_only(exist, WARNING, 'match no host: entry 1')
            self.facts.write_text('version: 2\n')
            self.assert_only('Facts file', FAILURE, 'it says version: 2')
            self.facts.unlink()
            self.assert_only('Facts file', FAILURE, 'No such file')
            self.facts.write_text(FACTS)
        self.change_host(
            hosts.xen('xen-07', stats=dict(STATS, xen_dom0_vcpus='x'))
        )
        code, found = self.checked()
        self.assertEqual(WARNING, code)
        self.assertIn('dom0_vcpus of 1 (xen-07)', found['Facts known'][1])
        self.assertIn('stats', found['Facts readable and fresh'][1])
        stale = dict(STATS, xen_facts_observed_at='2020-01-01T00:00:00Z')
        self.change_host(hosts.xen('xen-07', stats=stale))
        with self.with_options('facts_max_age = 1'):
            self.assert_only('Facts readable and fresh', WARNING, 'xen-07')
        self.change_host(hosts.xen('xen-07', stats=STATS))

    def _check_neighbours(self):
        name = 'dom0_headroom_weight_multiplier'
        for value in ('0', '-1', '2'):
            with self.with_options('%s = %s' % (name, value)):
                self.assert_only('Multipliers', WARNING, '20 (xen-00')
        option = 'hypervisor_version_weight_multiplier'
        # nova has it from 28 on.
        if option in CONF.filter_scheduler:
            with self.with_flags(**{option: 1.0}):
                self.assert_only(
                    'HypervisorVersionWeigher',
                    WARNING,
                    'avoids Xen hosts',
                    option,
                )
        with self.with_flags('scheduler', max_placement_results=20):
            self.assert_only(
                'max_placement_results', WARNING, '20 of 21 hosts'
            )
        ours = list(CONF.filter_scheduler.enabled_filters)
        with self.with_flags(enabled_filters=[*ours, ISOLATION]):
            self.assert_well()
            self.create_aggregate('racks', ['xen-00'], {'xen:rack': '1'})
            self.assert_only(ISOLATION, WARNING, 'racks')

    def _check_placement(self):
        option = 'image_metadata_prefilter'
        with self.with_flags('scheduler', **{option: True}):
            # nova requires an architecture from 25 on.
            if int(metadata.version('nova').partition('.')[0]) >= 25:
                self.assert_only(
                    option, WARNING, 'HW_ARCH_X86_64: 20 (xen-00', 'false'
                )
                for n in range(20):
                    self.add_traits('xen-%02d' % n, 'HW_ARCH_X86_64')
            self.assert_well()
        option = 'query_placement_for_image_type_support'
        with self.with_flags('scheduler', **{option: True}):
            self.assert_only(
                option, WARNING, 'COMPUTE_IMAGE_TYPE_VHD: 20 (xen', 'convert'
            )
        self._check_required()
        self._check_slots()

    def add_traits(self, host, *names):
        uuid = self._get_provider_uuid_by_host(host)
        for name in names:
            self._create_trait(name)
        now = self._get_provider_traits(uuid)
        self._set_provider_traits(uuid, [*now, *names])

    def _check_required(self):
        trait = 'CUSTOM_XEN_LIVE_MIGRATION'
        self.add_traits('xen-02', trait)
        required = {'trait:' + trait: 'required'}
        image = self.create_image('live', **HVM, **required)
        server = self.assert_boots_on('xen-02', image)
        flavor = self.create_flavor(extra_specs=required)
        self.assert_only(
            trait + ' required',
            WARNING,
            'servers 1 (%s) and by the flavors 1 (' % server['id'],
            'remove the trait',
        )
        self.api.api_delete('/flavors/%s' % flavor)
        self.delete(server)
        self.assert_well()
        image = self.create_image('hvm', **HVM)
        server = self.boot(image)
        host = self.host_of(server)
        site = {'trait:CUSTOM_SITE': 'required'}
        option = 'enable_isolated_aggregate_filtering'
        with self.with_flags('scheduler', **{option: True}):
            self.assert_well()
            self.create_aggregate('site', [host], site)
            self.assert_only(
                option,
                WARNING,
                'CUSTOM_SITE of aggregate site, servers: 1 (%s)'
                % server['id'],
                'resize them',
            )
            self.assertEqual(
                [host], self.by_code['isolated_aggregates']['hosts']
            )
        self.assert_well()
        self.delete(server)

    def _check_slots(self):
        key = 'resources:CUSTOM_XEN_DOM0_SLOT'
        image = self.create_image('hvm', **HVM)
        server = self.boot(image)
        host = self.host_of(server)
        self.assert_well()
        flavor = self.create_flavor(extra_specs={key: '1'})
        self.assert_only(
            'Flavors with a slot of dom0', WARNING, '(1 guest)', key + '=1 '
        )
        self.assertEqual([host], self.by_code['slots']['hosts'])
        self.delete(server)
        self.assert_well()
        self.api.api_delete('/flavors/%s' % flavor)

    def _check_memory(self):
        kept = 'Memory kept for dom0'
        large = dict(STATS, xen_dom0_memory_mb='8192')
        self.change_host(hosts.xen('xen-03', stats=large))
        self.assert_only(kept, FAILURE, '1 (xen-03)', '4096 MiB')
        self.assertEqual(['xen-03'], self.by_code['memory_for_dom0']['hosts'])
        with self.with_options('refuse_dom0_overcommit = true'):
            self.assert_only(kept, WARNING)
        self.change_host(hosts.xen('xen-03', stats=STATS))
        with self.in_placement('xen-05', allocation_ratio=1.5):
            self.assert_only(
                'Memory sold more than once', FAILURE, 'up to 1.5', 'xen-05'
            )
        self._check_reserves()

    def _check_reserves(self):
        """5120 MiB are reserved, and 4096 is what the scheduler has."""
        name = 'reserved_host_memory_mb'
        publish = 'nova-xen-sched facts publish --from-placement --apply.'
        own = '4096 MiB, from its own nova.conf, and 5120 in placement: '
        option = 'host_facts_file = %s' % self.facts
        with contextlib.ExitStack() as undo:
            undo.enter_context(self.in_placement('xen-05', reserved=5120))
            self.assert_only(name, WARNING, own + '1 (xen-05)', publish)
            # What the compute itself reports is right.
            stats = dict(STATS, xen_reserved_host_memory_mb='5120')
            self.change_host(hosts.xen('xen-05', stats=stats))
            self.assert_well()
            self.change_host(hosts.xen('xen-05', stats=STATS))
            now = dataclasses.replace(
                view_hosts.settings(), fact_sources=('stats',)
            )
            with mock.patch.object(view_hosts, 'settings', return_value=now):
                self.assert_only(
                    name, WARNING, 'add aggregate to fact_sources, then nova'
                )
            with self.with_options(option):
                self.assert_only(
                    name,
                    WARNING,
                    'put reserved_host_memory_mb: 5120 under the hosts in '
                    '%s, for 1 (xen-05).' % self.facts,
                )
                self.facts.write_text(FACTS + '  xen-05: {%s: 1}\n' % name)
                self.assert_only(
                    name,
                    WARNING,
                    '1 MiB, from file, and 5120 in placement: 1 (xen-05)',
                    'put reserved_host_memory_mb: 5120 under the hosts in ',
                )
                self.facts.write_text(FACTS + '  xen-05: {%s: 5120}\n' % name)
                self.assert_well()
                self.facts.write_text(FACTS)
                for n in range(10, 15):
                    undo.enter_context(
                        self.in_placement('xen-%d' % n, reserved=5120)
                    )
                self.assert_only(name, WARNING, own + '6 (', publish)
        with mock.patch(
            'nova.scheduler.client.report.SchedulerReportClient.get',
            side_effect=ks_exceptions.ConnectFailure('refused'),
        ):
            code, found = self.checked()
        self.assertEqual(FAILURE, code)
        self.assertEqual(FAILURE, found[name][0])
        self.assertIn("Placement can't be reached: Conn", found[name][1])
        self.assertEqual(
            'out_of_reach', self.by_code['memory_for_dom0']['problem']
        )

    @contextlib.contextmanager
    def in_placement(self, host, **changes):
        """Have another inventory of a host's memory."""
        node = self.placement.get('/resource_providers?name=' + host).body
        path = (
            '/resource_providers/%s/inventories/MEMORY_MB'
            % (node['resource_providers'][0]['uuid'])
        )
        before = self.placement.get(path).body
        self._put(path, dict(before, **changes))
        yield
        now = self.placement.get(path).body['resource_provider_generation']
        self._put(path, dict(before, resource_provider_generation=now))

    def _put(self, path, body):
        answer = self.placement.put(path, body)
        self.assertEqual(200, answer.status)

    def _check_what_is_out_of_reach(self):
        with mock.patch(
            'nova.objects.CellMappingList.get_all',
            side_effect=db_exception.DBConnectionError(OSError('refused')),
        ):
            code, found = self.checked()
        self.assertEqual(FAILURE, code)
        (details,) = (details for _, details in found.values())
        self.assertIn("nova's API database ([api_database]) can't", details)
