# SPDX-License-Identifier: Apache-2.0

"""What an operator changes while nova-scheduler runs; the next request counts.

Each request names xen-old, the host that the changes are about.
"""

from __future__ import annotations

from tests.e2e import hosts
from tests.e2e.client import host_of
from tests.e2e.cloud import Cloud

TITLE = 'Changes while it runs'

_HOST = 'xen-old'


def run(cloud: Cloud) -> None:
    _taken(cloud, 'boot on xen-old, of whose libvirt nobody said anything')

    with cloud.report.step('its aggregate says libvirt 1.2.5') as step:
        cloud.say_old()
        step.says('set through the API')
    _refused(cloud, 'boot on xen-old', 'libvirt_too_old')

    with cloud.report.step(
        'the facts file says 9.0.0; it comes first'
    ) as step:
        cloud.write_facts(
            hosts.FACTS + '  xen-old: {libvirt_version: "9.0.0"}\n'
        )
        step.says('replaced')
    _taken(cloud, 'boot on xen-old')
    with cloud.report.step('the facts file as before') as step:
        cloud.write_facts(hosts.FACTS)
        step.says('replaced')
    _refused(cloud, 'boot on xen-old', 'libvirt_too_old')

    # From here on, boots may use it.
    option = 'live_migration_check'
    with cloud.report.step('%s = live_migration, SIGHUP' % option) as step:
        step.says(cloud.set_option(option, 'live_migration'))
    _taken(cloud, 'boot on xen-old: for boots its libvirt may be old now')


def _taken(cloud: Cloud, what: str) -> None:
    with cloud.report.step(what) as step:
        server = cloud.client.boot(cloud.image['hvm'], host=_HOST)
        step.says('on %s' % host_of(server))
        step.check(host_of(server) == _HOST, 'not where it was asked')


def _refused(cloud: Cloud, what: str, code: str) -> None:
    with cloud.report.step(what) as step:
        server = cloud.client.refused(cloud.image['hvm'], host=_HOST)
        step.says(
            'no valid host',
            cloud.decision(server['id']),
            cloud.refused_for(server['id'], _HOST, code),
        )
