# SPDX-License-Identifier: Apache-2.0

"""Guests that are shut down, and started again elsewhere or larger."""

from __future__ import annotations

from tests.e2e.client import Server
from tests.e2e.processes import Failure
from tests.e2e.report import Step
from tests.xen.e2e import moves
from tests.xen.e2e.cloud import Cloud
from tests.xen.e2e.cloud import SMALL_MB
from tests.xen.e2e.guests import domain
from tests.xen.e2e.speaker import Speaker

TITLE = 'Cold migration, resize, and a live migration that is aborted'

_LARGER_MB = 2 * SMALL_MB
_MARK = 'CAME ALONG'
#: What nova logs of libvirt's answer.
_NO_ABORT = (
    'Failed to cancel migration this function is not supported by the '
    'connection driver: virDomainAbortJob'
)


def run(cloud: Cloud) -> None:
    cloud.empty()
    cloud.need_speaker()
    guest: Speaker | None = None
    with cloud.report.step('boot a PV guest') as step:
        guest = cloud.speaker(step, 'moved')
        guest.mark(_MARK)
        step.says('on %s, %d MiB' % (guest.host, _memory(cloud, guest)))
    if guest is None:
        return
    for do in (_cold, _reverted, _confirmed, _aborted):
        do(cloud, guest)
        if cloud.client.server(guest.server['id'])['status'] != 'ACTIVE':
            # That step failed: the others would for it.
            break
    cloud.empty()


def _memory(cloud: Cloud, guest: Speaker) -> int:
    """What Xen gives it, MiB."""
    printed = cloud.pair[guest.host].run('xl list %s' % domain(guest.server))
    return int(printed.splitlines()[1].split()[2])


def _elsewhere(
    cloud: Cloud, step: Step, guest: Speaker, server: Server, memory_mb: int
) -> None:
    """It runs on the other host, with its disk and so much memory."""
    source = guest.host
    guest.server = server
    step.check(guest.host != source, 'it is where it was')
    _whole(cloud, step, guest, memory_mb)


def _whole(cloud: Cloud, step: Step, guest: Speaker, memory_mb: int) -> None:
    guest.wait()
    guest.marked(_MARK)
    found = _memory(cloud, guest)
    step.says('on %s with its disk, %d MiB' % (guest.host, found))
    step.check(found == memory_mb, 'it should have %d MiB' % memory_mb)
    other = cloud.pair.other(guest.host)
    step.check(
        domain(guest.server) not in other.domains(),
        'it is on %s too' % other.name,
    )


def _cold(cloud: Cloud, guest: Speaker) -> None:
    with cloud.report.step('cold migration, and confirm') as step:
        server = cloud.client.cold_migrate(guest.server)
        _elsewhere(cloud, step, guest, server, SMALL_MB)


def _reverted(cloud: Cloud, guest: Speaker) -> None:
    """nova moves it by a resize, as it does by default."""
    with cloud.report.step('resize, and revert') as step:
        server = cloud.client.resize(guest.server, _larger(cloud))
        _elsewhere(cloud, step, guest, server, _LARGER_MB)
        server = cloud.client.revert_resize(guest.server)
        _elsewhere(cloud, step, guest, server, SMALL_MB)


def _confirmed(cloud: Cloud, guest: Speaker) -> None:
    with cloud.report.step('resize, and confirm') as step:
        server = cloud.client.resize(guest.server, _larger(cloud))
        _elsewhere(cloud, step, guest, server, _LARGER_MB)
        guest.server = cloud.client.confirm_resize(guest.server)
        _whole(cloud, step, guest, _LARGER_MB)


def _larger(cloud: Cloud) -> str:
    """The flavor, made once."""
    if 'larger' not in cloud.flavor:
        cloud.flavor['larger'] = cloud.client.create_flavor(
            'larger', _LARGER_MB, disk=0
        )
    return cloud.flavor['larger']


def _aborted(cloud: Cloud, guest: Speaker) -> None:
    """libxl can't: the migration goes on."""
    with cloud.report.step('abort a live migration') as step:
        target = cloud.pair.other(guest.host).name
        source = guest.host
        logged = len(cloud.computes.log(source))

        def move() -> Server:
            cloud.client.begin_live_migration(guest.server, target)
            said = _abort(cloud, guest.server)
            step.says('nova-api: %s' % (said or 'accepted'))
            return cloud.client.live_migrated(guest.server)

        moves.speaker(cloud, step, guest, move)
        lines = [
            line.partition(' ERROR ')[2] or line
            for line in cloud.computes.log(source)[logged:].split('\n')
            if _NO_ABORT in line
        ]
        step.says('', *lines[:1])
        step.check(lines, '%s does not say why' % source)
        step.check(guest.host == target, 'it is on ' + guest.host)


def _abort(cloud: Cloud, server: Server) -> str:
    """What nova's API has against it."""
    path = '/servers/%s/migrations' % server['id']
    try:
        (running,) = cloud.client.ask('GET', path)['migrations']
        cloud.client.ask('DELETE', '%s/%d' % (path, running['id']))
    except (Failure, ValueError) as e:
        return str(e)
    return ''
