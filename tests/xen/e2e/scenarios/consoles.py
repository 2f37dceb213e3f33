# SPDX-License-Identifier: Apache-2.0

"""Console logs, and VNC, of the guests that there are."""

from __future__ import annotations

from tests.e2e.client import host_of
from tests.e2e.client import Server
from tests.e2e.processes import until
from tests.e2e.report import Step
from tests.xen.e2e import guests
from tests.xen.e2e.cloud import Cloud

TITLE = 'Consoles'


def run(cloud: Cloud) -> None:
    with cloud.report.step('console log and VNC of a PV guest') as step:
        server = _guest(cloud, step, 'pv')

        def lines() -> list[str]:
            found = _console_log(cloud, server).split('\n')
            return [each.strip() for each in found if 'GUEST UP' in each]

        found = until(lines, 'lines of the guest in its console log', 120)
        step.says('%d lines, the last: %s' % (len(found), found[-1]))
        _vnc(cloud, step, server)
    with cloud.report.step('console log and VNC of an HVM guest') as step:
        server = _guest(cloud, step, 'hvm')
        line = guests.last_line(cloud.pair[host_of(server)], server, 'hvm')
        # QEMU drops what nobody reads at that moment (its char-pty.c).
        said = _console_log(cloud, server)
        step.says('log empty; to who listens it says %s' % line)
        step.check(not said.strip(), 'it has %r' % said[:300])
        _vnc(cloud, step, server)


def _guest(cloud: Cloud, step: Step, mode: str) -> Server:
    """That of the chapters before, or a new one."""
    if mode not in cloud.server:
        cloud.server[mode] = cloud.boot(step, mode, image=mode)
    return cloud.server[mode]


def _console_log(cloud: Cloud, server: Server) -> str:
    """What nova has of it."""
    path = '/servers/%s/action' % server['id']
    said: str = cloud.client.ask('POST', path, {'os-getConsoleOutput': {}})[
        'output'
    ]
    return said


def _vnc(cloud: Cloud, step: Step, server: Server) -> None:
    cloud.client.ask(
        'POST',
        '/servers/%s/remote-consoles' % server['id'],
        {'remote_console': {'protocol': 'vnc', 'type': 'novnc'}},
    )
    ((host, port),) = cloud.database.execute(
        'SELECT host, port FROM nova.console_auth_tokens'
        ' WHERE instance_uuid = %s ORDER BY id DESC LIMIT 1',
        server['id'],
    )
    # From the other host, as a proxy would.
    said = cloud.pair.other(host_of(server)).run(
        'python3 -c "import socket; '
        "s = socket.create_connection(('%s', %d), 30); "
        'print(s.recv(12))"' % (host, port)
    )
    step.check('RFB 003.' in said, 'VNC says %s' % said)
    step.says('VNC at %s:%d: %s' % (host, port, said.strip()))
