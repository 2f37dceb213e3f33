# SPDX-License-Identifier: Apache-2.0

"""The version rules in a real nova, fed by every source of facts."""

from __future__ import annotations

import tests.functional  # noqa: F401  before any other import of nova

# isort: split
import os
import time
from unittest import mock

from nova import exception
import pytest

from nova_xen_sched import request as requests
from tests.functional import hosts
from tests.functional.cases import conf
from tests.functional.cases import FilterCase
from tests.functional.cases import HVM
from tests.functional.cases import sized

#: A service version that proves no libvirt at all.
PROVES_NOTHING = 10
OLD = {'xen:libvirt_version': '1.2.5'}
NEW = {'xen:libvirt_version': '9.0.0'}


class VersionCase(FilterCase):
    """The old host is always the largest, which nova prefers."""

    def setUp(self):
        super().setUp()
        self.start_hosts(
            [
                hosts.xen('old', **sized('large')),
                hosts.xen('new1', **sized('middle')),
                hosts.xen('new2', **sized('small')),
            ]
        )
        self.old = self.create_aggregate('old', ['old'], OLD)
        self.new = self.create_aggregate('new', ['new1', 'new2'], NEW)
        self.image = self.create_image('hvm', **HVM)
        self.reads = []
        real = requests._task_state

        def read(context, uuid):
            self.reads.append(uuid)
            return real(context, uuid)

        self.stub_out('nova_xen_sched.request._task_state', read)

    def last_refused(self):
        asked = self.asked[-1]
        return sorted(set(asked.names_in) - set(asked.names_out))


@pytest.mark.smoke
class TestLiveMigrationsAlone(VersionCase):
    NOVA_CONF = conf('live_migration_check = live_migration')

    def test_each_kind_of_request(self):
        server = self.assert_boots_on('old', self.image)
        self.assertEqual([], self.reads)  # a boot never reads
        self.live_migrate(server)
        self.assertEqual('new1', self.host_of(server))
        self.assertEqual([], self.reads)  # no host would be refused
        self.live_migrate(server)
        self.assertEqual('new2', self.host_of(server))
        self.assertEqual(['old'], self.last_refused())
        self.assertEqual([server['id']], self.reads)
        self.cold_migrate(server)
        self.assertEqual('old', self.host_of(server))
        self.resize(server, self.create_flavor(ram=1024))
        self.assertEqual('new1', self.host_of(server))
        self.shelve_offload(server)
        reads = len(self.reads)
        self.unshelve(server)
        self.assertEqual('old', self.host_of(server))
        self.assertEqual(reads, len(self.reads))  # nor does an unshelve
        self.rebuild(server, self.create_image('other', **HVM))
        self.cold_migrate(server)
        self.assertEqual('new1', self.host_of(server))
        self.evacuate(server)
        self.assertEqual('old', self.host_of(server))

    def test_no_host_is_new_enough(self):
        self.set_aggregate_metadata(self.new, OLD)
        server = self.assert_boots_on('old', self.image)
        self.live_migrate(server, fails='NoValidHost')
        self.assertEqual('old', self.host_of(server))
        status = self.api.get_server(server['id'])['status']
        self.assertEqual('ACTIVE', status)
        self.assertEqual(1, len(self.reads))
        self.assertIn('libvirt_too_old=2', self.log)

    def test_it_reads_only_where_a_host_would_be_refused(self):
        server = self.assert_boots_on('old', self.image)
        self.set_aggregate_metadata(self.old, NEW)
        self.live_migrate(server)
        self.live_migrate(server)
        self.assertEqual('old', self.host_of(server))
        self.assertEqual([], self.reads)


class UntoldCase(VersionCase):
    """Nothing can tell that a request is a live migration."""

    def assert_untold(self, **read):
        server = self.assert_boots_on('old', self.image)
        self.live_migrate(server)
        failing = mock.patch.object(requests, '_task_state', **read)
        with failing as injected:
            # the old host is refused, the other one is not
            self.live_migrate(server)
            self.assertEqual('new2', self.host_of(server))
            self.assertEqual(1, injected.call_count)
            self.assertIn('live_migration_unknown=1', self.log)
            # so it is for a cold migration, which can't be told apart
            self.cold_migrate(server)
            self.assertEqual('new1', self.host_of(server))
            self.rewrite_conf(
                self.NOVA_CONF + '\nlive_migration_unknown = accept\n'
            )
            self.live_migrate(server)
            self.assertEqual('old', self.host_of(server))
        self.assertNotIn('Traceback', self.plugin_log())

    def plugin_log(self):
        lines = self.log.splitlines()
        return '\n'.join(line for line in lines if 'nova_xen_sched' in line)


class TestFailingRead(UntoldCase):
    NOVA_CONF = conf('live_migration_check = live_migration')

    def test_the_read_fails(self):
        self.assert_untold(side_effect=RuntimeError('database is away'))

    def test_the_read_finds_no_instance(self):
        self.assert_untold(
            side_effect=exception.InstanceNotFound(instance_id='x')
        )


class TestSlowRead(UntoldCase):
    NOVA_CONF = conf(
        'live_migration_check = live_migration',
        'live_migration_read_timeout = 0.5',
    )

    def test_the_read_takes_too_long(self):
        def slow(context, uuid):
            time.sleep(2)
            return ('migrating',)

        self.assert_untold(side_effect=slow)


class TestAlways(VersionCase):
    def test_each_kind_of_request(self):
        server = self.assert_boots_on('new1', self.image)
        self.assert_boots_on('new1', self.image, volume=True)
        self.assertEqual([], self.reads)
        for act, host in (
            (self.live_migrate, 'new2'),
            (self.cold_migrate, 'new1'),
        ):
            act(server)
            self.assertEqual(host, self.host_of(server))
            self.assertEqual(['old'], self.last_refused())
        self.assertEqual(2, len(self.reads))
        self.shelve_offload(server)
        self.unshelve(server)
        self.assertEqual('new1', self.host_of(server))
        # better there than down
        self.evacuate(server)
        self.assertEqual('old', self.host_of(server))
        self.rebuild(server, self.create_image('other', **HVM))

    def test_multi_create(self):
        servers = self.boot(self.image, count=3)
        found = {self.host_of(server) for server in servers}
        self.assertLessEqual(found, {'new1', 'new2'})


class TestBackportsAndXen(VersionCase):
    NOVA_CONF = conf('min_libvirt_version = 1.3.1')

    def test_backports_count_as_1_3_1(self):
        backports = {'xen:libvirt_migration_backports': 'true'}
        self.set_aggregate_metadata(self.old, backports)
        self.assert_boots_on('old', self.image)
        self.rewrite_conf(conf('min_libvirt_version = 1.3.2'))
        self.assert_boots_on('new1', self.image)

    def test_xen(self):
        self.set_aggregate_metadata(self.old, NEW)
        self.assert_boots_on('old', self.image)
        for version in ('4.4.2', '4.5.0'):
            self.set_aggregate_metadata(self.old, {'xen:version': version})
            self.assert_boots_on('new1', self.image)
        for version in ('4.4.3', '4.5.1'):
            self.set_aggregate_metadata(self.old, {'xen:version': version})
            self.assert_boots_on('old', self.image)


class TestSources(FilterCase):
    """Facts by every way in which they can reach the scheduler."""

    NOVA_CONF = conf('unknown_version = refuse')

    @pytest.mark.smoke
    def test_service_version(self):
        self.start_hosts(
            [
                hosts.xen('a', service_version=PROVES_NOTHING),
                hosts.xen('b', service_version=53),
            ]
        )
        image = self.create_image('hvm', **HVM)
        self.assert_boots_on('b', image)
        # 53 proves 4.0.0, and nothing above
        self.rewrite_conf(
            conf('unknown_version = refuse', 'min_libvirt_version = 5.0.0')
        )
        self.assert_no_host(image)
        self.assertIn('libvirt_unknown=2', self.log)

    def test_stats(self):
        nothing = {'service_version': PROVES_NOTHING}
        self.start_hosts(
            [
                hosts.xen(
                    'old', stats={'xen_libvirt_version': '1.2.5'}, **nothing
                ),
                hosts.xen(
                    'new', stats={'xen_libvirt_version': '9.0.0'}, **nothing
                ),
                hosts.xen('unknown', **nothing),
            ]
        )
        image = self.create_image('hvm', **HVM)
        for _ in range(3):
            self.assert_boots_on('new', image)
        self.assertIn('libvirt_too_old=1 libvirt_unknown=1', self.log)

    def test_aggregates_and_edits(self):
        self.start_hosts([hosts.xen('a'), hosts.xen('b')])
        image = self.create_image('hvm', **HVM)
        metadata = self.create_aggregate('a', ['a'], NEW)
        self.create_aggregate('b', ['b'], OLD)
        self.assert_boots_on('a', image)
        self.set_aggregate_metadata(metadata, OLD)
        self.assert_no_host(image)
        self.set_aggregate_metadata(metadata, NEW)
        self.assert_boots_on('a', image)
        # of several aggregates the lowest
        self.create_aggregate('a too', ['a'], OLD)
        self.assert_no_host(image)


class TestFile(FilterCase):
    def setUp(self):
        super().setUp()
        self.start_hosts([hosts.xen('a'), hosts.xen('b')])
        self.image = self.create_image('hvm', **HVM)
        self.path = os.path.join(self._folder, 'facts.yaml')
        self.rewrite_conf(conf('host_facts_file = ' + self.path))

    def write(self, a, b):
        with open(self.path, 'w') as f:
            f.write(
                'version: 1\nhosts:\n'
                '  a: {libvirt_version: "%s"}\n'
                '  b: {libvirt_version: "%s"}\n' % (a, b)
            )

    @pytest.mark.smoke
    def test_the_next_request_sees_an_edit(self):
        for a, b, host in (
            ('1.2.5', '9.0.0', 'b'),
            ('9.0.0', '1.2.5', 'a'),
            ('1.2.15', '1.3.2', 'b'),
        ):
            self.write(a, b)
            self.assert_boots_on(host, self.image)

    def test_a_broken_file_keeps_the_last_good_facts(self):
        self.write('1.2.5', '9.0.0')
        self.assert_boots_on('b', self.image)
        with open(self.path, 'w') as f:
            f.write('version: 1\nhosts: {a: {libvirt_v')
        self.assert_boots_on('b', self.image)
        os.unlink(self.path)
        self.assert_boots_on('b', self.image)
        self.assertIn('The last good facts stay in force', self.log)
        self.write('9.0.0', '1.2.5')
        self.assert_boots_on('a', self.image)


class TestUnknownSource(FilterCase):
    NOVA_CONF = conf('fact_sources = stats,agregate')

    def _start(self, name, **kwargs):
        if name != 'scheduler':
            return super()._start(name, **kwargs)
        stopped = self.assertRaises(SystemExit, super()._start, name)
        self.said = str(stopped)
        return None

    def test_nova_scheduler_does_not_start(self):
        self.assertIn(
            "'stats,agregate' (agregate is not installed; there are "
            'aggregate, file,',
            self.said,
        )
