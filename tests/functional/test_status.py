# SPDX-License-Identifier: Apache-2.0

"""nova-xen-sched-status upgrade check against a real nova of 21 computes."""

from __future__ import annotations

import tests.functional  # noqa: F401  before any other import of nova

# isort: split
import contextlib
import dataclasses
import io
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
from tests.functional.status import FAILURE
from tests.functional.status import FINE
from tests.functional.status import STATS
from tests.functional.status import StatusCase
from tests.functional.status import WARNING

pytestmark = pytest.mark.commands

CONF = nova.conf.CONF

ISOLATION = 'AggregateImagePropertiesIsolation'
FACTS = 'version: 1\nhosts:\n  xen-00: {libvirt_version: "9.0.0"}\n'


class TestStatus(StatusCase):
    XEN = 20

    def setUp(self):
        super().setUp()
        self.facts = pathlib.Path(os.path.join(self._folder, 'facts.yaml'))
        self.facts.write_text(FACTS)

    # One cloud for all of them: 21 computes take a while to start.
    def test_each_check(self):
        found = self.assert_well()
        self.assertEqual(25, len(found))
        out = io.StringIO()
        with mock.patch.object(
            configuration, 'load'
        ), contextlib.redirect_stdout(out):
            self.assertEqual(FINE, command.main(['upgrade', 'check']))
        self.assertEqual('25 checks passed.\n', out.getvalue())
        self._check_plugins()
        self._check_options()
        self._check_facts()
        self._check_neighbours()
        self._check_memory()
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
        option = 'image_props_weight_multiplier'
        # From 31 on.
        if option in CONF.filter_scheduler:
            for value in (-1, 5):
                with self.with_flags(**{option: value}):
                    self.assert_well()
            for value in (-5.1, 5.1):
                with self.with_flags(**{option: value}):
                    self.assert_only(
                        'ImagePropertiesWeigher',
                        WARNING,
                        '%g beside 10, on 20 (xen-00' % value,
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
