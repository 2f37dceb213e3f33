# SPDX-License-Identifier: Apache-2.0

"""Guests that are shut down, and started again elsewhere or larger."""

from __future__ import annotations

from tests.e2e.client import Server
from tests.e2e.processes import Failure
from tests.e2e.report import Step
from tests.xen.e2e import libxl
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
    _cold(cloud, guest)
    larger = cloud.client.create_flavor('larger', _LARGER_MB, disk=0)
    _resized(cloud, guest, larger, confirm=False)
    _resized(cloud, guest, larger, confirm=True)
    _aborted(cloud, guest)
    cloud.empty()


def _memory(cloud: Cloud, guest: Speaker) -> int:
    """What Xen gives it, MiB."""
    printed = cloud.pair[guest.host].run('xl list %s' % domain(guest.server))
    return int(printed.splitlines()[1].split()[2])


def _elsewhere(
    cloud: Cloud, step: Step, guest: Speaker, server: Server, moved: bool
) -> None:
    """It runs on the other host, or again on its own, with its disk."""
    source = guest.host
    guest.server = server
    guest.wait()
    guest.marked(_MARK)
    step.says(
        '%s to %s with its disk, %d MiB'
        % (source, guest.host, _memory(cloud, guest))
        if moved
        else 'on %s with its disk, %d MiB'
        % (guest.host, _memory(cloud, guest))
    )
    step.check((guest.host != source) == moved, 'it is on %s' % guest.host)
    other = cloud.pair.other(guest.host)
    step.check(
        domain(server) not in other.domains(), 'it is on %s too' % other.name
    )


def _cold(cloud: Cloud, guest: Speaker) -> None:
    with cloud.report.step('cold migration, and confirm') as step:
        server = cloud.client.cold_migrate(guest.server)
        _elsewhere(cloud, step, guest, server, True)


def _resized(cloud: Cloud, guest: Speaker, flavor: str, confirm: bool) -> None:
    """nova moves it by that, as it does by default."""
    how = 'confirm' if confirm else 'revert'
    with cloud.report.step('resize, and %s' % how) as step:
        source = guest.host
        server = cloud.client.resize(guest.server, flavor)
        _elsewhere(cloud, step, guest, server, True)
        step.check(
            _memory(cloud, guest) == _LARGER_MB,
            'it has %d MiB' % _memory(cloud, guest),
        )
        if confirm:
            guest.server = cloud.client.confirm_resize(guest.server)
            guest.wait()
            return
        _elsewhere(
            cloud,
            step,
            guest,
            cloud.client.revert_resize(guest.server),
            True,
        )
        step.check(
            guest.host == source and _memory(cloud, guest) == SMALL_MB,
            'not as before',
        )


def _aborted(cloud: Cloud, guest: Speaker) -> None:
    """libxl can't: the migration goes on."""
    with cloud.report.step('abort a live migration') as step:
        target = cloud.pair.other(guest.host).name
        before, source = guest.uptime(), guest.host

        def move() -> Server:
            cloud.client.begin_live_migration(guest.server, target)
            said = _abort(cloud, guest.server)
            step.says('nova-api: %s' % (said or 'accepted'))
            return cloud.client.live_migrated(guest.server)

        guest.server = libxl.repeated(step, cloud.pair, move)
        after = guest.wait()
        lines = [
            line.partition(' ERROR ')[2] or line
            for line in cloud.computes.log(source).split('\n')
            if _NO_ABORT in line
        ]
        step.says(
            'it goes on, to %s; uptime %.0f s before, %.0f after'
            % (guest.host, before, after),
            *lines[:1],
        )
        step.check(lines, '%s does not say why' % source)
        step.check(
            guest.host == target and after > before,
            'it is on %s, or was started anew' % guest.host,
        )


def _abort(cloud: Cloud, server: Server) -> str:
    """What nova's API has against it."""
    path = '/servers/%s/migrations' % server['id']
    try:
        (running,) = cloud.client.ask('GET', path)['migrations']
        cloud.client.ask('DELETE', '%s/%d' % (path, running['id']))
    except (Failure, ValueError) as e:
        return str(e)
    return ''
