# SPDX-License-Identifier: Apache-2.0

"""Plans of moves, carried out by the commands that they print."""

from __future__ import annotations

import shlex

from tests.e2e.client import host_of
from tests.e2e.client import Server
from tests.e2e.processes import Failure
from tests.xen.e2e import dom0
from tests.xen.e2e import moves
from tests.xen.e2e.cloud import Cloud
from tests.xen.e2e.cloud import show
from tests.xen.e2e.hosts import DOM0_MB
from tests.xen.e2e.hosts import NAMES
from tests.xen.e2e.speaker import Speaker

TITLE = 'Plans of moves, carried out'

FULL, OTHER = NAMES
#: By these a dom0 of _SMALL_MB serves one guest, not two.
_BASE_MB = 1150
_GUEST_MB = 100
_SMALL_MB = _BASE_MB + _GUEST_MB + 50
_OPTIONS = """
[xen_scheduler]
dom0_base_memory_mb = %d
dom0_memory_mb_per_pv_guest = %d
"""


def run(cloud: Cloud) -> None:
    cloud.empty()
    cloud.need_speaker()
    guests: dict[str, Speaker] = {}
    for name in ('first', 'second'):
        with cloud.report.step('boot a PV guest on %s' % FULL) as step:
            guest = cloud.speaker(step, name, FULL)
            guests[guest.server['id']] = guest
            step.says('on %s' % guest.host)
    if len(guests) < 2:
        return
    with cloud.report.step('its dom0 shrinks, and has room for one') as step:
        step.says(dom0.resize(cloud, FULL, _SMALL_MB))
    _carried_out(cloud, guests, 1, 'rebalance')
    with cloud.report.step('rebalance again') as step:
        code, commands, said = _plan(cloud, 'rebalance')
        step.says('exit code %d, %d moves: %s' % (code, len(commands), said))
        step.check(not code and not commands, 'not what it should say')
    with cloud.report.step('dom0 gets its memory back') as step:
        step.says(dom0.resize(cloud, FULL, DOM0_MB))
    _carried_out(cloud, guests, 0, 'drain', OTHER)
    with cloud.report.step('%s is empty' % OTHER) as step:
        domains = cloud.pair[OTHER].domains()
        step.check(not domains, 'it has %s' % domains)
        service = cloud.client.compute_service(OTHER)
        step.check(service['status'] == 'disabled', 'it takes new guests')
        step.says('no guest there, and none comes')
    with cloud.report.step('it takes guests again') as step:
        _openstack(
            cloud,
            ['compute', 'service', 'set', '--enable', OTHER, 'nova-compute'],
        )
    cloud.empty()


def _asked(cloud: Cloud, *words: str) -> tuple[int, str, str]:
    """Exit code, output and complaints of a command that plans."""
    conf = cloud.settings.write(
        'etc', 'rebalance.conf', text=_OPTIONS % (_BASE_MB, _GUEST_MB)
    )
    code, printed, said = cloud.ask(
        'nova-xen-sched', '--config-file=' + conf, *words, '--shared-storage'
    )
    if code not in (0, 1):
        raise Failure('%s: exit code %d: %s' % (words, code, said[-800:]))
    return code, printed, said.strip()


def _plan(cloud: Cloud, *words: str) -> tuple[int, list[str], str]:
    """The exit code, the commands that carry it out, and what else."""
    code, printed, said = _asked(cloud, *words, '-f', 'value', '-c', 'command')
    return code, printed.splitlines(), said


def _carried_out(
    cloud: Cloud, guests: dict[str, Speaker], wanted: int, *words: str
) -> None:
    """One guest is to move: the plan, and each of its commands.

    :param wanted: the exit code
    """
    commands: list[str] = []
    with cloud.report.step(' '.join(words)) as step:
        _, printed, _ = _asked(cloud, *words)
        show(step, printed)
        code, commands, _ = _plan(cloud, *words)
        step.says('exit code %d' % code, *commands)
        migrations = [each for each in commands if 'server migrate' in each]
        step.check(
            code == wanted and len(migrations) == 1,
            'not %d, or %d moves' % (wanted, len(migrations)),
        )
    for command in commands:
        program, *arguments = shlex.split(command)
        assert program == 'openstack', command
        if 'migrate' in arguments:
            _move(cloud, guests[arguments[-1]], arguments)
        else:
            with cloud.report.step(' '.join(arguments[:3])) as step:
                step.says('done', command)
                _openstack(cloud, arguments)


def _move(cloud: Cloud, guest: Speaker, arguments: list[str]) -> None:
    """It goes on, and is allocated where it is."""
    with cloud.report.step('server migrate, as printed') as step:
        wanted = arguments[arguments.index('--host') + 1]

        def move() -> Server:
            _openstack(cloud, arguments)
            # openstack ends well where the guest just stays.
            server = cloud.client.server(guest.server['id'])
            step.check(host_of(server) == wanted, 'it is not on ' + wanted)
            return server

        moves.speaker(cloud, step, guest, move)
        holders = list(cloud.client.allocations(guest.server['id']))
        step.check(
            holders == [cloud.provider(guest.host)],
            'it is allocated on %s' % holders,
        )


def _openstack(cloud: Cloud, arguments: list[str]) -> None:
    """:raises Failure: if the command fails"""
    code, printed, said = cloud.settings.processes.ask(
        [cloud.settings.services_program('openstack'), *arguments],
        cloud.identity.client_env(),
    )
    if code:
        raise Failure(
            'openstack %s: exit code %d: %s %s'
            % (' '.join(arguments), code, printed[-300:], said[-500:])
        )
