# SPDX-License-Identifier: Apache-2.0

"""metrics against a real nova: what it says is what the commands say."""

from __future__ import annotations

import tests.functional  # noqa: F401  before any other import of nova

# isort: split
import hashlib
import os
import pathlib
import stat
import time
from unittest import mock

import nova.conf
from oslo_db import exception as db_exception
from prometheus_client import parser
import pytest

from tests.functional import commands
from tests.functional import hosts
from tests.functional.cases import conf
from tests.functional.cases import FilterCase
from tests.functional.cases import HVM
from tests.functional.test_hosts import stats

pytestmark = pytest.mark.commands

CONF = nova.conf.CONF
MIB = 1 << 20
FACTS = """
version: 1
hosts:
  old: {libvirt_version: "1.2.5", observed_at: "2026-11-22T10:00:00Z"}
"""
#: date -u -d 2026-11-22T10:00:00Z +%s
OBSERVED = 1795341600
OWN = [
    'nova_xen_metrics_duration_seconds',
    'nova_xen_metrics_last_success_timestamp_seconds',
    'nova_xen_metrics_success',
]


def parsed(text):
    """By metric, the values by their labels."""
    found = {}
    for family in parser.text_string_to_metric_families(text):
        assert family.type == 'gauge' and family.documentation
        for each in family.samples:
            values = found.setdefault(each.name, {})
            labels = frozenset(each.labels.items())
            assert labels not in values
            values[labels] = each.value
    return found


def value(found, name, **labels):
    """The only value with these labels, whatever others it has."""
    wanted = set(labels.items())
    (only,) = [v for k, v in found['nova_xen_' + name].items() if wanted <= k]
    return only


class MetricsCase(FilterCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self._folder, 'nova-xen-sched.prom')

    def metrics(self, *argv, code=0):
        ran = commands.run('metrics', *argv)
        self.assertEqual(code, ran.code, ran.err)
        self.assertEqual(bool(code), bool(ran.err), ran.err)
        return ran


class TestMetrics(MetricsCase):
    def setUp(self):
        super().setUp()
        facts = pathlib.Path(self._folder, 'facts.yaml')
        facts.write_text(FACTS)
        self.digest = hashlib.sha256(facts.read_bytes()).hexdigest()
        self.options = ('host_facts_file = %s' % facts,)
        self.rewrite_conf(conf(*self.options))
        self.start_hosts(
            [
                hosts.xen('a', stats=stats(10)),
                hosts.xen('b', stats=stats(3)),
                hosts.xen('old', stats={}),
                hosts.xen('pv', 'xen-4.14-pv-only', stats=stats(9)),
                hosts.kvm('kvm'),
            ]
        )

    # One cloud for all of them: computes take a while to start.
    def test_metrics(self):
        image = self.create_image('hvm', **HVM)
        self.boot(image, host='a')
        self.boot(image, host='a')
        self._check_what_is_printed()
        self._check_flavors()
        self._check_the_file()
        self._check_codes_by_options()
        self._check_failures()

    def _check_what_is_printed(self):
        found = parsed(self.metrics().out)
        self.assertEqual(4, value(found, 'hosts'))
        self.assertEqual(1, value(found, 'metrics_success'))
        seconds = value(found, 'metrics_duration_seconds')
        self.assertTrue(0 < seconds < 60)
        self.assertEqual(
            int(self.digest[:12], 16), value(found, 'facts_file_digest')
        )
        self._check_a_host(found)
        self._check_facts(found)
        self._check_refusals(found)
        self._check_it_is_what_capacity_says(found)

    def _check_a_host(self, found):
        shown = commands.run('host', 'show', 'a', '-f', 'json').json
        for resource in ('dom0_memory', 'dom0_cpu', 'host_memory'):
            usage = shown['room_' + resource]
            unit = 'guests' if resource == 'dom0_cpu' else 'bytes'
            factor = 1 if resource == 'dom0_cpu' else MIB
            for name in ('capacity', 'used'):
                self.assertAlmostEqual(
                    usage[name] * factor,
                    value(
                        found,
                        'dom0_%s_%s' % (name, unit),
                        compute_host='a',
                        resource=resource,
                    ),
                    # host show rounds to a tenth of a MiB.
                    delta=factor * 0.06,
                )
            self.assertAlmostEqual(
                usage['headroom'],
                value(
                    found,
                    'dom0_headroom_ratio',
                    compute_host='a',
                    resource=resource,
                ),
                delta=0.001,
            )
        self.assertEqual(
            2, value(found, 'host_guests', compute_host='a', vm_mode='hvm')
        )
        self.assertEqual(
            0, value(found, 'host_guests', compute_host='a', vm_mode='pv')
        )
        # 400 + 24 x 10, of which nova reserves 512.
        self.assertEqual(
            (640 - 512) * MIB,
            value(found, 'dom0_memory_sold_bytes', compute_host='a'),
        )
        self.assertEqual(
            0, value(found, 'dom0_memory_sold_bytes', compute_host='b')
        )

    def _check_facts(self, found):
        self.assertEqual(
            4, value(found, 'host_facts', compute_host='a', source='stats')
        )
        self.assertEqual(
            2, value(found, 'host_facts', compute_host='old', source='file')
        )
        self.assertEqual(
            OBSERVED,
            value(
                found,
                'host_facts_observed_timestamp_seconds',
                compute_host='old',
                source='file',
            ),
        )

    def _check_refusals(self, found):
        for operation in ('boot', 'live_migration'):
            for mode, code, count in (
                ('hvm', 'libvirt_too_old', 1),
                ('hvm', 'vm_mode', 1),
                ('hvm', 'disk_format', 0),
                ('pv', 'libvirt_too_old', 1),
                ('pv', 'vm_mode', 0),
            ):
                self.assertEqual(
                    count,
                    value(
                        found,
                        'hosts_refused',
                        operation=operation,
                        vm_mode=mode,
                        code=code,
                    ),
                )
            for host, mode, code in (
                ('a', 'hvm', ''),
                ('old', 'hvm', 'libvirt_too_old'),
                ('pv', 'hvm', 'vm_mode'),
                ('pv', 'pv', ''),
            ):
                # There is no other code of the same host and request.
                for labels in ({}, {'code': code}):
                    self.assertEqual(
                        bool(code),
                        value(
                            found,
                            'host_refused',
                            compute_host=host,
                            operation=operation,
                            vm_mode=mode,
                            **labels,
                        ),
                    )

    def _check_it_is_what_capacity_says(self, found, flavor='', *argv):
        rows = commands.run('capacity', '-f', 'json', *argv).json
        for row in rows:
            self.assertEqual(
                row['fits'],
                value(
                    found,
                    'host_guests_fit',
                    compute_host=row['host'],
                    flavor=flavor,
                ),
            )
        by_host = {row['host']: row['fits'] for row in rows}
        total = sum(by_host.values())
        self.assertGreater(total, 0)
        self.assertEqual(total, value(found, 'guests_fit', flavor=flavor))
        # a has two guests, and room for most.
        self.assertEqual(
            total - by_host['a'] - 2,
            value(found, 'guests_fit_after_failure', flavor=flavor),
        )

    def _check_flavors(self):
        small = self.create_flavor(ram=512, vcpus=1, disk=1)
        large = self.create_flavor(ram=8192, vcpus=4, disk=10)
        found = parsed(self.metrics('--flavor', small, large, small).out)
        self._check_it_is_what_capacity_says(found)
        # Named by their ids, and shown by their names.
        small, large = (
            self.api.get_flavor(each)['name'] for each in (small, large)
        )
        self._check_it_is_what_capacity_says(found, small, '--flavor', small)
        self.assertEqual(
            {'', small, large},
            {
                dict(labels)['flavor']
                for labels in found['nova_xen_guests_fit']
            },
        )
        ran = self.metrics('--flavor', 'nosuch', code=1)
        self.assertIn('There is no flavor with the name or id', ran.err)
        self.assertEqual(OWN, sorted(parsed(ran.out)))

    def _check_the_file(self):
        old = os.umask(0o077)
        try:
            ran = self.metrics('--textfile', str(self.path))
        finally:
            os.umask(old)
        self.assertEqual('', ran.out)
        self.assertEqual(0o644, stat.S_IMODE(self.path.stat().st_mode))
        self.assertEqual(
            [self.path], list(self.path.parent.glob('*nova-xen-sched.prom*'))
        )
        found = parsed(self.path.read_text())
        last = value(found, 'metrics_last_success_timestamp_seconds')
        self.assertAlmostEqual(time.time(), last, delta=60)
        # No server is named.
        self.assertNotIn('server', self.path.read_text())

    def _check_codes_by_options(self):
        self.rewrite_conf(conf(*self.options, 'report_only = libvirt_too_old'))
        found = parsed(self.metrics().out)
        self.assertEqual(
            0,
            value(
                found,
                'hosts_refused',
                operation='boot',
                vm_mode='hvm',
                code='libvirt_too_old',
            ),
        )
        # Where the filter isn't enabled it refuses nothing.
        self.rewrite_conf(conf(*self.options))
        CONF.set_override(
            'enabled_filters', ['ComputeFilter'], 'filter_scheduler'
        )
        found = parsed(self.metrics().out)
        CONF.clear_override('enabled_filters', 'filter_scheduler')
        self.assertNotIn('nova_xen_hosts_refused', found)
        self.assertNotIn('nova_xen_host_refused', found)
        self.assertIn('nova_xen_host_guests_fit', found)

    def _check_failures(self):
        before = parsed(self.path.read_text())
        last = value(before, 'metrics_last_success_timestamp_seconds')
        for patch, words in (
            (
                mock.patch(
                    'nova.objects.CellMappingList.get_all',
                    side_effect=db_exception.DBConnectionError(OSError('x')),
                ),
                "nova's API database",
            ),
            (
                mock.patch(
                    'nova.scheduler.client.report.SchedulerReportClient.get',
                    side_effect=_refused(),
                ),
                'Placement can',
            ),
        ):
            with patch:
                ran = self.metrics('--textfile', str(self.path), code=1)
            self.assertIn(words, ran.err)
            self.assertEqual(1, len(ran.err.splitlines()))
            found = parsed(self.path.read_text())
            self.assertEqual(OWN, sorted(found))
            self.assertEqual(0, value(found, 'metrics_success'))
            self.assertEqual(
                last, value(found, 'metrics_last_success_timestamp_seconds')
            )


def _refused():
    from keystoneauth1 import exceptions

    return exceptions.ConnectFailure('refused')


class TestNoXenHost(MetricsCase):
    def test_the_total_is_0(self):
        self.start_hosts([hosts.kvm('kvm')])
        found = parsed(self.metrics('--textfile', str(self.path)).out)
        self.assertEqual({}, found)
        found = parsed(self.path.read_text())
        self.assertEqual(0, value(found, 'hosts'))
        self.assertEqual(0, value(found, 'guests_fit'))
        self.assertEqual(1, value(found, 'metrics_success'))
        text = self.path.read_text()
        self.assertNotIn('compute_host', text)
