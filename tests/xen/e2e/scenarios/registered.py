# SPDX-License-Identifier: Apache-2.0

"""Both hosts are known, without anything typed."""

from __future__ import annotations

import ast
import json
from pathlib import Path

from nova_xen_sched import facts
from tests.unit.compute import nova_text
from tests.xen.e2e.cloud import Cloud
from tests.xen.e2e.cloud import show
from tests.xen.e2e.hosts import DOM0_MB
from tests.xen.e2e.hosts import NAMES

TITLE = 'What the hosts report of themselves'

_NOVA_TEXT = Path(nova_text.__file__)
#: What nova reads as Xen and PV and HVM; PVH isn't in nova's words.
_GUEST_TYPES = [
    ['i686', 'xen', 'hvm'],
    ['x86_64', 'xen', 'hvm'],
    ['x86_64', 'xen', 'xen'],
]


def _dom0_vcpus(cloud: Cloud, name: str) -> str:
    """By xl list: Name, ID, Mem, VCPUs, State, Time(s)."""
    return cloud.pair[name].run('xl list Domain-0').splitlines()[1].split()[3]


def _nova_is_the_same(cloud: Cloud) -> None:
    """The guard of the unit tests, for the nova that is there."""
    with cloud.report.step(
        "dom0's nova has the functions that were measured"
    ) as step:
        for name in NAMES:
            host = cloud.pair[name]
            host.host.write('/root/nova_text.py', _NOVA_TEXT.read_bytes())
            printed = host.run(
                '{0} /root/nova_text.py '
                '$({0} -c "import nova; print(*nova.__path__)")/..'.format(
                    host.kind.program('python3')
                )
            )
            found = ast.literal_eval('{%s}' % printed)
            # An environment has 22.4.0, Debian 22.0.1.
            wanted = (
                nova_text.NOVA_22_4_0
                if host.kind.environment
                else nova_text.NOVA_22
            )
            step.check(
                found == wanted,
                '%s: %s' % (name, set(found.items()) - set(wanted.items())),
            )
        step.says('%d functions, the same text' % len(nova_text.NOVA_22))


def run(cloud: Cloud) -> None:
    _nova_is_the_same(cloud)
    (wheel,) = Path(cloud.settings.path('wheel')).glob('*.whl')
    ours = wheel.name.split('-')[1]
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
                and found.get('xen_libvirt_version')
                == cloud.pair[name].kind.libvirt
                and found.get('xen_dom0_memory_mb') == str(DOM0_MB)
                and found.get('xen_dom0_vcpus') == _dom0_vcpus(cloud, name)
                and found.get('xen_libvirt_migration_backports') == 'true'
                and found.get('xen_reserved_host_memory_mb') == '512',
                '%s: not what xl has, Xen %s' % (name, version),
            )
            step.check(
                set(found)
                == {each.stats_key for each in facts.NAMES}
                | {facts.FREE_MEMORY, facts.REPORTED_BY},
                '%s: not every fact, or others: %s' % (name, sorted(found)),
            )
            step.check(
                found.get(facts.REPORTED_BY) == 'nova-compute-xen ' + ours,
                '%s: reported by %s' % (name, found.get(facts.REPORTED_BY)),
            )
            free = int(found['xen_free_memory_mb'])
            step.check(
                abs(free - int(xl['free_memory'])) <= 1,
                '%s: xl info has %s MiB free' % (name, xl['free_memory']),
            )
        step.says('every fact, in stats, and equal to what xl has')
    with cloud.report.step('host list') as step:
        rows = {
            row['host']: row for row in cloud.json('host', 'list', '--all')
        }
        step.check(sorted(rows) == list(NAMES), 'hosts: %s' % sorted(rows))
        for name, row in rows.items():
            step.check(
                sorted(row['guest_types']) == _GUEST_TYPES
                and row['libvirt_source'] == row['xen_source'] == 'stats'
                and row['dom0_memory_mb']['value'] == DOM0_MB
                and row['live_migration']['answer'] == 'yes',
                '%s: %s' % (name, row),
            )
        step.says('both, by their own stats')
        show(step, cloud.command('nova-xen-sched', 'host', 'list')[1])
    with cloud.report.step('host show %s' % NAMES[0]) as step:
        code, text = cloud.command('nova-xen-sched', 'host', 'show', NAMES[0])
        step.check(code == 0, 'exit code %d' % code)
        step.says('exit code 0')
        show(step, text)
