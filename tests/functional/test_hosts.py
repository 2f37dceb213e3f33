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

from nova_xen_sched.cmd.hosts import fields
from tests.functional import commands
from tests.functional import hosts
from tests.functional.cases import conf
from tests.functional.cases import FilterCase
from tests.functional.cases import HVM
from tests.functional.cases import hvm_only
from tests.functional.cases import PV
from tests.unit.cmd import schemas

pytestmark = pytest.mark.commands

CONF = nova.conf.CONF
GOLDEN = pathlib.Path(__file__).parents[1] / 'fixtures' / 'golden'

LONG_NAME = 'xen-0123.rack-17.zone-b.some-data-centre.cloud.example.org.xx'

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
        """A command's answer as JSON; it must go well, and fit its schema."""
        ran = commands.run(*argv, '-f', 'json')
        self.assertEqual(0, ran.code, ran.err)
        name = argv[0] if argv[0] == 'capacity' else '-'.join(argv[:2])
        schemas.check(name, ran.json)
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
        expected.update(('pv-%d' % n, (0, None)) for n in range(3))
        expected.update(('down-%d' % n, (0, None)) for n in range(2))
        self.assertEqual(
            expected,
            {
                name: (row['fits'], row['runs_out_first'])
                for name, row in found.items()
            },
        )
        self.assertEqual(
            {'step': 'XenHostFilter', 'code': 'vm_mode'},
            found['pv-0']['refused'],
        )
        self.assertEqual(
            {'step': 'ComputeFilter', 'code': 'down'},
            found['down-0']['refused'],
        )
        for name, row in found.items():
            if not name.startswith(('pv', 'down')):
                self.assertIsNone(row['refused'])
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
            self.assertEqual(
                {'step': 'placement', 'code': 'trait'}, row['refused']
            )
            self.assertEqual(
                'without the required trait HW_CPU_X86_AVX512F',
                row['refused_why'],
            )

    def _check_one_question_has_one_answer(self):
        size = ('--ram', '512', '--vcpus', '1', '--disk', '1')
        service = self.api.get_services(binary='nova-compute', host='small-9')
        self.api.put_service(service[0]['id'], {'status': 'disabled'})
        # Placement has never heard of it.
        unknown = self._provider('pv-2')
        self.placement.delete('/resource_providers/' + unknown)
        explained = {
            row['host']: (row['step'], row['why'])
            for row in self.ran_whatever(
                *('explain', '--property=hypervisor_type=xen'),
                *('--property=vm_mode=hvm', *size),
            )['hosts']
        }
        found = self.capacity()
        for name, step, code, why in (
            (
                'small-9',
                'placement',
                'disabled',
                'its nova-compute is disabled',
            ),
            (
                'pv-2',
                'placement',
                'unknown_to_placement',
                'placement does not know it',
            ),
            ('down-0', 'ComputeFilter', 'down', 'its nova-compute is down'),
        ):
            self.assertEqual((step, why), explained[name])
            refused = {'step': step, 'code': code}
            shown = self.ran('host', 'show', name, *size)
            for row in (found[name], shown):
                self.assertEqual(
                    (refused, why), (row['refused'], row['refused_why'])
                )
        listed = {r['host']: r for r in self.ran('host', 'list', *size)}
        for name, row in found.items():
            self.assertEqual(row['runs_out_first'], listed[name]['scarcest'])
            self.assertEqual(row['refused'], listed[name]['refused'])
        disabled = self.ran('host', 'list', '--state', 'disabled', *size)
        self.assertEqual(['small-9'], [row['host'] for row in disabled])

    def _provider(self, name):
        found = self.placement.get('/resource_providers?name=' + name)
        (provider,) = found.body['resource_providers']
        return provider['uuid']

    def ran_whatever(self, *argv):
        return commands.run(*argv, '-f', 'json').json

    def _check_errors_are_one_line(self):
        for argv, words in (
            (['--flavor', 'huge'], 'There is no flavor with the name or id'),
            (
                ['--flavor', 'a', '--ram', '1'],
                '--flavor goes without --ram',
            ),
            (['kvm-1', 'small-*'], 'is none: kvm-1.'),
            (['kvm-*'], 'is none: kvm-1, kvm-2.'),
            (['nosuch-*'], 'No host matches nosuch-*. See '),
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
            self._check_capacity_without_placement()
            self._check_hosts_without_placement()

    def _check_capacity_without_placement(self):
        """What the dom0 model knows is there, and one line says the rest."""
        ran = commands.run('capacity', '-f', 'json')
        self.assertEqual((1, 1), (ran.code, len(lines(ran))))
        self.assertIn('Only dom0 memory, dom0 vCPUs and Host', ran.err)
        self.assertIn('Placement', ran.err)
        schemas.check('capacity', ran.json)
        self.assertEqual(22, len(ran.json))
        for row in ran.json:
            self.assertIsNotNone(row['host_memory'])
            for name in ('fits', 'runs_out_first', 'ram', 'disk', 'refused'):
                self.assertIsNone(row[name])
        by_name = {row['host']: row for row in ran.json}
        self.assertEqual(2, by_name['dom0_memory-0']['dom0_memory'])
        self.assertNotIn('no limit', commands.run('capacity', '--long').out)
        # It would be one row of nothing.
        ran = commands.run('capacity', '--total')
        self.assertEqual((2, '', 1), (ran.code, ran.out, len(lines(ran))))

    def _check_hosts_without_placement(self):
        """What does not depend on it is there, and one line says the rest."""
        ran = commands.run('host', 'list', '-f', 'json')
        self.assertEqual((1, 3), (ran.code, len(lines(ran))))
        self.assertIn('Fits and Refused are empty: Placement can', ran.err)
        schemas.check('host-list', ran.json)
        self.assertEqual(22, len(ran.json))
        for row in ran.json:
            self.assertIsNone(row['fits'])
            self.assertIsNone(row['refused'])
            self.assertEqual('4.1', row['xen']['value'][:3])
            self.assertIsNotNone(row['headroom'])
        ran = commands.run('host', 'show', 'down-0', '-f', 'json')
        self.assertEqual((1, 1), (ran.code, len(lines(ran))))
        schemas.check('host-show', ran.json)
        self.assertEqual(
            ('down', None, None, 9, None),
            tuple(
                ran.json[key]
                for key in (
                    *('state', 'fits', 'fits_ram'),
                    *('fits_dom0_memory', 'refused'),
                )
            ),
        )
        self.assertNotIn('Fits ', commands.run('host', 'show', 'down-0').out)
        with_trace = commands.run('--debug', 'host', 'show', 'down-0', '-q')
        self.assertEqual(1, with_trace.code)
        self.assertIn('Traceback (most recent call last)', with_trace.err)
        self.assertIn('Fits and Refused are empty: Pl', with_trace.err)
        self.assertIn('by dom0 memory  9', with_trace.out)
        self.assertNotIn('MEMORY_MB', with_trace.out)
        # What only placement can answer is not answered wrongly.
        ran = commands.run('host', 'list', '--refused')
        self.assertEqual((2, '', 1), (ran.code, ran.out, len(lines(ran))))


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
            [hosts.xen('fact-%02d' % n, stats=stats(20 + n)) for n in range(3)]
            + [hosts.xen('old-%d' % n, 'xen-4.14-hvm') for n in range(3)]
            + [hosts.xen('stale-%d' % n, **big) for n in range(3)]
            + [
                hosts.xen('bare', 'xen-4.14-pv-only', service_version=53),
                hosts.xen('ancient', 'xen-4.14-pv-only', service_version=16),
                hvm_only('hvm'),
                hosts.xen(LONG_NAME, stats=stats(20, vcpus=1)),
                hosts.xen('gone', stats=stats(1)),
                hosts.kvm('kvm-1'),
                hosts.kvm('kvm-2'),
            ]
        )

    # One cloud for all of them: 16 computes take a while to start.
    def test_hosts(self):
        self.stop_host('gone')
        self.boot(self.create_image('hvm', **HVM), host='stale-1')
        self.boot(self.create_image('pv', **PV), host='stale-1')
        for _ in range(21):
            self.boot(self.create_image('pv', **PV), host=LONG_NAME)
        self._check_the_pages_as_a_person_reads_them()
        self._check_it_finds()
        self._check_columns_are_those_that_are_documented()
        self._check_facts_exact_least_stale_and_unknown()
        self._check_one_host()
        self._check_why_a_host_cant_live_migrate()
        self._check_other_formats()
        self._check_live_migration_is_told_whatever_is_done_about_it()
        self._check_what_xen_reports_as_left()

    def _check_the_pages_as_a_person_reads_them(self):
        """UPDATE_GOLDEN=1 writes them anew."""
        for name, width, argv in (
            ('host-list-80', 80, ('host', 'list', '--all')),
            ('host-list-120', 120, ('host', 'list', '--all')),
            ('host-list-long-200', 200, ('host', 'list', '--long')),
            ('host-show-80', 80, ('host', 'show', 'old-1')),
            ('host-show-200', 200, ('host', 'show', LONG_NAME)),
            ('capacity-80', 80, ('capacity',)),
            ('capacity-long-120', 120, ('capacity', '--long')),
        ):
            ran = commands.run(*argv, width=width)
            self.assertEqual(0, ran.code)
            plain = re.sub('\033\\[[0-9]*m', '', ran.out)
            self.assertLessEqual(max(map(len, plain.splitlines())), width)
            # Such a nova's own service version proves more than 22's.
            text = ran.out.replace('>=8.0.0', '>=4.0.0')
            text = re.sub('(nova-compute +)[0-9]+', r'\g<1>53', text)
            text = text.replace('\033', '\\e') + ran.err
            if os.environ.get('UPDATE_GOLDEN'):
                (GOLDEN / (name + '.txt')).write_text(text)
            self.assertEqual((GOLDEN / (name + '.txt')).read_text(), text)
        # What a host of another hypervisor has, and no empty headings.
        ran = commands.run('host', 'show', 'kvm-1')
        self.assertEqual(
            ['Host', 'State', 'Hypervisor', 'nova-compute', 'Guest types'],
            [line[:12].strip() for line in ran.lines],
        )

    def _check_columns_are_those_that_are_documented(self):
        found = self.ran('host', 'list')
        self.assertEqual(14, len(found))
        self.assertEqual(list(fields.LIST), list(found[0]))
        self.assertEqual(16, len(self.ran('host', 'list', '--all')))

    def _check_it_finds(self):
        for argv, expected in (
            (('OLD-*',), ['old-0', 'old-1', 'old-2']),
            (('old-1', 'ha*', '*rack*'), None),
            (('*-[01]', '--state', 'up', '--refused'), ['old-0', 'old-1']),
            (('--state', 'down'), ['gone']),
            (('--state', 'disabled'), []),
            (('--scarce', '93'), ['stale-1', LONG_NAME]),
            (('--scarce', '92'), [LONG_NAME]),
            (('--all', '--scarce', '0'), [LONG_NAME]),
            (('--scarce', '0', 'old-*'), []),
            (('kvm-?',), ['kvm-1', 'kvm-2']),
        ):
            if expected is None:
                ran = commands.run('host', 'list', *argv)
                self.assertEqual((2, 1), (ran.code, len(lines(ran))))
                self.assertIn('No host matches ha*.', ran.err)
                continue
            found = [row['host'] for row in self.ran('host', 'list', *argv)]
            self.assertEqual(expected, found)
        self.assertEqual('hvm', self.ran('host', 'show', 'hv*')['host'])
        ran = commands.run('host', 'show', 'old-*')
        self.assertEqual((2, 1), (ran.code, len(lines(ran))))
        self.assertIn('name one of old-0, old-1, old-2.', ran.err)
        ran = commands.run('capacity', 'old-*', 'kvm-*', '-f', 'json')
        self.assertEqual(3, len(ran.json))
        # By number, and the unknown first.
        ran = commands.run(
            *('host', 'list', '-f', 'value', '-c', 'libvirt'),
            *('--sort-column', 'libvirt'),
        )
        self.assertEqual(['unknown', '1.2.5'], ran.lines[:2])

    def _check_facts_exact_least_stale_and_unknown(self):
        found = {row['host']: row for row in self.ran('host', 'list')}
        for name, libvirt, migration in (
            ('fact-00', ('9.0.0', 'stats', True, False), ('yes', None)),
            (
                'old-1',
                ('1.2.5', 'file', True, False),
                ('no', 'libvirt_too_old'),
            ),
            ('stale-0', ('9.0.0', 'file', True, True), ('yes', None)),
            (
                'bare',
                (mock.ANY, 'service_version', False, False),
                ('yes', None),
            ),
            ('ancient', None, ('unknown', 'libvirt_unknown')),
        ):
            row = found[name]
            fact = libvirt and {
                **dict(zip(('value', 'source', 'exact', 'stale'), libvirt)),
                'default': False,
            }
            self.assertEqual(fact, row['libvirt'])
            self.assertEqual(libvirt and libvirt[1], row['libvirt_source'])
            self.assertEqual(
                dict(zip(('answer', 'code'), migration)), row['live_migration']
            )
        self.assertEqual('4.17.5', found['fact-00']['xen']['value'])
        self.assertEqual(
            {
                'value': '4.17',
                'source': 'nova',
                'exact': False,
                'stale': False,
                'default': False,
            },
            found['hvm']['xen'],
        )
        self.assertEqual(
            {
                'value': 1024,
                'source': 'default',
                'exact': True,
                'stale': False,
                'default': True,
            },
            found['hvm']['dom0_memory_mb'],
        )
        self.assertIn(['x86_64', 'xen', 'hvm'], found['hvm']['guest_types'])
        kvm = self.ran('host', 'show', 'kvm-1')
        self.assertEqual(
            (None, None, None, None),
            tuple(
                kvm[key]
                for key in ('xen', 'live_migration', 'headroom', 'guests_hvm')
            ),
        )

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
        found = self.ran('host', 'show', 'stale-1')
        listed = self.ran('host', 'list', 'stale-1')[0]
        self.assertEqual(listed, {name: found[name] for name in listed})
        self.assertEqual((1, 1), (found['guests_hvm'], found['guests_pv']))
        # dom0's 2048 MiB less its own 400; 24 for HVM and 14 for PV
        self.assertEqual(
            {
                'capacity': 1648,
                'used': 38,
                'unit': 'MiB',
                'headroom': 0.9769,
                'source': 'computed',
            },
            found['room_dom0_memory'],
        )
        self.assertEqual(
            (2, 25, 'guests'),
            tuple(
                found['room_dom0_cpu'][key]
                for key in ('used', 'capacity', 'unit')
            ),
        )
        self.assertEqual('computed', found['room_host_memory_source'])
        self.assertEqual('2025-01-01T00:00:00+00:00', found['observed_at'])
        self.assertEqual('dom0_cpu', found['scarcest'])
        self.assertEqual(0.92, found['headroom'])
        self.assertEqual(23, found['fits_dom0_cpu'])
        self.assertIn('/var/log/libvirt/libxl', found['logs'])
        self.assertEqual('Xen', found['hypervisor']['type'])
        self.assertEqual(
            {
                'mode': 'hvm',
                'flavor': None,
                'memory_mb': 2048,
                'vcpus': 1,
                'disk_gb': 20,
            },
            found['fits_of'],
        )

    def _check_what_xen_reports_as_left(self):
        free = dict(stats(20), xen_free_memory_mb='9000')
        self.change_host(hosts.xen('fact-00', stats=free))
        found = self.ran('host', 'show', 'fact-00')
        # 32768 MiB less 880 of dom0
        room = found['room_host_memory']
        self.assertEqual((22888, 31888), (room['used'], room['capacity']))
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
        self.assertEqual(14, len(ran.lines))
        ran = commands.run('host', 'show', 'nosuch')
        self.assertEqual((2, 1), (ran.code, len(lines(ran))))


class TestPlot(HostsCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # tox's environments have none. Its import asks for the machine's
        # name, which nova's fixture forbids later.
        pytest.importorskip('matplotlib.figure')

    def test_the_hosts_that_are_listed_are_drawn(self):
        self.start_hosts(
            [hosts.xen('fact-%d' % n, stats=stats(20 + n)) for n in range(2)]
            + [hosts.xen('gone', stats=stats(1, vcpus=1)), hosts.kvm('kvm')]
        )
        self.boot(self.create_image('hvm', **HVM), host='gone')
        path = pathlib.Path(self._folder, 'x.svg')
        ran = commands.run('host', 'list', '--plot', str(path))
        self.assertEqual(0, ran.code, ran.err)
        self.assertIn('fact-1', ran.out)
        found = re.findall('<text[^>]*>(.*?)</text>', path.read_text())
        self.assertIn('Headroom of 3 Xen hosts, fullest first', found)
        names = [each for each in found if re.match('fact-|gone|kvm', each)]
        self.assertEqual(['gone', 'fact-0', 'fact-1'], names)
        self.ran('host', 'list', 'gone', '--plot', str(path))
        self.assertIn('Headroom of 1 Xen host, ', path.read_text())
        path = path.with_name('nosuch') / 'x.svg'
        ran = commands.run('host', 'list', '--plot', str(path))
        self.assertEqual((2, ''), (ran.code, ran.out))
        self.assertIn("x.svg can't be written: No such file", ran.err)
