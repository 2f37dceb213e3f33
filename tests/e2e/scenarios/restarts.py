# SPDX-License-Identifier: Apache-2.0

"""nova-scheduler is killed in the middle of its work; RabbitMQ restarts."""

from __future__ import annotations

import time
import typing as ty

from tests.e2e import hosts
from tests.e2e.client import host_of
from tests.e2e.cloud import Cloud
from tests.e2e.processes import until
from tests.e2e.scenarios import burst

TITLE = 'Faults: restarts'

_BOOTS = 30


def run(cloud: Cloud) -> None:
    _scheduler(cloud)
    _bus(cloud)


def _scheduler(cloud: Cloud) -> None:
    with cloud.report.step(
        'kill -9 nova-scheduler among %d boots, start it again' % _BOOTS
    ) as step:

        def kill(ended: ty.Callable[[], int]) -> None:
            # Some are decided, some are not.
            done = until(
                lambda: ended() >= _BOOTS // 3 and ended(), 'the first boots'
            )
            step.check(done < _BOOTS, 'all were booted before the kill')
            seen = len(cloud.nova.log())
            cloud.nova.kill_scheduler()
            step.says('killed when %d were booted' % done)
            cloud.nova.start_scheduler()
            cloud.nova.wait_for_scheduler(seen)

        # Requests that a killed worker had taken are lost; nova-conductor
        # waits for an answer, and gives them up.
        burst.boots(cloud, step, _BOOTS, kill, 'MessagingTimeout')
    with cloud.report.step('boot when it is back') as step:
        server = cloud.client.boot(cloud.image['pv'])
        step.says('on %s' % host_of(server), cloud.decision(server['id']))
        step.check(host_of(server) in hosts.PV, 'a host without PV')


def _bus(cloud: Cloud) -> None:
    with cloud.report.step(
        'stop RabbitMQ, start it again, and ask for a boot meanwhile'
    ) as step:
        cloud.bus.stop_server()
        began = time.monotonic()
        cloud.bus.start_server()
        # nova-api waits for the bus; the client waits for nova-api.
        server_id = cloud.client.post_server(cloud.image['hvm'])
        cloud.bus.wait()
        server = cloud.client.booted(server_id)
        step.says(
            'on %s, %.0f s after'
            % (host_of(server), time.monotonic() - began),
            cloud.decision(server_id),
        )
        step.check(host_of(server) in hosts.HVM, 'a host without HVM')
    with cloud.report.step('boot when all is back') as step:
        server = cloud.client.boot(cloud.image['pv'])
        step.says('on %s' % host_of(server), cloud.decision(server['id']))
        step.check(host_of(server) in hosts.PV, 'a host without PV')
