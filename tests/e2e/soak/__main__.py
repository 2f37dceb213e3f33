# SPDX-License-Identifier: Apache-2.0

"""python -m tests.e2e.soak --nova 34.0.0 ...: see make soak."""

from __future__ import annotations

import contextlib
import os
import random
import sys

from tests.e2e import command
from tests.e2e import logs
from tests.e2e.client import host_of
from tests.e2e.cloud import Cloud
from tests.e2e.processes import Failure
from tests.e2e.report import Report
from tests.e2e.services import debian
from tests.e2e.services.nova import WORKERS
from tests.e2e.settings import ROOT
from tests.e2e.soak import causes
from tests.e2e.soak import faults
from tests.e2e.soak import memory
from tests.e2e.soak import users
from tests.e2e.soak.figures import counted
from tests.e2e.soak.figures import Figures

#: Of the whole run.
_MINUTES = 30


def _soak(
    cloud: Cloud, minutes: float, seed: int
) -> tuple[Figures, faults.Faults, memory.Memory]:
    """Let users and faults loose on the cloud."""
    load, broken = users.Users(cloud, seed), faults.Faults(cloud, seed)
    used = memory.Memory(cloud, WORKERS)
    figures = Figures(
        'nova %s, MariaDB, RabbitMQ and placement, %d users, for %g minutes; '
        'seed %d.' % (cloud.settings.nova, users.USERS, minutes, seed),
        load.asked,
        load.failed,
        broken.counts,
        broken.failed,
    )
    with contextlib.ExitStack() as stack:
        for each in (load, used):
            each.start()
            stack.callback(each.end)
        broken.run(minutes * 60, lambda: cloud.report.note('  %s' % figures))
    return figures, broken, used


def run(cloud: Cloud, minutes: float, seed: int) -> Figures:
    """The soak, and what must hold after it."""
    report = cloud.report
    report.chapter('%g minutes of load and faults' % minutes)
    with report.step('boots and moves by %d users' % users.USERS) as step:
        figures, broken, used = _soak(cloud, minutes, seed)
        step.says(str(figures), *figures.lines())
        step.check(
            not broken.not_restarted,
            'not back: %s' % '; '.join(broken.not_restarted),
        )
    with report.step('boot when all is well again') as step:
        server = cloud.client.boot(cloud.image['hvm'])
        step.says('on %s' % host_of(server))
    with report.step('trace each server in ERROR, or that hangs') as step:
        written = cloud.logs()
        for each in causes.servers(cloud):
            cause = causes.of(cloud, written, each, broken.restarts)
            figures.causes[cause] += 1
        count = sum(figures.causes.values())
        step.says('%d servers' % count, *counted(figures.causes))
        unknown = [
            cause
            for cause in figures.causes
            if cause.startswith(causes.UNKNOWN)
        ]
        step.check(not unknown, 'not all are traced')
        ours = [
            cause for cause in figures.causes if cause.startswith(causes.OURS)
        ]
        step.check(not ours, 'some are of the plugin')
    with report.step("nova-scheduler's memory") as step:
        thirds = used.thirds()
        figures.memory = 'not judged'
        if thirds is None:
            raise Failure(
                "it can't be judged: not all workers lived through the second "
                'and the last third'
            )
        second, last = thirds
        figures.memory = (
            '%.1f MiB a worker in the second third, %.1f in the last '
            '(%+.1f %%)' % (second, last, (last / second - 1) * 100)
        )
        step.says(figures.memory)
        step.check(
            abs(last / second - 1) <= memory.MOST,
            'it may differ by %.0f %%' % (memory.MOST * 100),
        )
    report.chapter('Afterwards')
    logs.judge(cloud)
    return figures


def main() -> int:
    parser = command.parser('tests.e2e.soak')
    parser.add_argument('--nova', required=True, help='its release')
    parser.add_argument(
        '--length', type=float, default=1.0, help='of half an hour: 0.2'
    )
    parser.add_argument('--seed', type=int, help='of users and faults')
    parser.add_argument(
        '--docs', metavar='DIR', help='write the figures into soak.rst there'
    )
    arguments = parser.parse_args()
    seed = arguments.seed
    if seed is None:
        seed = random.randrange(10**6)

    def soak(report: Report) -> int:
        debian.ensure()
        report.note('seed %d' % seed)
        with contextlib.ExitStack() as stack:
            settings = command.settings(stack, arguments, arguments.nova)
            stack.callback(command.ending, report)
            cloud = Cloud(settings, report, os.path.join(ROOT, arguments.pins))
            cloud.start()
            report.note('ready')
            figures = run(cloud, arguments.length * _MINUTES, seed)
            if arguments.docs:
                figures.write(arguments.docs)
        report.table()
        return report.end(settings.path('log'))

    return command.main('soak', soak)


if __name__ == '__main__':
    sys.exit(main())
