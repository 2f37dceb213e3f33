# SPDX-License-Identifier: Apache-2.0

"""Facts published through the API of a real nova, as the command does it.

Keystone alone is stood for: a token is the name of its user.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import threading
from unittest import mock

import fixtures
from nova.api import auth
from oslo_policy import policy as oslo_policy
from placement import policy as placement_policy
import pytest

from nova_xen_sched.cmd import application
from nova_xen_sched.cmd.facts import aggregates
from nova_xen_sched.cmd.facts import apply
from nova_xen_sched.cmd.facts import nova_api
from nova_xen_sched.cmd.facts import publish as publishing
import tests.functional  # noqa: F401  before any other import of nova
from tests.functional import hosts
from tests.functional.cases import FilterCase
from tests.functional.cases import HVM
from tests.functional.cases import sized

pytestmark = pytest.mark.commands

CLOUDS = """
clouds:
  admin: &one
    auth_type: admin_token
    auth: {endpoint: "%(endpoint)s", token: admin}
    placement_endpoint_override: "%(placement)s"
  alone:
    <<: *one
    placement_endpoint_override: "http://127.0.0.1:9"
  reader:
    <<: *one
    auth: {endpoint: "%(endpoint)s", token: reader}
  away:
    <<: *one
    auth: {endpoint: "http://127.0.0.1:9/v2.1", token: hidden-token}
"""

FILE = """
version: 1
defaults: {dom0_vcpus: 4}
patterns:
  - {match: "new*", libvirt_version: "9.0.0"}
hosts:
  old: {libvirt_version: "%s", observed_at: "2026-11-22T10:00:00Z"}
"""


class PublishCase(FilterCase):
    def setUp(self):
        super().setUp()
        self._stand_for_keystone()
        path = os.path.join(self._folder, 'clouds.yaml')
        with open(path, 'w') as f:
            f.write(
                CLOUDS
                % {
                    'endpoint': self.api.base_url,
                    'placement': self.placement.fixture.endpoint,
                }
            )
        self.useFixture(
            fixtures.EnvironmentVariable('OS_CLIENT_CONFIG_FILE', path)
        )
        # The command quietens these, which other tests listen to.
        for name in publishing._CHATTY:
            logger = logging.getLogger(name)
            self.addCleanup(logger.setLevel, logger.level)
        self.facts = os.path.join(self._folder, 'facts.yaml')
        self.write('1.2.5')
        self.start_hosts(
            [
                hosts.xen('old', **sized('large')),
                hosts.xen('new1', **sized('middle')),
                hosts.xen('new2', **sized('small')),
                hosts.kvm('kvm'),
            ]
        )

    def _stand_for_keystone(self):
        of_headers = auth.NovaKeystoneContext._create_context

        def of_token(env, **kwargs):
            if 'HTTP_X_AUTH_USER' not in env:
                user = env['HTTP_X_AUTH_TOKEN']
                env = dict(
                    env,
                    HTTP_X_AUTH_USER=user,
                    HTTP_X_AUTH_PROJECT_ID='p',
                    HTTP_X_ROLES=user,
                )
            return of_headers(env, **kwargs)

        self.useFixture(
            fixtures.MonkeyPatch(
                'nova.api.auth.NovaKeystoneContext._create_context', of_token
            )
        )

    def write(self, version, text=FILE):
        with open(self.facts, 'w') as f:
            f.write(text % version)

    def memory_of(self, host):
        """The path of a host's memory in placement."""
        found = self.placement.get('/resource_providers?name=' + host).body
        return (
            '/resource_providers/%s/inventories/MEMORY_MB'
            % (found['resource_providers'][0]['uuid'])
        )

    def reserve(self, host, reserved_mb):
        """Change what placement has, as the host's nova-compute would."""
        path = self.memory_of(host)
        inventory = self.placement.get(path).body
        inventory['reserved'] = reserved_mb
        self.assertEqual(200, self.placement.put(path, inventory).status)

    def reserves(self):
        """What our aggregates say of each host's reserve."""
        return {
            host: metadata.get('xen:reserved_host_memory_mb')
            for metadata, members in self.aggregates().values()
            for host in members
        }

    def publish(self, *options, cloud='admin', code=0, file=True):
        """What the command prints to stdout, as JSON, and to stderr."""
        out, err = io.StringIO(), io.StringIO()
        root = logging.getLogger()
        before = root.handlers, root.level
        root.handlers = []
        try:
            program = application.App(stdout=out, stderr=err)
            # What is installed may be older than what is tested.
            program.command_manager.add_command(
                'facts publish', publishing.Publish
            )
            ended = program.run(
                ['facts', 'publish', '-f', 'json', '--os-cloud', cloud]
                + (['--from-file', self.facts] if file else [])
                + [*options]
            )
        finally:
            root.handlers, root.level = before
        self.assertEqual(code, ended, err.getvalue())
        self.said = err.getvalue()
        return json.loads(out.getvalue() or 'null')

    def aggregates(self):
        """{name: (metadata, hosts)}"""
        found = self.api.api_get('/os-aggregates').body['aggregates']
        return {a['name']: (a['metadata'], sorted(a['hosts'])) for a in found}

    def facts_of(self, host):
        """What our aggregates say of a host."""
        return [
            metadata['xen:libvirt_version']
            for metadata, members in self.aggregates().values()
            if host in members and aggregates.MANAGED_BY in metadata
        ]

    def until_the_scheduler_knows(self):
        def known():
            now = self.aggregates()
            seen = self.host_manager.aggs_by_id.values()
            return now == {
                a.name: (a.metadata, sorted(a.hosts)) for a in seen
            } and all(
                sum(
                    a.id in self.host_manager.host_aggregates_map[host]
                    for a in seen
                )
                == sum(host in members for _, members in now.values())
                for host in self.computes
            )

        self._until(known, 'the scheduler to learn of the aggregates')


class TestPublish(PublishCase):
    def test_from_a_file_to_the_next_request(self):
        image = self.create_image('hvm', **HVM)
        self.assert_boots_on('old', image)
        # A dry run says what would be, and changes nothing.
        planned = self.publish()
        self.assertEqual({'planned'}, {row['result'] for row in planned})
        self.assertIn('Nothing was changed: add --apply', self.said)
        self.assertEqual({}, self.aggregates())
        done = self.publish('--apply')
        self.assertEqual([dict(row, result='done') for row in planned], done)
        self.assertEqual(
            [
                (
                    {
                        'xen:dom0_vcpus': '4',
                        'xen:libvirt_version': '1.2.5',
                        'xen:observed_at': '2026-11-22T10:00:00Z',
                        'xen:managed_by': 'nova-xen-sched',
                        'xen:reserved_host_memory_mb': '512',
                    },
                    ['old'],
                ),
                (
                    {
                        'xen:dom0_vcpus': '4',
                        'xen:libvirt_version': '9.0.0',
                        'xen:managed_by': 'nova-xen-sched',
                        'xen:reserved_host_memory_mb': '512',
                    },
                    ['new1', 'new2'],
                ),
            ],
            sorted(self.aggregates().values(), key=str),
        )
        self.until_the_scheduler_knows()
        self.assert_boots_on('new1', image)
        # Again: nothing to do.
        self.assertEqual([], self.publish('--apply'))
        self.assertEqual([], self.publish())
        self.assertIn('Nothing to change', self.said)
        # Upgraded: it moves to the others, and its aggregate goes.
        self.write('9.0.0')
        self.publish('--apply')
        self.until_the_scheduler_knows()
        self.assert_boots_on('old', image)
        # What isn't told of any more stays, until it is pruned.
        self.write('', 'version: 1\nhosts: {old: {}}\n%s')
        self.publish('--apply')
        self.assertIn('new1, new2', self.said)
        self.assertEqual(['9.0.0'], self.facts_of('new1'))
        self.publish('--apply', '--prune')
        self.assertEqual({}, self.aggregates())

    def test_hosts_that_nova_does_not_know(self):
        self.write('9.0.0', FILE + '  nobody: {}\n  NEW1: {dom0_vcpus: 8}\n')
        rows = self.publish('--apply', code=1)
        self.assertIn('nova has no host nobody', self.said)
        self.assertEqual({'done'}, {row['result'] for row in rows})
        self.assertEqual(['9.0.0'], self.facts_of('new1'))

    def test_what_is_not_ours_is_not_touched(self):
        self.publish('--apply')
        (ours,) = (
            name
            for name, (_, members) in self.aggregates().items()
            if members == ['old']
        )
        self.write('9.0.1')
        (name,) = {
            row['aggregate']
            for row in self.publish()
            if row['change'] == 'create'
        }
        foreign = {
            self.create_aggregate('az', ['old'], {'availability_zone': 'z'}),
            self.create_aggregate(name, ['new1'], {'mine': 'yes'}),
        }
        before = self.aggregates()
        rows = self.publish('--apply', '--prune', code=1)
        self.assertEqual([], rows)
        self.assertIn(name + ' is not ours', self.said)
        self.assertEqual(before, self.aggregates())
        self.assertEqual(2, len(foreign))
        # Nor is ours any more, once it has an availability zone.
        self.write('9.0.2')
        identity = next(
            each.id
            for each in nova_api.Nova('admin').aggregates()
            if each.name == ours
        )
        self.api.post_aggregate_action(
            identity,
            {'set_metadata': {'metadata': {'availability_zone': 'z'}}},
        )
        before = self.aggregates()[ours]
        self.publish('--apply')
        self.assertEqual(before, self.aggregates()[ours])
        zones = [
            metadata.get('availability_zone')
            for metadata, members in self.aggregates().values()
            if 'old' in members
        ]
        self.assertEqual(['z', 'z', None], sorted(zones, key=str, reverse=1))

    def test_a_lower_value_of_another_aggregate_is_told(self):
        self.create_aggregate('mine', ['new1'], {'xen:libvirt_version': '1'})
        self.publish()
        self.assertIn(
            'new1: xen:libvirt_version stays 1, because aggregate mine, ',
            self.said,
        )

    def test_a_user_without_rights_and_a_cloud_that_is_away(self):
        self.assertIsNone(self.publish('--apply', cloud='reader', code=2))
        self.assertIn('403', self.said)
        self.assertEqual(1, len(self.said.splitlines()), self.said)
        self.assertIsNone(self.publish('--apply', cloud='away', code=2))
        self.assertIn('Unable to establish connection', self.said)
        self.assertEqual(1, len(self.said.splitlines()), self.said)
        self.assertNotIn('hidden-token', self.said)
        self.assertIsNone(self.publish('--apply', cloud='none', code=2))
        self.assertIn('Cloud none was not found', self.said)
        self.assertEqual({}, self.aggregates())


class TestReserves(PublishCase):
    @contextlib.contextmanager
    def placements_policy(self, rule):
        """Have another rule for who may read an inventory."""
        name = 'placement:resource_providers:inventories:show'
        rules = oslo_policy.Rules.from_dict({name: rule})
        with mock.patch.dict(placement_policy._ENFORCER.rules, rules):
            yield

    def test_placement_has_the_truth(self):
        key = 'xen:reserved_host_memory_mb'
        self.reserve('new1', 4096)
        self.write(
            '9.0.0',
            FILE.replace('{dom0_', '{reserved_host_memory_mb: 1, dom0_'),
        )
        self.publish('--apply')
        expected = {'old': '512', 'new1': '4096', 'new2': '512'}
        self.assertEqual(expected, self.reserves())
        for line in (
            'new1: %s is 4096, as placement has it, and not 1, as was given.',
            'old, new2: %s is 512, as placement has it, and not 1, as was '
            'given.',
        ):
            self.assertIn(line % key + '\n', self.said)
        # Where placement can't be asked, nothing is forgotten of it.
        stays = '%s of old, new1, new2 stays as it was given, or else ' % key
        self.write('9.0.0')
        for cloud, rule, why in (
            ('admin', '!', 'placement answers 403: '),
            ('alone', '', 'Unable to establish connection '),
        ):
            with self.placements_policy(rule):
                self.assertEqual([], self.publish(cloud=cloud, code=1))
            self.assertIn('Asking placement: ' + why, self.said)
            self.assertEqual(1, self.said.count(stays), self.said)
        # The reserve alone, for all Xen hosts; all else stays.
        self.reserve('new1', 2048)
        before = self.aggregates()
        self.publish('--from-placement', '--apply', file=False)
        self.assertEqual({**expected, 'new1': '2048'}, self.reserves())
        self.assertEqual(['9.0.0'], self.facts_of('new1'))
        self.assertIn('%s: 4096 -> 2048' % key, self.said)
        self.assertNotIn('as was given', self.said)
        self.assertEqual(
            [], self.publish('--from-placement', '--apply', file=False)
        )
        self.reserve('new1', 4096)
        self.publish('--from-placement', '--apply', file=False)
        self.assertEqual(before, self.aggregates())
        # Without it there is nothing to publish.
        with self.placements_policy('!'):
            self.assertIsNone(
                self.publish('--from-placement', code=2, file=False)
            )
        self.assertIn(
            'needs the right to read resource providers, ', self.said
        )

    def test_a_host_without_memory_in_placement(self):
        answer = self.placement.delete(self.memory_of('old'))
        self.assertEqual(204, answer.status)
        self.publish('--from-placement', '--apply', code=1, file=False)
        self.assertIn('Placement has no inventory of MEMORY_MB: ', self.said)
        self.assertEqual({'new1': '512', 'new2': '512'}, self.reserves())


class TestInterrupted(PublishCase):
    def interrupted(self, calls):
        """Publish, and be interrupted before one more call than these."""
        left = [calls]

        def counting(real):
            def call(*args):
                if not left[0]:
                    raise KeyboardInterrupt
                left[0] -= 1
                return real(*args)

            return call

        with contextlib.ExitStack() as undo:
            for name in ('create', 'change'):
                undo.enter_context(
                    mock.patch.object(
                        nova_api.Nova,
                        name,
                        counting(getattr(nova_api.Nova, name)),
                    )
                )
            return self.publish('--apply', code=1 if calls < self.total else 0)

    def test_interrupted_anywhere_and_run_again(self):
        versions = ['1.2.5', '9.0.1']
        self.write(versions[0])
        self.publish('--apply')
        # create, set, add, remove, delete, and telling the schedulers
        self.total = 6
        for calls in range(self.total + 1):
            before, after = versions
            self.write(after)
            self.interrupted(calls)
            found = self.facts_of('old')
            if calls < self.total:
                self.assertIn('Interrupted.', self.said)
            self.assertIn(
                found, [[before], [after], [before, after], [after, before]]
            )
            self.assertEqual(['9.0.0'], self.facts_of('new1'))
            self.publish('--apply')
            self.assertEqual([after], self.facts_of('old'))
            self.assertEqual([], self.publish())
            self.assertEqual(2, len(self.aggregates()))
            versions.reverse()
        self.until_the_scheduler_knows()


class TestTwoAtOnce(PublishCase):
    def test_two_at_once(self):
        for version in ('1.2.5', '9.0.0', '1.2.15', '9.0.1'):
            wanted = {
                host: {'xen:libvirt_version': version}
                for host in ('old', 'new1', 'new2')
            }
            both = [
                apply.Applying(nova_api.Nova('admin'), wanted)
                for _ in range(2)
            ]
            errors = []
            start = threading.Barrier(2)

            def run(each, start=start, errors=errors):
                try:
                    start.wait()
                    for _ in each.steps():
                        pass
                except Exception as e:
                    errors.append(e)

            threads = [
                threading.Thread(target=run, args=(each,)) for each in both
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual([], errors)
            for each in both:
                self.assertTrue(each.converged)
                self.assertEqual({}, each.failed)
            self.assertEqual(
                [
                    (
                        {
                            'xen:libvirt_version': version,
                            'xen:managed_by': 'nova-xen-sched',
                        },
                        ['new1', 'new2', 'old'],
                    )
                ],
                list(self.aggregates().values()),
            )
            self.until_the_scheduler_knows()
