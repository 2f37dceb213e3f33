# SPDX-License-Identifier: Apache-2.0

"""From an older Xen to a newer one, and not back."""

from __future__ import annotations

from tests.e2e.client import host_of
from tests.xen.e2e import moves
from tests.xen.e2e.cloud import Cloud
from tests.xen.e2e.hosts import XenHost

TITLE = 'From an older Xen to a newer one'

#: nova's words for DestinationHypervisorTooOld, in nova-conductor's log.
_TOO_OLD = 'requires a newer hypervisor version than has been provided'


def run(cloud: Cloud) -> None:
    cloud.empty()
    older = min(cloud.pair.all, key=lambda host: host.kind.xen)
    for mode in ('pv', 'hvm'):
        with cloud.report.step(
            'boot a guest on Xen %s: %s' % (older.kind.xen, mode.upper())
        ) as step:
            cloud.server[mode] = cloud.boot(
                step, mode, host=older.name, image=mode
            )
            step.says('ACTIVE on %s' % host_of(cloud.server[mode]))
        if mode not in cloud.server:
            continue
        moves.live_migrate(cloud, mode)
        _not_back(cloud, mode, older)


def _not_back(cloud: Cloud, mode: str, older: XenHost) -> None:
    with cloud.report.step(
        'live-migrate the %s guest back' % mode.upper()
    ) as step:
        server = cloud.server[mode]
        rows = cloud.json(
            'explain', '--server=' + server['id'], '--operation=live-migrate'
        )['hosts']
        (row,) = (each for each in rows if each['host'] == older.name)
        skipped = _skipped(cloud)
        said = moves.refused(cloud, step, server, mode)
        skipped = _skipped(cloud)[len(skipped) :]
        step.says(
            'explain: %s: %s' % (row['step'], row['why']),
            *('nova: ' + line for line in skipped),
        )
        step.check(skipped, 'for another reason: %s' % said[:500])
        step.check(
            row['step'] == 'conductor' and 'older than' in row['why'],
            'explain did not say so',
        )


def _skipped(cloud: Cloud) -> list[str]:
    """What nova-conductor wrote of hosts that are too old."""
    return [
        'Skipping' + line.partition('Skipping')[2]
        for log in cloud.nova.logs().values()
        for line in log.split('\n')
        if _TOO_OLD in line
    ]
