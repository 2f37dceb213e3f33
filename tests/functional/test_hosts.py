# SPDX-License-Identifier: Apache-2.0


"""host list, host show and capacity against a real nova of 24 computes."""

from __future__ import annotations

import tests.functional  # noqa: F401  before any other import of nova

# isort: split
import collections
import os
import pathlib
import re
import textwrap
from unittest import mock

import nova.conf
from oslo_db import exception as db_exception
import pytest

from nova_xen_sched.cmd.hosts import command
from tests.functional import commands
from tests.functional import hosts
from tests.functional.cases import conf
from tests.functional.cases import FilterCase
from tests.functional.cases import HVM
from tests.functional.cases import hvm_only
from tests.functional.cases import PV

pytestmark = pytest.mark.commands

CONF = nova.conf.CONF
GOLDEN = pathlib.Path(__file__).parents[1] / 'fixtures' / 'golden'

FACTS = """
version: 1
patterns:
  - {match: "old-*", libvirt_version: "1.2.5", xen_version: "4.14.6"}
  - match: "stale-*"
    libvirt_version: "9.0.0"
    dom0_memory_mb: 2048
    dom0_vcpus: 2
    observed_at: "2025-01-01T00:00:00Z"
"""


def stats(slots, vcpus=16):
    """Of a dom0 with room for so many HVM guests by its memory."""
    return {
        'xen_libvirt_version': '9.0.0',
        'xen_version': '4.17.5',
        'xen_dom0_memory_mb': str(400 + 24 * slots),
        'xen_dom0_vcpus': str(vcpus),
    }


#: For guests of 512 MiB, 1 vCPU and 1 GiB: what runs out first, and where.
LIMITED = [
    # 2 HVM guests each take 24 MiB of dom0's memory.
    ('dom0_memory', 2, {'stats': stats(2)}),
    ('dom0_memory', 3, {'stats': stats(3)}),
    # (1 - 0.75) x 20
    ('dom0_cpu', 5, {'stats': stats(50, vcpus=1)}),
    # What nova sells beyond what dom0 leaves: 2512 - 512 against 2512 - 1600.
    ('host_memory', 1, {'stats': stats(50), 'memory_mb': 2512}),
    # 2550 - 512 against 2550 - 496
    ('ram', 3, {'stats': stats(4), 'memory_mb': 2550}),
    # Four times: cpu_allocation_ratio.
    ('vcpus', 4, {'stats': stats(50), 'vcpus': 1}),
    ('disk', 2, {'stats': stats(50), 'local_gb': 2}),
]


def limited_hosts():
    """22 Xen hosts, and two that run none."""
    found = [
        hosts.xen('%s-%d' % (name, n), **fields)
        for n, (name, _, fields) in enumerate(LIMITED)
    ]
    found += [hosts.xen('small-%d' % n, stats=stats(1)) for n in range(10)]
    found += [
        hosts.xen('pv-%d' % n, 'xen-4.14-pv-only', stats=stats(9))
        for n in range(3)
    ]
    found += [hosts.xen('down-%d' % n, stats=stats(9)) for n in range(2)]
    return found + [hosts.kvm('kvm-1'), hosts.kvm('kvm-2')]


class HostsCase(FilterCase):
    def ran(self, *argv):
        """A command's answer as JSON; it must go well."""
        ran = commands.run(*argv, '-f', 'json')
        self.assertEqual(0, ran.code, ran.err)
        return ran.json


class TestCapacity(HostsCase):
    NOVA_CONF = conf(
        'refuse_dom0_overcommit = true', 'guest_memory_overhead = none'
    )

    def setUp(self):
        super().setUp()
        self.start_hosts(limited_hosts())
        self.stop_host('down-0')
        self.stop_host('down-1')

    def capacity(self, *argv):
        size = ('--ram', '512', '--vcpus', '1', '--disk', '1')
        return {row['host']: row for row in self.ran('capacity', *size, *argv)}

    # One cloud for all of them: 24 computes take a while to start.
    def test_capacity(self):
        self._check_flavors_and_sizes()
        self._check_what_placement_leaves_out()
        self._check_errors_are_one_line()
        self._check_a_service_away_is_one_line()
        self._check_both_modes_on_one_host()
        self._check_it_is_what_can_be_booted_until_no_valid_host()
        # It leaves placement without a host.
        self._check_one_question_has_one_answer()

    def _check_it_is_what_can_be_booted_until_no_valid_host(self):
        found = self.capacity()
        expected = {
            '%s-%d' % (name, n): (count, name)
            for n, (name, count, _) in enumerate(LIMITED)
        }
        expected.update(
            ('small-%d' % n, (1, 'dom0_memory')) for n in range(10)
        )
        expected.update(('pv-%d' % n, (0, '')) for n in range(3))
        expected.update(('down-%d' % n, (0, '')) for n in range(2))
        self.assertEqual(
            expected,
            {
                name: (row['fits'], row['runs_out_first'])
                for name, row in found.items()
            },
        )
        self.assertEqual('XenHostFilter: vm_mode', found['pv-0']['refused'])
        self.assertIn('ComputeFilter: ', found['down-0']['refused'])
        total = self.capacity('--total')['*']['fits']
        self.assertEqual(sum(count for count, _ in expected.values()), total)

        image = self.create_image('hvm', **HVM)
        flavor = self.create_flavor(ram=512, vcpus=1, disk=1)
        # Most of them by one request, which costs less.
        servers = self.boot(image, flavor, count=total - 5)
        servers += [self.boot(image, flavor) for _ in range(5)]
        landed = collections.Counter(self.host_of(s) for s in servers)
        self.assert_no_host(image, flavor)
        self.assertEqual(
            {name: count for name, (count, _) in expected.items() if count},
            dict(landed),
        )
        self.assertEqual(
            {0}, {row['fits'] for row in self.capacity().values()}
        )

    def _check_both_modes_on_one_host(self):
        """What is there counts by its own mode, what comes by the other."""
        servers = [
            self.boot(self.create_image('hvm', **HVM), host='dom0_memory-1')
        ]
        rest = self.capacity('--vm-mode', 'xen')['dom0_memory-1']['fits']
        # 72 MiB less 24: three of 14
        self.assertEqual(3, rest)
        pv = self.create_image('pv', **PV)
        flavor = self.create_flavor(ram=512, vcpus=1, disk=1)
        servers += self.boot(pv, flavor, count=rest, host='dom0_memory-1')
        self.assert_no_host(pv, flavor, host='dom0_memory-1')
        for server in servers:
            self.delete(server)

    def _check_flavors_and_sizes(self):
        flavor = self.create_flavor(ram=512, vcpus=1, disk=1)
        by_flavor = self.ran('capacity', '--flavor', flavor)
        self.assertEqual(list(self.capacity().values()), by_flavor)
        # placement's max_unit
        vcpus = self.ran('capacity', '--vcpus', '17', 'small-1')
        self.assertEqual([0], [row['fits'] for row in vcpus])
        # booted from a volume
        (row,) = self.ran('capacity', '--ram', '512', '--disk', '0', 'disk-6')
        self.assertIsNone(row['disk'])
        self.assertEqual(50, row['dom0_memory'])

    def _check_what_placement_leaves_out(self):
        """A trait that no host has."""
        flavor = self.create_flavor(
            ram=512, extra_specs={'trait:HW_CPU_X86_AVX512F': 'required'}
        )
        for row in self.ran('capacity', '--flavor', flavor):
            self.assertEqual(0, row['fits'])
            self.assertIn(
                'placement: it has no candidate there for ',
                row['refused'],
            )

    def _check_one_question_has_one_answer(self):
        size = ('--ram', '512', '--vcpus', '1', '--disk', '1')
        service = self.api.get_services(binary='nova-compute', host='small-9')
        self.api.put_service(service[0]['id'], {'status': 'disabled'})
        # Placement has never heard of it.
        unknown = self._provider('pv-2')
        self.placement.delete('/resource_providers/' + unknown)
        explained = {
            row['host']: '%s: %s' % (row['step'], row['why'])
            for row in self.ran_whatever(
                *('explain', '--property=hypervisor_type=xen'),
                *('--property=vm_mode=hvm', *size),
            )
        }
        found = self.capacity()
        for name, why in (
            ('small-9', 'placement: its nova-compute is disabled'),
            ('pv-2', 'placement: placement does not know it'),
            ('down-0', explained['down-0']),
        ):
            self.assertEqual(why, explained[name])
            self.assertEqual(why, found[name]['refused'])
            shown = self.ran('host', 'show', name, *size)
            self.assertEqual(why, ' '.join(shown['refused'].split()))
        listed = {r['host']: r for r in self.ran('host', 'list', *size)}
        for name, row in found.items():
            self.assertEqual(row['runs_out_first'], listed[name]['scarcest'])

    def _provider(self, name):
        found = self.placement.get('/resource_providers?name=' + name)
        (provider,) = found.body['resource_providers']
        return provider['uuid']

    def ran_whatever(self, *argv):
        return commands.run(*argv, '-f', 'json').json

    def _check_errors_are_one_line(self):
        for argv, words in (
            (['--flavor', 'huge'], 'There is no flavor with the name or id'),
            (['--flavor', 'a', '--ram', '1'], 'Give either --flavor'),
            (['kvm-1'], 'of Xen hosts, and this is none: kvm-1'),
            (['smal-1'], 'There is no such host: smal-1 (nearest: small-1)'),
        ):
            ran = commands.run('capacity', *argv)
            self.assertEqual((2, '', 1), (ran.code, ran.out, len(lines(ran))))
            self.assertIn(words, ran.err)

    def _check_a_service_away_is_one_line(self):
        with mock.patch(
            'nova.objects.CellMappingList.get_all',
            side_effect=db_exception.DBConnectionError(OSError('refused')),
        ):
            ran = commands.run('host', 'list')
        self.assertEqual((2, 1), (ran.code, len(lines(ran))))
        self.assertIn("nova's API database ([api_database]) can't", ran.err)
        # As nova's client has it: no answer, and a line in the log.
        with mock.patch(
            'nova.scheduler.client.report.SchedulerReportClient.get',
            side_effect=_refused(),
        ):
            ran = commands.run('capacity')
        self.assertEqual((2, 1), (ran.code, len(lines(ran))))
        self.assertIn('Placement', ran.err)


def _refused():
    from keystoneauth1 import exceptions

    return exceptions.ConnectFailure('refused')


def lines(ran):
    return ran.err.splitlines()


class TestHosts(HostsCase):
    def setUp(self):
        super().setUp()
        path = os.path.join(self._folder, 'facts.yaml')
        pathlib.Path(path).write_text(textwrap.dedent(FACTS))
        self.rewrite_conf(
            conf('host_facts_file = ' + path, 'facts_max_age = 30')
        )
        big = {'memory_mb': 131072, 'vcpus': 64, 'local_gb': 4000}
        self.start_hosts(
            [
                hosts.xen('fact-%02d' % n, stats=stats(20 + n))
                for n in range(12)
            ]
            + [hosts.xen('old-%d' % n, 'xen-4.14-hvm') for n in range(3)]
            + [hosts.xen('stale-%d' % n, **big) for n in range(3)]
            + [
                hosts.xen('bare', 'xen-4.14-pv-only', service_version=53),
                hosts.xen('ancient', 'xen-4.14-pv-only', service_version=16),
                hvm_only('hvm'),
                hosts.kvm('kvm-1'),
                hosts.kvm('kvm-2'),
            ]
        )

    # One cloud for all of them: 23 computes take a while to start.
    def test_hosts(self):
        self.boot(self.create_image('hvm', **HVM), host='stale-1')
        self.boot(self.create_image('pv', **PV), host='stale-1')
        self._check_the_list_as_a_person_reads_it()
        self._check_columns_are_those_that_are_documented()
        self._check_facts_exact_least_stale_and_unknown()
        self._check_one_host()
        self._check_why_a_host_cant_live_migrate()
        self._check_other_formats()
        self._check_live_migration_is_told_whatever_is_done_about_it()
        self._check_what_xen_reports_as_left()

    def _check_the_list_as_a_person_reads_it(self):
        ran = commands.run('host', 'list')
        self.assertEqual(0, ran.code)
        self.assertEqual(
            (GOLDEN / 'host-list.txt').read_text(),
            # Such a nova's own service version proves more than 22's.
            ran.out.replace('>=8.0.0', '>=4.0.0') + ran.err,
        )

    def _check_columns_are_those_that_are_documented(self):
        found = self.ran('host', 'list')
        self.assertEqual(21, len(found))
        self.assertEqual(list(command.COLUMNS), list(found[0]))
        self.assertEqual(23, len(self.ran('host', 'list', '--all')))

    def _check_facts_exact_least_stale_and_unknown(self):
        found = {row['host']: row for row in self.ran('host', 'list')}
        for name, libvirt, source, migration in (
            ('fact-00', '9.0.0', 'stats', 'yes'),
            ('old-1', '1.2.5', 'file', 'no (libvirt_too_old)'),
            ('stale-0', '9.0.0', 'file, stale', 'yes'),
            ('bare', '>=4.0.0', 'service_version', 'yes'),
            ('ancient', None, '', 'unknown (libvirt_unknown)'),
        ):
            row = found[name]
            self.assertEqual(
                (libvirt, source, migration),
                (
                    row['libvirt'],
                    row['libvirt_source'],
                    row['live_migration'],
                ),
            )
        self.assertEqual('4.17.5', found['fact-00']['xen'])
        self.assertEqual('4.17', found['hvm']['xen'])
        self.assertEqual('nova', found['hvm']['xen_source'])

    def _check_live_migration_is_told_whatever_is_done_about_it(self):
        path = os.path.join(self._folder, 'facts.yaml')
        before = [r['live_migration'] for r in self.ran('host', 'list')]
        for options in (
            ('live_migration_check = never',),
            ('unknown_version = refuse', 'report_only = all'),
        ):
            self.rewrite_conf(conf('host_facts_file = ' + path, *options))
            after = [r['live_migration'] for r in self.ran('host', 'list')]
            self.assertEqual(before, after)

    def _check_one_host(self):
        shown = commands.run('host', 'show', 'old-1').out
        self.assertEqual(
            (GOLDEN / 'host-show.txt').read_text(),
            re.sub('(service_version +[|]) [0-9]+', r'\1 53', shown),
        )
        found = self.ran('host', 'show', 'stale-1')
        listed = self.ran('host', 'list', 'stale-1')[0]
        self.assertEqual(listed, {name: found[name] for name in listed})
        self.assertEqual((1, 1), (found['guests_hvm'], found['guests_pv']))
        # dom0's 2048 MiB less its own 400; 24 for HVM and 14 for PV
        self.assertEqual('38 of 1648 MiB', found['room_dom0_memory'])
        self.assertEqual('2 of 25 guests', found['room_dom0_cpu'])
        self.assertEqual('computed', found['room_host_memory_source'])
        self.assertEqual('2025-01-01T00:00:00+00:00', found['observed_at'])
        self.assertEqual('dom0_cpu', found['scarcest'])
        self.assertEqual(0.92, found['headroom'])
        self.assertEqual(23, found['fits_dom0_cpu'])
        self.assertIn('/var/log/libvirt/libxl', found['logs'])

    def _check_what_xen_reports_as_left(self):
        free = dict(stats(20), xen_free_memory_mb='9000')
        self.change_host(hosts.xen('fact-00', stats=free))
        found = self.ran('host', 'show', 'fact-00')
        # 32768 MiB less 880 of dom0
        self.assertEqual('22888 of 31888 MiB', found['room_host_memory'])
        self.assertEqual('reported by Xen', found['room_host_memory_source'])
        self.assertEqual('computed', found['room_dom0_cpu_source'])
        self.assertEqual(4, found['fits_host_memory'])
        # The same fields in the same order, whatever limits a host.
        self.assertEqual(list(self.ran('host', 'show', 'bare')), list(found))

    def _check_why_a_host_cant_live_migrate(self):
        found = self.ran('host', 'show', 'old-1')
        self.assertIn('1.2.5 (from file)', found['live_migration_why'])
        self.assertIn('upgrade', found['live_migration_why'])

    def _check_other_formats(self):
        ran = commands.run('host', 'list', 'kvm-1', '-f', 'csv')
        self.assertNotIn('None', ran.out)
        ran = commands.run('host', 'list', '-f', 'value', '-c', 'host')
        self.assertEqual(21, len(ran.lines))
        ran = commands.run('host', 'show', 'nosuch')
        self.assertEqual((2, 1), (ran.code, len(lines(ran))))
