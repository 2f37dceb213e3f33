# SPDX-License-Identifier: Apache-2.0

"""Guests that exist already: live and cold migration, rebuild, evacuation.

live_migration_check is live_migration here, and xen-old, whose libvirt is too
old for it, has the most memory by far: all that keeps it off is the filter.
"""

from __future__ import annotations

from tests.e2e import hosts
from tests.e2e.client import host_of
from tests.e2e.client import Server
from tests.e2e.cloud import Cloud
from tests.e2e.processes import Failure
from tests.e2e.report import Step

TITLE = 'Moves (live_migration_check = live_migration)'


def run(cloud: Cloud) -> None:
    server: Server = {}
    with cloud.report.step('boot an HVM guest on xen-a1') as step:
        server = cloud.client.boot(cloud.image['hvm'], host='xen-a1')
        step.says('on %s' % host_of(server))
    for _ in range(3):
        server = live_migrate(cloud, server)
    with cloud.report.step('cold-migrate it') as step:
        before = host_of(server)
        server = cloud.client.cold_migrate(server)
        step.says(
            '%s to %s' % (before, host_of(server)),
            cloud.decision(server['id']),
        )
        step.check(host_of(server) in hosts.HVM, 'a host without HVM')
        _check_old(cloud, step, server)
    with cloud.report.step('rebuild it with another HVM image') as step:
        server = cloud.client.rebuild(server, cloud.image['hvm-2'])
        step.says('rebuilt on %s' % host_of(server))
    _rebuild_as_kvm(cloud)
    _evacuate(cloud)


def _check_old(cloud: Cloud, step: Step, server: Server) -> None:
    """libvirt's version is for live migrations."""
    step.check(
        'xen-old' not in cloud.refusals(server['id']),
        'xen-old was refused, as if it were a live migration',
    )


def _rebuild_as_kvm(cloud: Cloud) -> None:
    with cloud.report.step('rebuild another with a KVM image') as step:
        server = cloud.client.boot(cloud.image['hvm'])
        said = ''
        try:
            cloud.client.rebuild(server, cloud.image['kvm'])
        except Failure as e:
            said = str(e)
        step.check('No valid host' in said, said or 'it was rebuilt')
        step.says(
            'no valid host',
            cloud.refused_for(
                server['id'], host_of(server), 'hypervisor_type'
            ),
        )
        cloud.client.delete(server)


def live_migrate(
    cloud: Cloud, server: Server, what: str = 'live-migrate it'
) -> Server:
    """A live migration, which xen-old must not get."""
    with cloud.report.step(what) as step:
        before = host_of(server)
        server = cloud.client.live_migrate(server)
        step.says(
            '%s to %s' % (before, host_of(server)),
            cloud.decision(server['id']),
            cloud.refused_for(server['id'], 'xen-old', 'libvirt_too_old'),
        )
        step.check(
            host_of(server) in hosts.HVM - {'xen-old'},
            'a host without HVM, or one whose libvirt is too old',
        )
    return server


def _evacuate(cloud: Cloud) -> None:
    host = 'xen-hvm'
    with cloud.report.step('evacuate a guest of %s, killed' % host) as step:
        server = cloud.client.boot(cloud.image['hvm'], host=host)
        cloud.nova.computes.kill(host)
        cloud.client.force_down(host, True)
        try:
            server = cloud.client.evacuate(server)
        finally:
            cloud.nova.computes.restart(host)
            cloud.client.force_down(host, False)
        step.says(
            'to %s; %s is started again' % (host_of(server), host),
            cloud.decision(server['id']),
        )
        step.check(host_of(server) in hosts.HVM - {host}, 'a host without HVM')
        _check_old(cloud, step, server)
