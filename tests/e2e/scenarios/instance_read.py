# SPDX-License-Identifier: Apache-2.0

"""nova-scheduler can't read the instance of a move in its cell's database.

Then it can't tell whether the move is a live migration, and
live_migration_unknown decides. Of the database just this read is stalled or
failed, on its way: see proxy.py.
"""

from __future__ import annotations

import re

from tests.e2e import hosts
from tests.e2e.client import host_of
from tests.e2e.cloud import Cloud
from tests.e2e.proxy import FAIL
from tests.e2e.proxy import STALL
from tests.e2e.report import Step

TITLE = 'Faults: the read of the instance'


def run(cloud: Cloud) -> None:
    with cloud.report.step('live_migration_read_timeout = 1, SIGHUP') as step:
        step.says(cloud.set_option('live_migration_read_timeout', '1'))
    for mode, what in (
        (FAIL, 'fails'),
        (STALL, 'is stalled'),
    ):
        with cloud.report.step(
            'live-migrate while the read %s (live_migration_unknown = refuse)'
            % what
        ) as step:
            _move(cloud, step, mode)
    with cloud.report.step('live_migration_unknown = accept, SIGHUP') as step:
        step.says(cloud.set_option('live_migration_unknown', 'accept'))
    with cloud.report.step(
        'live-migrate while the read fails (live_migration_unknown = accept)'
    ) as step:
        _move(cloud, step, FAIL, accepted=True)
    cloud.set_option('live_migration_unknown', None)
    with cloud.report.step('live-migrate, and the read works again') as step:
        server = cloud.client.boot(cloud.image['hvm'], host='xen-a1')
        server = cloud.client.live_migrate(server)
        step.says(
            'to %s' % host_of(server),
            cloud.refused_for(server['id'], 'xen-old', 'libvirt_too_old'),
        )


def _move(cloud: Cloud, step: Step, mode: str, accepted: bool = False) -> None:
    server = cloud.client.boot(cloud.image['hvm'], host='xen-a1')
    seen = len(cloud.nova.log())
    with cloud.proxy.doing(mode):
        server = cloud.client.live_migrate(server)
        met = cloud.proxy.met
    warned = re.findall(
        r"WARNING nova_xen_sched\S* \[.*?\] (Can't tell what .*)",
        cloud.nova.log()[seen:],
    )
    step.says('to %s' % host_of(server), *warned)
    step.check(met, 'nova-scheduler did not read the instance')
    step.check(warned, 'nova-scheduler did not warn of it')
    if accepted:
        step.check(
            'xen-old' not in cloud.refusals(server['id']),
            'xen-old was refused',
        )
        step.says('xen-old was not refused')
    else:
        step.says(
            '',
            cloud.refused_for(
                server['id'], 'xen-old', 'live_migration_unknown'
            ),
        )
        step.check(
            host_of(server) in hosts.HVM - {'xen-old'}, 'a host too old'
        )
