# SPDX-License-Identifier: Apache-2.0

"""What the scheduler refuses, that nova and Xen would not or too late."""

from __future__ import annotations

from tests.e2e.client import host_of
from tests.xen.e2e.cloud import Cloud
from tests.xen.e2e.cloud import LARGE_MB
from tests.xen.e2e.cloud import show
from tests.xen.e2e.computes import RESERVED_MB
from tests.xen.e2e.hosts import NAMES

TITLE = 'Refusals'


def run(cloud: Cloud) -> None:
    _old_libvirt(cloud)
    _beside_dom0(cloud)


def _old_libvirt(cloud: Cloud) -> None:
    """The host that would come first is told to be old."""
    with cloud.report.step('an aggregate gives a host libvirt 1.2.5') as step:
        rows = cloud.json(
            'explain', '--image=' + cloud.image['pv'], '--flavor=small'
        )['hosts']
        (old, *_) = (
            row['host'] for row in rows if row['result'] in ('first', 'tied')
        )
        other = cloud.pair.other(old).name
        aggregate = cloud.client.create_aggregate('old', old)
        cloud.client.set_aggregate(aggregate, xen_libvirt_version='1.2.5')
        try:
            server = cloud.boot(step, 'elsewhere', image='pv')
            refused = cloud.refusals(server['id'])
            step.says(
                '%s would have come first; booted on %s'
                % (old, host_of(server)),
                *('%s is refused: %s' % each for each in refused.items()),
            )
            step.check(
                host_of(server) == other
                and list(refused) == [old]
                and refused[old].startswith('libvirt_too_old:')
                and 'aggregate' in refused[old],
                'it should be on %s, for libvirt_too_old' % other,
            )
        finally:
            cloud.client.set_aggregate(aggregate, xen_libvirt_version=None)
        cloud.client.delete(server)


def _beside_dom0(cloud: Cloud) -> None:
    with cloud.report.step(
        'a guest that fits by nova, not beside dom0: %d MiB' % LARGE_MB
    ) as step:
        # Of a host with guests the computed room may be the smaller one.
        empty = []
        reports = {name: cloud.memory(name) for name in NAMES}
        for name, (total, used, free) in reports.items():
            left = total - used
            if used == RESERVED_MB:
                empty.append(name)
            step.says(
                '',
                '%s: nova counts %d of %d MiB as left, Xen has %d'
                % (name, left, total, free),
            )
            step.check(
                left >= LARGE_MB > free,
                '%s is no host for this question' % name,
            )
        server = cloud.client.refused(
            cloud.image['pv'], flavor=cloud.flavor['large']
        )
        refused = cloud.refusals(server['id'])
        step.says(
            'no valid host, and no host tried it',
            *('%s is refused: %s' % each for each in sorted(refused.items())),
        )
        step.check(
            empty
            and sorted(refused) == list(NAMES)
            and all(
                reason.startswith('host_memory:')
                for reason in refused.values()
            )
            and all(
                'by what Xen itself reports' in refused[name] for name in empty
            ),
            'not both for host_memory, those without guests (%s) by what Xen '
            'itself reports' % ', '.join(empty),
        )
        for name in NAMES:
            step.check(
                server['id'] not in cloud.computes.log(name),
                '%s was asked to build it' % name,
            )
        cloud.client.delete(server)
    with cloud.report.step('explain it') as step:
        code, text = cloud.command(
            'nova-xen-sched',
            'explain',
            '--image=' + cloud.image['pv'],
            '--flavor=large',
        )
        step.says('exit code %d' % code)
        show(step, text)
        step.check(
            code == 1 and 'by what Xen itself reports' in text,
            'not what the scheduler said',
        )
