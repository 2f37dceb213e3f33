# SPDX-License-Identifier: Apache-2.0

"""What a host has in placement, and what it refuses when its dom0 is full.

By the computes' nova.conf an HVM guest takes more of dom0 than by
nova-scheduler's. So nova-scheduler goes on choosing a host that is full, as
one does that was asked twice at once.
"""

from __future__ import annotations

from nova_xen_sched import provider
from tests.e2e.client import host_of
from tests.e2e.processes import Failure
from tests.e2e.processes import until
from tests.xen.e2e import dom0
from tests.xen.e2e import moves
from tests.xen.e2e.cloud import Cloud
from tests.xen.e2e.cloud import PATIENCE
from tests.xen.e2e.computes import BASE_MB
from tests.xen.e2e.computes import HVM_MB
from tests.xen.e2e.hosts import DOM0_MB
from tests.xen.e2e.hosts import NAMES

TITLE = 'Traits and slots in placement, and a dom0 that shrinks'

FULL, OTHER = NAMES
#: MiB, of a dom0 that has no room for an HVM guest.
_SMALL_MB = BASE_MB + HVM_MB - 20
#: HVM guests that fit into a dom0 of DOM0_MB.
_ROOM = (DOM0_MB - BASE_MB) // HVM_MB
#: nova's own.
_OF_NOVA = 'COMPUTE_STORAGE_BUS_XEN'
_WARNING = 'This guest does not fit on this host: '


def run(cloud: Cloud) -> None:
    cloud.empty()
    _reported(cloud)
    _held(cloud)
    if 'hvm' not in cloud.server:
        return
    _shrinks(cloud)
    moves.live_migrate(cloud, 'hvm')
    with cloud.report.step(
        'nobody holds a slot of %s any more' % FULL
    ) as step:
        step.says(_slots(cloud, FULL, (1, 1, 0)))
        step.says(_slots(cloud, OTHER, (_ROOM, 0, 1)))
    _goes_elsewhere(cloud)
    _forced(cloud)
    _stays(cloud)
    with cloud.report.step('dom0 gets its memory back') as step:
        step.says(dom0.resize(cloud, FULL, DOM0_MB))
        step.says(_slots(cloud, FULL, (_ROOM, 0, 0)))


def _slots(cloud: Cloud, host: str, wanted: tuple[int, int, int]) -> str:
    """Wait for a host's slots in placement; what they are then.

    :param wanted: total, reserved, in use
    """
    found = (0, 0, 0)

    def reported() -> bool:
        nonlocal found
        found = cloud.slots(host)
        return found == wanted

    began = cloud.report.elapsed
    what = '%s, reserved and used of the slots of %s' % (wanted, host)
    try:
        until(reported, what, PATIENCE)
    except Failure as e:
        raise Failure('%s: it has %s' % (e, found)) from e
    total, reserved, used = found
    return '%s: %d slots, %d reserved, %d in use (after %d s)' % (
        host,
        total,
        reserved,
        used,
        cloud.report.elapsed - began,
    )


def _reported(cloud: Cloud) -> None:
    with cloud.report.step('both have traits and slots in placement') as step:
        for name in NAMES:
            step.says(_slots(cloud, name, (_ROOM, 0, 0)))
            traits = cloud.client.provider(cloud.provider(name), 'traits')
            ours = {each for each in traits if each.startswith('CUSTOM_')}
            step.says('', '%s: %s' % (name, ', '.join(sorted(ours))))
            step.check(
                ours == set(provider.TRAITS) and _OF_NOVA in traits,
                '%s: %s' % (name, sorted(traits)),
            )


def _held(cloud: Cloud) -> None:
    with cloud.report.step('a guest with a slot, on %s' % FULL) as step:
        server = cloud.boot(
            step, 'holder', FULL, 'hvm', flavor=cloud.flavor['slot']
        )
        cloud.server['hvm'] = server
        step.says(_slots(cloud, FULL, (_ROOM, 0, 1)))


def _shrinks(cloud: Cloud) -> None:
    with cloud.report.step('its dom0 shrinks, and has room for none') as step:
        step.says(dom0.resize(cloud, FULL, _SMALL_MB))
        # Capacity is what is held.
        step.says(_slots(cloud, FULL, (1, 0, 1)))
    with cloud.report.step('another guest with a slot there') as step:
        server = cloud.client.refused(
            cloud.image['hvm'], host=FULL, flavor=cloud.flavor['slot']
        )
        step.check(
            server['id'] not in cloud.computes.log(FULL)
            and not cloud.refusals(server['id']),
            'it came further than to placement',
        )
        step.says('no valid host, by placement')
        cloud.client.delete(server)


def _warning(cloud: Cloud, server_id: str) -> str:
    """What the full host logged last of a guest; empty if nothing."""
    for line in reversed(cloud.computes.log(FULL).split('\n')):
        if server_id in line and _WARNING in line:
            return _WARNING + line.partition(_WARNING)[2]
    return ''


def _goes_elsewhere(cloud: Cloud) -> None:
    """nova-scheduler chooses the full host; it refuses."""
    with cloud.report.step('a guest without a slot') as step:
        rows = cloud.json(
            'explain', '--image=' + cloud.image['hvm'], '--flavor=small'
        )['hosts']
        first = [row['host'] for row in rows if row['result'] == 'first']
        server = cloud.client.booted(
            cloud.client.post_server(cloud.image['hvm'], name='late')
        )
        cloud.server['late'] = server
        said = _warning(cloud, server['id'])
        step.says(
            'explain: %s; refused there, ACTIVE on %s'
            % (', '.join(first), host_of(server)),
            '%s: %s' % (FULL, said),
        )
        step.check(
            first == [FULL] and said and host_of(server) == OTHER,
            'it should be refused on %s, and built on %s' % (FULL, OTHER),
        )


def _forced(cloud: Cloud) -> None:
    with cloud.report.step(
        'one for nova:%s, where no filter judges' % FULL
    ) as step:
        server_id = cloud.client.post_server(
            cloud.image['hvm'], name='forced', zone='nova:' + FULL
        )
        said = ''
        try:
            cloud.client.booted(server_id)
        except Failure as e:
            said = str(e)
        server = cloud.client.server(server_id)
        fault = server.get('fault', {}).get('message', '')
        step.says('%s: %s' % (server['status'], fault or said))
        step.check(
            server['status'] == 'ERROR'
            and 'Insufficient compute resources' in fault
            and "dom0's memory" in fault
            and _warning(cloud, server_id),
            'not refused, or for another reason',
        )
        cloud.client.delete(server)


def _stays(cloud: Cloud) -> None:
    with cloud.report.step('live-migrate a guest to %s' % FULL) as step:
        server = cloud.server['late']
        logged = cloud.computes.log(FULL).count(_WARNING)
        said = moves.refused(cloud, step, server, 'hvm')
        step.says('', '%s: %s' % (FULL, _warning(cloud, server['id'])))
        step.check(
            cloud.computes.log(FULL).count(_WARNING) > logged,
            'for another reason: %s' % said[:500],
        )
