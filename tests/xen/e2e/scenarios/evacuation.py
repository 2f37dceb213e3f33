# SPDX-License-Identifier: Apache-2.0

"""A host dies, and its guest is started elsewhere. The last chapter."""

from __future__ import annotations

from tests.xen.e2e.cloud import Cloud
from tests.xen.e2e.hosts import NAMES
from tests.xen.e2e.speaker import Speaker

TITLE = 'Evacuation from a dead host'

LEFT, DEAD = NAMES
_MARK = 'SURVIVED'


def run(cloud: Cloud) -> None:
    cloud.empty()
    cloud.need_speaker()
    guest: Speaker | None = None
    with cloud.report.step('boot a PV guest on %s' % DEAD) as step:
        guest = cloud.speaker(step, 'survivor', DEAD)
        guest.mark(_MARK)
        step.says('on %s' % guest.host)
    if guest is None:
        return
    with cloud.report.step('%s is switched off' % DEAD) as step:
        cloud.pair.lose(DEAD)
        cloud.client.force_down(DEAD, True)
        rows = cloud.json(
            'explain', '--server=' + guest.server['id'], '--operation=evacuate'
        )['hosts']
        first = [row['host'] for row in rows if row['result'] == 'first']
        step.says('explain: %s' % ', '.join(first))
        step.check(first == [LEFT], 'it should be %s' % LEFT)
    with cloud.report.step('evacuate the guest') as step:
        guest.server = cloud.client.evacuate(guest.server)
        up = guest.wait().uptime
        guest.marked(_MARK)
        step.says('on %s with its disk, up for %.0f s' % (guest.host, up))
        holders = list(cloud.client.allocations(guest.server['id']))
        step.says('', 'allocated on %d provider(s)' % len(holders))
        step.check(
            cloud.provider(LEFT) in holders, 'it is allocated on %s' % holders
        )
