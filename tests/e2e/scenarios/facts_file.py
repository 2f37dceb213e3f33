# SPDX-License-Identifier: Apache-2.0

"""The facts file goes wrong: the last good facts stay in force.

Of xen-a1 the file says that its libvirt is too old, which no other source
does. A live migration tells whether that is still known.
"""

from __future__ import annotations

import os
import re

from tests.e2e import hosts
from tests.e2e.client import host_of
from tests.e2e.cloud import Cloud
from tests.e2e.processes import Failure
from tests.e2e.report import Step
from tests.e2e.services.nova import WORKERS

TITLE = 'Faults: the facts file'

_HOST = 'xen-a1'
_FACTS = hosts.FACTS + '  xen-a1: {libvirt_version: "1.2.5"}\n'


def run(cloud: Cloud) -> None:
    cloud.set_option('live_migration_check', 'always')
    with cloud.report.step('the file says libvirt 1.2.5 of xen-a1') as step:
        _known(cloud)
        _refused(cloud, step)
    for what, harm in (
        ('truncated in the middle of a line', _truncate),
        ('deleted', _delete),
        ('unreadable (mode 000; root has no override)', _forbid),
        ('a folder of that name', _folder),
    ):
        with cloud.report.step('the facts file is %s' % what) as step:
            seen = len(cloud.nova.log())
            harm(cloud.facts_file)
            _refused(cloud, step)
            said = re.findall(
                r'ERROR nova_xen_sched\S* \[.*?\] (.*)',
                cloud.nova.log()[seen:],
            )
            step.says('still refused', *said)
            step.check(said, 'nova-scheduler logged no ERROR')
            cloud.write_facts(_FACTS)
    with cloud.report.step('the facts file is good again') as step:
        cloud.write_facts(hosts.FACTS)
        server = cloud.client.boot(cloud.image['hvm'], host=_HOST)
        step.says('xen-a1 is used again: on %s' % host_of(server))
    cloud.set_option('live_migration_check', 'live_migration')


def _refused(cloud: Cloud, step: Step) -> None:
    server = cloud.client.refused(cloud.image['hvm'], host=_HOST)
    step.says(
        'boot on xen-a1: no valid host',
        cloud.refused_for(server['id'], _HOST, 'libvirt_too_old'),
    )


def _known(cloud: Cloud) -> None:
    """The good file, and requests until each worker has read it.

    Each keeps its own last good facts.
    """
    cloud.write_facts(_FACTS)
    seen = len(cloud.nova.log())
    read = re.compile(r' (\d+) INFO nova_xen_sched\S* .*Read \d+ hosts')
    for _ in range(20):
        cloud.client.refused(cloud.image['hvm'], host=_HOST)
        if len(set(read.findall(cloud.nova.log()[seen:]))) >= WORKERS:
            return
    raise Failure('a worker never read the facts file')


def _truncate(path: str) -> None:
    with open(path, 'r+', encoding='utf-8') as f:
        f.truncate(len(_FACTS) - 10)


def _delete(path: str) -> None:
    os.unlink(path)


def _forbid(path: str) -> None:
    # A new file, as the mode alone doesn't make it look changed.
    with open(path + '.new', 'w', encoding='utf-8') as f:
        f.write(hosts.FACTS)
    os.chmod(path + '.new', 0)
    os.replace(path + '.new', path)


def _folder(path: str) -> None:
    os.unlink(path)
    os.mkdir(path)
