# SPDX-License-Identifier: Apache-2.0

"""Live migration, and what is no live migration on Xen."""

from __future__ import annotations

import typing as ty

from tests.e2e.client import host_of
from tests.e2e.client import Server
from tests.e2e.processes import Failure
from tests.e2e.report import Step
from tests.xen.e2e import guests
from tests.xen.e2e import libxl
from tests.xen.e2e.cloud import Cloud
from tests.xen.e2e.speaker import goes_on
from tests.xen.e2e.speaker import Speaker


def live_migrate(cloud: Cloud, mode: str) -> None:
    """Explain it, then do it."""
    with cloud.report.step('live-migrate the %s guest' % mode.upper()) as step:
        server = cloud.client.server(cloud.server[mode]['id'])
        source, domain = cloud.pair[host_of(server)], guests.domain(server)
        rows = cloud.json(
            'explain', '--server=' + server['id'], '--operation=live-migrate'
        )['hosts']
        first = [row['host'] for row in rows if row['result'] == 'first']
        before = ''
        began = 0.0

        def move() -> Server:
            nonlocal before, began
            before = guests.last_line(source, server, mode)
            began = cloud.report.elapsed
            return cloud.client.live_migrate(server)

        try:
            moved = libxl.repeated(step, cloud.pair, move)
        except Failure as e:
            # An HVM guest that was started a moment ago can't always be
            # suspended, and goes on where it is.
            if mode != 'hvm' or not libxl.since(
                cloud.pair, cloud.report.since, libxl.NOT_SUSPENDED
            ):
                raise
            step.says(
                'the first try failed, a second one was needed', str(e)[:300]
            )
            moved = move()
        took = cloud.report.elapsed - began
        cloud.server[mode] = moved
        target = cloud.pair[host_of(moved)]
        after = guests.first_line(target, moved, mode)
        step.says(
            '%s to %s in %d s, explain: %s'
            % (source.name, target.name, took, ', '.join(first)),
            '%s: last before: %s' % (source.name, before),
            '%s: first after: %s' % (target.name, after),
        )
        step.check([target.name] == first, 'not where explain said')
        step.check(
            domain in target.domains() and domain not in source.domains(),
            'xl list: %s on %s, %s on %s'
            % (
                target.domains(),
                target.name,
                source.domains(),
                source.name,
            ),
        )
        step.says(guests.goes_on(before, after, mode))


def speaker(
    cloud: Cloud,
    step: Step,
    guest: Speaker,
    move: ty.Callable[[], Server] | None = None,
) -> None:
    """Live-migrate a guest that can be spoken to: it goes on elsewhere.

    :param move: how; by default nova chooses where to
    """
    before, source = guest.life(), guest.host
    began = 0.0

    def once() -> Server:
        nonlocal began
        began = cloud.report.elapsed
        return move() if move else cloud.client.live_migrate(guest.server)

    guest.server = libxl.repeated(step, cloud.pair, once)
    took = cloud.report.elapsed - began
    step.says(
        '%s to %s in %d s; %s'
        % (source, guest.host, took, goes_on(before, guest.wait()))
    )
    step.check(guest.host != source, 'it is where it was')


def refused(
    cloud: Cloud, step: Step, server: Server, mode: str, **how: ty.Any
) -> str:
    """Ask for a live migration that is refused: the guest just goes on.

    :param how: what else Client.live_migrate() is told
    :returns: what nova said
    """
    host = cloud.pair[host_of(server)]
    before = guests.last_line(host, server, mode)
    said = ''
    try:
        cloud.client.live_migrate(server, **how)
    except Failure as e:
        said = str(e)
    step.check(said, 'it was not refused')
    now = cloud.client.server(server['id'])
    after = guests.last_line(host, server, mode)
    step.says(
        'refused; it is %s on %s' % (now['status'], host_of(now)),
        'its console: %s, then %s' % (before, after),
    )
    step.check(
        now['status'] == 'ACTIVE'
        and host_of(now) == host.name
        and guests.up(after, mode) > guests.up(before, mode),
        'it did not just go on',
    )
    return said


def block_migration(cloud: Cloud) -> None:
    """Of the PV guest: refused before anything moves."""
    with cloud.report.step('block migration of the PV guest') as step:
        server = cloud.client.server(cloud.server['pv']['id'])
        said = refused(cloud, step, server, 'pv', block_migration=True)
        lines = [
            line.partition(' ERROR ')[2]
            for line in cloud.computes.log(host_of(server)).split('\n')
            if server['id'] in line and 'no block migration' in line
        ]
        step.says('', *lines[:1])
        step.check(lines, 'for another reason: %s' % said[:500])
