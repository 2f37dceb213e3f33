# SPDX-License-Identifier: Apache-2.0

"""What computes reserve for dom0, where nova-scheduler's nova.conf has less.

Each nova-compute reserves what dom0 has, as is advised, and nova-scheduler
keeps nova's default. With refuse_dom0_overcommit a host is refused that
counts dom0 twice. The figures are those of host show. Nothing runs yet.
"""

from __future__ import annotations

import re
import typing as ty

from tests.e2e import hosts
from tests.e2e.client import host_of
from tests.e2e.client import Server
from tests.e2e.cloud import Cloud
from tests.e2e.report import Step
from tests.e2e.scenarios import commands

TITLE = 'What computes reserve for dom0 (refuse_dom0_overcommit = true)'

#: 65536 MiB, of which dom0 has 4096: room for two halves, and not for what
#: nova.conf lacks as well.
_HOST = 'xen-pv4'
_OTHER = 'xen-pv3'
_HALF_MB = 30000
_ROOM_MB = 65536 - hosts.RESERVED_MB
#: What guest_memory_overhead adds to two halves at most, and a small guest.
_MORE_MB = 1000
_WARNING = (
    "Hosts whose used RAM is more than their guests' and this "
    "nova-scheduler's reserved_host_memory_mb explain"
)
_PUBLISH = ('facts', 'publish', '--from-placement', '--apply')


def run(cloud: Cloud) -> None:
    option = 'refuse_dom0_overcommit'
    with cloud.report.step('%s = true, SIGHUP' % option) as step:
        step.says(cloud.set_option(option, 'true'))
    half = cloud.client.create_flavor('half', _HALF_MB)
    whole = cloud.client.create_flavor('whole', 2 * _HALF_MB)
    with cloud.report.step('boot what fills an empty %s' % _HOST) as step:
        server = _boot(cloud, whole)
        step.says('on %s' % host_of(server))
        cloud.client.delete(server)
    first: Server = {}
    with cloud.report.step('boot one of half the size there') as step:
        first = _boot(cloud, half)
        step.says('on %s' % host_of(first))
    _untold(cloud, half)
    with cloud.report.step('nova-xen-sched ' + ' '.join(_PUBLISH)) as step:
        rows = commands.answer(cloud, *_PUBLISH)
        told = {row['host'] for row in rows if row['change'] == 'add_host'}
        step.says('%d changes; hosts: %d' % (len(rows), len(told)))
        step.check(told == hosts.XEN, 'not of all Xen hosts')
        _check_status(cloud, step, 'Success')
    second: Server = {}
    with cloud.report.step('boot the other half there') as step:
        second = _boot(cloud, half)
        step.says('on %s' % host_of(second))
    _while_they_move(cloud, first, second)
    cloud.set_option(option, None)


def _boot(cloud: Cloud, flavor: str) -> Server:
    client = cloud.client
    return client.booted(
        client.post_server(cloud.image['pv'], host=_HOST, flavor=flavor)
    )


def _untold(cloud: Cloud, half: str) -> None:
    """Beside guests the reserve is not known: nobody says it."""
    with cloud.report.step('boot the other half, refused') as step:
        server = cloud.client.refused(
            cloud.image['pv'], host=_HOST, flavor=half
        )
        step.says(
            'no valid host',
            cloud.refused_for(server['id'], _HOST, 'host_memory'),
        )
    with cloud.report.step('what nova-scheduler warned of meanwhile') as step:
        found = re.findall('WARNING.*(%s.*)' % _WARNING, cloud.nova.log())
        step.says('%d lines' % len(found), *found)
        step.check(found, 'it did not')
    with cloud.report.step('what nova-xen-sched-status warns of') as step:
        step.lines.append(_check_status(cloud, step, 'Warning'))


def _check_status(cloud: Cloud, step: Step, wanted: str) -> str:
    """What upgrade check says of the reserve."""
    _, printed = commands.ask(
        *(cloud, 'nova-xen-sched-status', 'upgrade', 'check', '--verbose')
    )
    found = re.search(
        r'^(\w+)  reserved_host_memory_mb\n((?: +.*\n)*)', printed, re.M
    )
    result = found[1] if found else 'nothing'
    step.says('upgrade check: %s' % result)
    step.check(result == wanted, 'it is not %s' % wanted)
    return ' '.join(found[2].split()) if found else ''


def _check_figures(cloud: Cloud, step: Step, halves: int = 2) -> None:
    """So many halves are counted on the host, and dom0 once."""
    found: ty.Any = commands.answer(cloud, 'host', 'show', _HOST)
    resource = found['room_host_memory']
    step.says('%s: %s' % (_HOST, resource))
    used, has = resource['used'], resource['capacity']
    counted = halves * _HALF_MB
    step.check(
        counted <= used <= counted + _MORE_MB and has == _ROOM_MB,
        'not what is there',
    )


def _while_they_move(cloud: Cloud, first: Server, second: Server) -> None:
    """nova keeps the host's memory for both, though one is elsewhere."""
    client = cloud.client
    larger = client.create_flavor('larger', _HALF_MB + 1000)
    with cloud.report.step('resize one, not confirmed yet') as step:
        second = client.resize(second, larger)
        step.check(host_of(second) != _HOST, 'it stayed')
        step.says('%s to %s' % (_HOST, host_of(second)))
    small: Server = {}
    with cloud.nova.computes.holding(), cloud.report.step(
        'live-migrate the other, kept under way, and boot a small one'
    ) as step:
        client.begin_live_migration(first, _OTHER)
        small = client.boot(cloud.image['pv'], host=_HOST)
        step.says('on %s' % host_of(small))
        _check_figures(cloud, step)
    with cloud.report.step(
        'end the live migration; no guest is left, and one may come back'
    ) as step:
        client.delete(small)
        first = client.live_migrated(first)
        step.says('to %s' % host_of(first))
        _check_figures(cloud, step, halves=1)
    with cloud.report.step('confirm the resize, and delete both') as step:
        second = client.confirm_resize(second)
        for server in (first, second):
            client.delete(server)
        step.says('deleted')
