# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""Both hosts are known, without anything typed."""

from __future__ import annotations

import json

from tests.xen_e2e.cloud import Cloud
from tests.xen_e2e.cloud import show
from tests.xen_e2e.hosts import NAMES

TITLE = 'What the hosts report of themselves'

#: What nova reads as Xen 4.14 and PV and HVM; PVH isn't in nova's words.
_GUEST_TYPES = 'PV (x86_64), HVM (i686, x86_64)'


def run(cloud: Cloud) -> None:
    with cloud.report.step('both report guest types and facts') as step:
        for name in NAMES:
            xl = dict(
                line.split(':', 1)
                for line in cloud.pair[name].run('xl info').splitlines()
                if ':' in line
            )
            xl = {key.strip(): value.strip() for key, value in xl.items()}
            stats = json.loads(cloud.stats(name))
            found = {
                key: value
                for key, value in sorted(stats.items())
                if key.startswith('xen_')
            }
            step.says('', '%s: %s' % (name, json.dumps(found)))
            version = '%s.%s%s' % (
                xl['xen_major'],
                xl['xen_minor'],
                xl['xen_extra'],
            )
            step.check(
                found.get('xen_version') == version
                and found.get('xen_libvirt_version') == '7.0.0'
                and found.get('xen_dom0_memory_mb') == '1280'
                and found.get('xen_reserved_host_memory_mb') == '512',
                '%s: not what xl info has, Xen %s' % (name, version),
            )
            free = int(found['xen_free_memory_mb'])
            step.check(
                abs(free - int(xl['free_memory'])) <= 1,
                '%s: xl info has %s MiB free' % (name, xl['free_memory']),
            )
        step.says('in HostState.stats, and equal to xl info')
    with cloud.report.step('host list') as step:
        rows = {
            row['host']: row for row in cloud.json('host', 'list', '--all')
        }
        step.check(sorted(rows) == list(NAMES), 'hosts: %s' % sorted(rows))
        for name, row in rows.items():
            step.check(
                row['guest_types'] == _GUEST_TYPES
                and row['libvirt_source'] == row['xen_source'] == 'stats'
                and row['dom0_memory_mb'] == 1280
                and row['live_migration'] == 'yes',
                '%s: %s' % (name, row),
            )
        step.says('both, by their own stats')
        show(step, cloud.command('nova-xen-sched', 'host', 'list')[1])
    with cloud.report.step('host show %s' % NAMES[0]) as step:
        code, text = cloud.command('nova-xen-sched', 'host', 'show', NAMES[0])
        step.check(code == 0, 'exit code %d' % code)
        step.says('exit code 0')
        show(step, text)
