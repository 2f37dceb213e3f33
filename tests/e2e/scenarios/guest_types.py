# SPDX-License-Identifier: Apache-2.0

"""Boots: which hosts get which guests, and how many."""

from __future__ import annotations

import collections
import typing as ty

from tests.e2e import hosts
from tests.e2e.client import host_of
from tests.e2e.cloud import Cloud
from tests.e2e.processes import until

_KVM = frozenset(('kvm-1',))

TITLE = 'Guest types'


def run(cloud: Cloud) -> None:
    for image, what, wanted in (
        ('hvm', 'boot an HVM image (type xen, mode hvm)', hosts.HVM),
        ('pv', 'boot a PV image (type xen, mode xen)', hosts.PV),
        ('xen', 'boot a Xen image without vm_mode', hosts.PV),
        ('untyped', 'boot an image without any of it', hosts.PV | _KVM),
        ('kvm', 'boot a KVM image', _KVM),
    ):
        _boot(cloud, image, what, wanted)
    _no_host(cloud)
    _many(cloud)


def _boot(
    cloud: Cloud, image: str, what: str, wanted: ty.FrozenSet[str]
) -> None:
    with cloud.report.step(what) as step:
        server = cloud.client.boot(cloud.image[image])
        host = host_of(server)
        step.says('on %s' % host, cloud.decision(server['id']))
        step.check(host in wanted, 'none of %s' % ', '.join(sorted(wanted)))


def _no_host(cloud: Cloud) -> None:
    with cloud.report.step(
        'boot a 32-bit PV image, which no host can'
    ) as step:
        server = cloud.client.refused(cloud.image['pv-32'])
        step.says(
            'no valid host',
            cloud.decision(server['id']),
            cloud.refused_for(server['id'], 'xen-a1', 'guest_type'),
        )


def _many(cloud: Cloud) -> None:
    count = 20
    with cloud.report.step('one request for %d HVM guests' % count) as step:
        reservation = cloud.client.post_server(
            cloud.image['hvm'], name='many', count=count
        )

        def booted() -> object:
            found = cloud.client.servers(reservation_id=reservation)
            for server in found:
                step.check(
                    server['status'] != 'ERROR',
                    'ERROR: %s' % server.get('fault'),
                )
            ready = [each for each in found if each['status'] == 'ACTIVE']
            return ready if len(ready) == count else None

        servers = until(booted, '%d guests' % count)
        spread = collections.Counter(map(host_of, servers))
        step.says(', '.join('%s %d' % each for each in sorted(spread.items())))
        step.check(set(spread) <= hosts.HVM, 'some on hosts without HVM')
        roomy = [
            spread[host] for host in hosts.HVM if host not in hosts.DOM0_GUESTS
        ]
        # By memory alone xen-a3 would come before all but xen-old.
        step.check(
            spread['xen-a3'] < min(roomy) and len(spread) >= 4,
            'not by the headroom of their dom0s',
        )
