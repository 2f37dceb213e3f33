# SPDX-License-Identifier: Apache-2.0

"""explain against a nova that runs: what it says, and that it only reads."""

from __future__ import annotations

import json
import os
import re
from unittest import mock

import fixtures
from keystoneauth1 import exceptions as ks_exceptions
from nova import context
from nova import objects
import nova.conf
from nova.scheduler import weights
from nova.scheduler.client import report
from oslo_db import exception as db_exception
from oslo_utils import uuidutils
import pytest
import requests
import sqlalchemy

from tests.functional import cases
from tests.functional import cloud
from tests.functional import commands
from tests.functional import glance
from tests.functional import hosts

pytestmark = pytest.mark.commands

CONF = nova.conf.CONF
GOLDEN = os.path.join(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
    'fixtures',
    'explain',
)
HVM = ('--property=hypervisor_type=xen', '--property=vm_mode=hvm')
SMALL = ('--ram=2048', '--vcpus=2', '--disk=10')
#: Of nova 23 on, and of no matter here.
_NEWER = 'with trait OWNER_NOVA, '


def fleet():
    """22 hosts: good ones, and each bad in its own way."""
    good = {'xen_libvirt_version': '9.0.0', 'xen_dom0_memory_mb': '4096'}
    found = [
        hosts.xen(
            'xen-a%d' % number,
            stats=dict(good, xen_dom0_memory_mb=str(1024 + 512 * number)),
            memory_mb=32768 - 1024 * number,
        )
        for number in range(6)
    ]
    # Alike, so that their weights are equal.
    found += [hosts.xen('xen-t%d' % n, stats=good) for n in range(2)]
    found += [
        hosts.xen('xen-old%d' % n, stats={'xen_libvirt_version': '1.2.5'})
        for n in range(3)
    ]
    found += [
        hosts.xen('xen-pv%d' % n, 'xen-4.14-pv-only', stats=good)
        for n in range(2)
    ]
    found += [hosts.xen('xen-xen414', 'xen-4.14-hvm', stats=good)]
    found += [hosts.xen('xen-tiny', stats=good, memory_mb=1024)]
    found += [hosts.xen('xen-down', stats=good)]
    return found + [hosts.kvm('kvm-%d' % n) for n in range(6)]


class ExplainCloud(cloud.Cloud):
    FLEET = fleet()
    NOVA_CONF = (
        cloud.Cloud.NOVA_CONF.rstrip()
        + '\nweight_classes = nova.scheduler.weights.ram.RAMWeigher,'
        'nova_xen_sched.weights.Dom0HeadroomWeigher\n'
        '[xen_scheduler]\nmin_libvirt_version = 5.0.0\n'
        'min_xen_version = 4.17.0\nreport_only = xen_too_old\n'
    )

    def setUp(self):
        super().setUp()
        self.start_hosts(self.FLEET)


class BrokenWeigher(weights.BaseHostWeigher):
    """One of somebody else."""

    def __init__(self):
        raise KeyError('broken')

    def _weigh_object(self, state, spec):
        return 0.0


class Explaining:
    def explain(self, *arguments, code=0):
        ran = commands.run('explain', *arguments)
        self.assertEqual(code, ran.code, ran.out + ran.err)
        return ran

    def fails(self, *arguments):
        """What explain says when it fails: one line."""
        ran = self.explain(*arguments, code=2)
        self.assertEqual('', ran.out)
        self.assertEqual(1, len(ran.err.splitlines()), ran.err)
        return ran.err.strip()

    def changed_host(self, name, **changes):
        """Have a host report something else for the rest of the test."""
        profile = next(p for p in fleet() if p.name == name)
        self.addCleanup(self.change_host, profile)
        self.change_host(profile.but(**changes))

    def booted(self, host):
        """A server that is there for the rest of the test."""
        image = self.create_image('hvm', **cases.HVM)
        server = self.boot(image, host=host)
        self.addCleanup(self.delete, server)
        return server

    def rows(self, *arguments, code=0):
        """What a program reads."""
        ran = self.explain('-f', 'json', *arguments, code=code)
        return {row['host']: row for row in ran.json['hosts']}


class ExplainTest(Explaining, cloud.SharedCloud):
    CLOUD = ExplainCloud

    def assert_golden(self, name, ran):
        """It is what a person reads. UPDATE_GOLDEN=1 writes it anew."""
        text = re.sub(_NEWER, '', ran.out)
        text = re.sub(r'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', 'ID', text)
        path = os.path.join(GOLDEN, name + '.txt')
        if os.environ.get('UPDATE_GOLDEN'):
            with open(path, 'w') as f:
                f.write(text)
        with open(path) as f:
            self.assertEqual(f.read(), text)

    def test_what_a_person_reads(self):
        service = self.api.get_services(binary='nova-compute', host='xen-down')
        self.addCleanup(
            self.api.put_service_force_down, service[0]['id'], False
        )
        self.stop_host('xen-down')
        self.assert_golden('hvm', self.explain(*HVM, *SMALL))
        self.assert_golden(
            'hvm-limit', self.explain(*HVM, *SMALL, '--limit=2')
        )
        self.assert_golden(
            'hvm-host-refused',
            self.explain(*HVM, *SMALL, '--host=xen-old1', code=1),
        )
        self.assert_golden(
            'hvm-host-weighed', self.explain(*HVM, *SMALL, '--host=xen-t0')
        )
        self.assert_golden(
            'hvm-host-placement',
            self.explain(*HVM, *SMALL, '--host=xen-tiny', code=1),
        )
        self.assert_golden(
            'none',
            self.explain(
                *HVM, '--ram=999999', '--vcpus=1', '--disk=1', code=1
            ),
        )

    def test_a_server_and_what_is_to_be_done_with_it(self):
        server = self.booted('xen-t0')
        asked = ('--server', server['id'], '--limit=3', '--operation')
        for operation in ('boot', 'live-migrate', 'cold-migrate', 'rebuild'):
            self.assert_golden(operation, self.explain(*asked, operation))
        self.assert_golden(
            'evacuate', self.explain(*asked, 'evacuate', code=1)
        )
        self.assert_golden(
            'rebuild-pv',
            self.explain(
                *asked, 'rebuild', '--property=architecture=ppc64le', code=1
            ),
        )

    def test_every_format_has_every_host(self):
        for name in ('json', 'yaml', 'csv', 'value'):
            ran = self.explain('-f', name, *HVM, *SMALL)
            for profile in fleet():
                self.assertIn(profile.name, ran.out)
        self.assertEqual(
            ['xen-a0', 'xen-a1'],
            self.explain(
                '-f', 'value', '-c', 'host', '--limit=2', *HVM, *SMALL
            ).lines,
        )

    def test_rows_have_all_there_is(self):
        rows = self.rows(*HVM, *SMALL)
        self.assertEqual(22, len(rows))
        self.assertEqual('first', rows['xen-a0']['result'])
        self.assertEqual(
            {'RAMWeigher', 'Dom0HeadroomWeigher'},
            set(rows['xen-a0']['shares']),
        )
        self.assertEqual(rows['xen-t0']['rank'], rows['xen-t1']['rank'])
        old = rows['xen-old0']
        self.assertEqual('XenHostFilter', old['step'])
        self.assertEqual('libvirt_too_old', old['reasons'][-1]['code'])
        self.assertEqual('placement', rows['xen-tiny']['step'])
        (reported,) = rows['xen-xen414']['reasons']
        self.assertEqual('xen_too_old', reported['code'])
        self.assertIs(True, reported['report_only'])

    def test_an_image_in_glance_by_name_and_by_id(self):
        store = self.useFixture(glance.Glance())
        image_id = uuidutils.generate_uuid()
        store.add(image_id, 'my image', **cases.HVM)
        expected = self.rows(*HVM, *SMALL)
        self.assertEqual(expected, self.rows('--image=my image', *SMALL))
        self.assertEqual(expected, self.rows('--image', image_id, *SMALL))
        # And a property in place of its own.
        pv = self.rows('--image', image_id, '--property=vm_mode=xen', *SMALL)
        self.assertIsNotNone(pv['xen-pv0']['rank'])
        self.assertIn(
            'There is no image with the name or id nope',
            self.fails('--image=nope', *SMALL),
        )
        # As nova writes it for a snapshot of a volume-backed server.
        root = {'boot_index': 0, 'source_type': 'snapshot', 'volume_size': 8}
        root.update(destination_type='volume', snapshot_id=image_id)
        store.add(
            uuidutils.generate_uuid(),
            'my snapshot',
            bdm_v2='True',
            block_device_mapping=json.dumps([root]),
            **cases.HVM,
        )
        # No host has such a disk, and none is asked for one.
        huge = ('--ram=2048', '--vcpus=2', '--disk=999999')
        found = self.rows('--image=my snapshot', *huge)
        self.assertIsNotNone(found['xen-t0']['rank'])
        self.assertEqual(self.rows(*HVM, *huge, '--boot-from-volume'), found)
        # The properties that count may be the volume's.
        ran = self.explain(*HVM, *SMALL, '--boot-from-volume')
        self.assertIn(
            'openstack volume set --image-property NAME=VALUE VOLUME',
            ' '.join(ran.out.split()),
        )
        store.add(uuidutils.generate_uuid(), 'my image')
        self.assertIn(
            'more than one image', self.fails('--image=my image', *SMALL)
        )

    def test_a_flavor_by_name_and_by_id(self):
        flavor_id = self.create_flavor(ram=2048, vcpus=2, disk=10)
        name = self.api.get_flavor(flavor_id)['name']
        expected = self.rows(*HVM, *SMALL)
        self.assertEqual(expected, self.rows(*HVM, '--flavor', flavor_id))
        self.assertEqual(expected, self.rows(*HVM, '--flavor', name))

    def test_a_zone_and_a_group_are_heeded(self):
        if 'query_placement_for_availability_zone' in CONF.scheduler:
            # Later novas always do, and have no AvailabilityZoneFilter.
            self.flags(
                query_placement_for_availability_zone=True, group='scheduler'
            )
        zone = self.create_aggregate(
            'zone', ['xen-a3', 'kvm-1'], {'availability_zone': 'z1'}
        )
        self.addCleanup(self.api.delete_aggregate, zone)
        for name in ('xen-a3', 'kvm-1'):
            self.addCleanup(
                self.api.post_aggregate_action,
                zone,
                {'remove_host': {'host': name}},
            )
        rows = self.rows(*HVM, *SMALL, '--availability-zone=z1')
        self.assertEqual(['xen-a3'], [h for h, r in rows.items() if r['rank']])
        # A host in it that is forced: nova runs no filter.
        ran = self.explain(*HVM, *SMALL, '--availability-zone=nova:kvm-0')
        self.assertIn('kvm-0 is the only host that can take', ran.out)
        self.assertIn('nova runs no filter', ran.out)
        self.assertIn(
            'XenHostFilter would refuse kvm-0 for hypervisor_type: the image',
            ran.out,
        )
        image = self.create_image('hvm', **cases.HVM)
        group = self.api.post_server_groups(
            {'name': 'apart', 'policy': 'anti-affinity'}
        )
        server = self.boot(image, hints={'group': group['id']})
        self.addCleanup(self.delete, server)
        host = self.host_of(server)
        rows = self.rows(*HVM, *SMALL, '--hint=group=%s' % group['id'])
        self.assertEqual('ServerGroupAntiAffinityFilter', rows[host]['step'])

    def test_a_room_of_which_xen_reports_what_is_left(self):
        stats = dict(fleet()[0].stats, xen_free_memory_mb='9000')
        self.changed_host('xen-a0', stats=stats)
        rows = self.rows(*HVM, *SMALL)
        resources = {
            resource['resource']: resource
            for resource in rows['xen-a0']['resources']
        }
        self.assertEqual(
            ['computed', 'computed', 'reported by Xen'],
            [resource['source'] for resource in resources.values()],
        )
        ram = resources['host_memory']
        # libxl_create.c's overhead: 4 KiB a MiB, 1 MiB a vCPU, 2 a guest.
        overhead = {'none': 0, 'libxl': 12, 'xenapi': 21.99}[
            CONF.xen_scheduler.guest_memory_overhead
        ]
        self.assertAlmostEqual(
            9000 - 2048 - overhead, ram['capacity'] - ram['used'], 1
        )
        self.assertEqual('MiB', ram['unit'])
        self.assertEqual([], rows['kvm-0']['resources'])
        # In whatever case the host is written.
        out = self.explain(*HVM, *SMALL, '--host=XEN-A0').out
        self.assertRegex(out, '(?m)^host_memory .* reported by Xen$')

    def test_a_hypervisor_version_on_which_nova_hangs(self):
        self.changed_host('kvm-0', hypervisor_version=-1)
        # It would stand here for good.
        self.flags(
            enabled_filters=['ImagePropertiesFilter'],
            group='filter_scheduler',
        )
        ran = self.explain(
            '--property=hypervisor_version_requires=>=8.0',
            '--property=vm_mode=hvm',
            *SMALL,
        )
        self.assertIn('Refused by ImagePropertiesFilter', ran.out)
        self.assertIn('kvm-0', ran.out)
        self.assertIn('hangs (1): kvm-0 reports -1', self.log)
        ran = commands.run('host', 'list', '--all')
        self.assertEqual(0, ran.code, ran.err)

    def test_a_host_that_is_disabled(self):
        service = self.api.get_services(binary='nova-compute', host='xen-a0')
        self.addCleanup(
            self.api.put_service, service[0]['id'], {'status': 'enabled'}
        )
        self.api.put_service(
            service[0]['id'], {'status': 'disabled', 'disabled_reason': 'ram'}
        )
        out = self.explain(*HVM, *SMALL).out
        self.assertIn(
            '  With a disabled nova-compute, 1: xen-a0\n'
            '    openstack compute service list --long --service '
            'nova-compute\n'
            '    openstack compute service set --enable xen-a0 nova-compute\n',
            out,
        )
        out = self.explain(*HVM, *SMALL, '--host=xen-a0', code=1).out
        self.assertIn('service set --enable xen-a0 nova-compute', out)

    def test_notes_stand_beside_one_host_too(self):
        self.flags(max_placement_results=3, group='scheduler')
        # xen-tiny is too small, so that placement leaves it out in any case.
        out = self.explain(*HVM, *SMALL, '--host=xen-tiny', code=1).out
        self.assertIn('max_placement_results = 3', out)

    def test_what_randomises_is_said(self):
        self.flags(host_subset_size=3, group='filter_scheduler')
        self.flags(
            shuffle_best_same_weighed_hosts=True, group='filter_scheduler'
        )
        out = self.explain(*HVM, *SMALL).out
        self.assertIn('nova takes any of the first 3:', out)
        self.assertIn('nova shuffles the hosts whose weight', out)
        # It stands beside the rows, too.
        err = self.explain('-f', 'csv', *HVM, *SMALL).err
        self.assertIn('host_subset_size = 3', err)
        notes = self.explain('-f', 'json', *HVM, *SMALL).json['outcome']
        self.assertEqual(
            {'host_subset_size', 'shuffle'},
            {each['code'] for each in notes['notes']},
        )

    def test_properties_that_mean_nothing_are_named(self):
        ran = self.explain('--property=hypervisor_typ=xen', *SMALL)
        self.assertIn('mean nothing to nova: hypervisor_typ.', ran.out)

    def test_a_server_that_is_stuck_migrating(self):
        server = self.booted('xen-t0')
        with self._cell_context('xen-t0') as ctxt:
            instance = objects.Instance.get_by_uuid(ctxt, server['id'])
            instance.task_state = 'migrating'
            instance.save()
        ran = self.explain(
            '--server', server['id'], '--operation=live-migrate', code=1
        )
        self.assertIn('The server is MIGRATING.', ran.out)
        self.assertIn('ad71665 and b7b4391', ran.out)

    def test_nothing_is_changed(self):
        server = self.booted('xen-t0')
        statements = []

        def note(conn, cursor, statement, *rest):
            statements.append(statement.split()[0].upper())

        wrote = []
        for verb in ('post', 'put', 'delete'):
            self.useFixture(
                fixtures.MonkeyPatch(
                    'nova.scheduler.client.report.SchedulerReportClient.'
                    + verb,
                    lambda *args, **kwargs: wrote.append(args),
                )
            )
        engine = sqlalchemy.engine.Engine
        sqlalchemy.event.listen(engine, 'before_cursor_execute', note)
        try:
            self.explain(*HVM, *SMALL)
            for operation in ('boot', 'live-migrate', 'evacuate', 'rebuild'):
                self.explain(
                    *('--server', server['id'], '--operation', operation),
                    # Its host is up.
                    code=int(operation == 'evacuate'),
                )
            for argv in (
                ('host', 'list', '--all'),
                ('host', 'show', 'xen-a0'),
                ('capacity',),
            ):
                self.assertEqual(0, commands.run(*argv).code)
        finally:
            sqlalchemy.event.remove(engine, 'before_cursor_execute', note)
        self.assertGreater(len(statements), 20)
        self.assertEqual(
            set(), set(statements) - {'SELECT', 'PRAGMA', 'BEGIN'}
        )
        self.assertEqual([], wrote)

    # Failures: each in one line, and exit code 2.

    def test_wrong_values(self):
        for arguments, words in (
            (['--flavor=nope'], 'There is no flavor with the name or id nope'),
            (
                ['--property=hypervisor_type=zen', *SMALL],
                'nova refuses the image property hypervisor_type=zen: ',
            ),
            (
                ['--property=vm_mode=xenpvh', *SMALL],
                'nova refuses the image property vm_mode=xenpvh: ',
            ),
            (
                ['--property=hw_cpu_sockets=many', *SMALL],
                'nova refuses the image property hw_cpu_sockets=many: ',
            ),
            (['--property=novalue', *SMALL], 'novalue is not KEY=VALUE'),
            (
                ['--hint=group=%s' % uuidutils.generate_uuid(), *SMALL],
                'could not be found',
            ),
            ([*SMALL, '--host=nope'], 'There is no such host: nope'),
            ([*SMALL, '--host=xen-z'], 'xen-z (nearest: xen-'),
            (
                [*SMALL, '--availability-zone=z9'],
                'nova refuses the availability zone z9, in which no',
            ),
            (['--server=name'], 'There is no server with the name or id name'),
            (
                ['--server=%s' % uuidutils.generate_uuid()],
                'There is no server ',
            ),
        ):
            self.assertIn(words, self.fails(*arguments))

    def test_placement_away(self):
        def away(*args, **kwargs):
            raise ks_exceptions.ConnectFailure('Unable to establish')

        self.useFixture(
            fixtures.MonkeyPatch(
                'nova.scheduler.client.report.SchedulerReportClient.get', away
            )
        )
        ran = self.explain(*HVM, *SMALL, code=1)
        self.assertIn(
            "The answer is partial. Placement can't be reached: "
            'ConnectFailure: Unable to establish',
            ran.err,
        )
        self.assertIn('finds no host; this is as if placement left', ran.err)
        # What needs no placement is there.
        self.assertIn('xen-a0 comes first, of 11 hosts', ran.out)
        self.assertIn('Refused by XenHostFilter, 11:', ran.out)
        ran = self.explain(*HVM, *SMALL, '-f', 'json', code=1)
        self.assertIs(True, ran.json['outcome']['partial'])
        # Filters of NUMA and PCI devices look at the candidates.
        self.flags(
            enabled_filters=['NUMATopologyFilter', 'PciPassthroughFilter'],
            group='filter_scheduler',
        )
        rows = self.rows(*HVM, *SMALL, code=1)
        self.assertIsNotNone(rows['xen-a0']['rank'])

    def test_placement_refuses(self):
        self.useFixture(
            fixtures.MonkeyPatch(
                'nova.scheduler.utils.ResourceRequest.to_querystring',
                lambda self: 'resources=VCPU:0',
            )
        )
        ran = self.explain(*HVM, *SMALL, code=1)
        self.assertIn('Placement answers with an error: 400 ', ran.err)
        self.assertNotIn('{', ran.err)

    def test_errors_that_placement_answers_with(self):
        """As its proxy and its middleware write them."""
        for status, text, words in (
            (401, '{"error": {"code": 401}}', 'Check the user and the pass'),
            (403, '<html><h1>Forbidden</h1></html>', '403 Forbidden. The us'),
            (404, '404 page not found', 'Check the endpoint of placement'),
            (
                500,
                '{"errors": [{"status": 500, "detail": "The server.\\n\\n '
                'out of memory"}]}',
                '500 out of memory. See the log of placement.',
            ),
        ):
            answer = requests.Response()
            answer.status_code = status
            answer._content = text.encode()
            with mock.patch.object(
                report.SchedulerReportClient, 'get', return_value=answer
            ):
                ran = self.explain(*HVM, *SMALL, code=1)
            self.assertIn(words, ran.err)
            self.assertEqual(1, len(ran.err.splitlines()), ran.err)

    def test_options_that_are_wrong(self):
        self.flags(enabled_filters=['Nope'], group='filter_scheduler')
        self.assertIn(
            'nova-scheduler would not start', self.fails(*HVM, *SMALL)
        )
        self.flags(enabled_filters=['ComputeFilter'], group='filter_scheduler')
        self.flags(
            weight_classes=['no.such.Weigher'], group='filter_scheduler'
        )
        self.assertIn(
            "weight_classes names no.such.Weigher, which can't be loaded",
            self.fails(*HVM, *SMALL),
        )
        # A class that can't be started.
        self.flags(
            weight_classes=[BrokenWeigher.__module__ + '.BrokenWeigher'],
            group='filter_scheduler',
        )
        said = self.fails(*HVM, *SMALL)
        self.assertIn(
            "of which BrokenWeigher can't be started: KeyError: 'broken'", said
        )


class CellsTest(Explaining, ExplainCloud):
    """Each has a cloud of its own, of which it changes the cells."""

    FLEET = fleet()[:1]

    def test_no_cell_is_mapped(self):
        admin = context.get_admin_context()
        for mapping in objects.HostMappingList.get_by_cell_id(
            admin, self.cell_mappings['cell1'].id
        ):
            mapping.destroy()
        for mapping in self.cell_mappings.values():
            mapping.destroy()
        self.assertIn('No cell is mapped', self.fails(*HVM, *SMALL))

    def test_a_cell_away_makes_the_answer_partial(self):
        far = objects.CellMapping(
            context.get_admin_context(),
            uuid=uuidutils.generate_uuid(),
            name='far',
            database_connection=self.cell_mappings[
                'cell1'
            ].database_connection,
            transport_url='fake://far',
            disabled=False,
        )
        far.create()
        # The fixtures know no database that is away: this stands for one.
        real = objects.ServiceList.get_by_binary.__func__

        def get_by_binary(cls, ctxt, *args, **kwargs):
            if ctxt.cell_uuid == far.uuid:
                raise db_exception.DBConnectionError('Connection refused')
            return real(cls, ctxt, *args, **kwargs)

        self.useFixture(
            fixtures.MonkeyPatch(
                'nova.objects.ServiceList.get_by_binary',
                classmethod(get_by_binary),
            )
        )
        ran = self.explain(*HVM, *SMALL, code=1)
        self.assertIn('xen-a0 is the only host', ran.out)
        self.assertIn(
            'The answer is partial. The database of cell far '
            "can't be reached: Connection refused.",
            ran.err,
        )
