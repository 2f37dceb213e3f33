# SPDX-License-Identifier: Apache-2.0

"""A guest by nova, where the scheduler wants it."""

from __future__ import annotations

import re
import typing as ty

from tests.e2e.client import host_of
from tests.e2e.client import Server
from tests.e2e.processes import Failure
from tests.xen.e2e import guests

if ty.TYPE_CHECKING:
    from tests.xen.e2e.cloud import Cloud

#: What libvirt calls PV and HVM in a guest's XML.
_OS_TYPES = {'pv': 'linux', 'hvm': 'hvm'}
#: nova's manager and our driver, of a build that another host may try.
_NOT_BUILT = re.compile(
    '(?:Failed to build and run instance|This guest does not fit on this host)'
    ': (.*)'
)


def boot(cloud: Cloud, mode: str) -> None:
    """Explain it, then boot it."""
    said = {'pv': 'PV', 'hvm': 'HVM, by hw_vm_mode=hvm alone'}
    with cloud.report.step('boot a guest: %s' % said[mode]) as step:
        rows = cloud.json(
            'explain', '--image=' + cloud.image[mode], '--flavor=small'
        )['hosts']
        first = sorted(
            row['host'] for row in rows if row['result'] in ('first', 'tied')
        )
        began = cloud.report.elapsed
        server = cloud.boot(step, mode, image=mode)
        took = cloud.report.elapsed - began
        cloud.server[mode] = server
        name = host_of(server)
        step.says(
            'explain: %s; ACTIVE on %s after %d s'
            % (' or '.join(first), name, took)
        )
        step.check(name in first, 'not where explain said')
        host, domain = cloud.pair[name], guests.domain(server)
        listed = host.run('xl list %s' % domain).splitlines()
        line = guests.last_line(host, server, mode)
        kind = host.run(
            'virsh -c xen:///system dumpxml %s | '
            "sed -n 's/.*<type [^>]*>\\(.*\\)<.type>.*/\\1/p'" % domain
        ).strip()
        vm_mode = cloud.vm_mode(server['id'])
        step.says(
            'os type %s, instances.vm_mode %s' % (kind, vm_mode),
            *('%s: xl list: %s' % (name, each) for each in listed),
            '%s: its console: %s' % (name, line),
        )
        step.check(kind == _OS_TYPES[mode], 'the os type should be another')
        wanted = {'pv': 'xen', 'hvm': 'hvm'}[mode]
        step.check(vm_mode == wanted, 'vm_mode should be %s' % wanted)


def not_rescheduled(cloud: Cloud, server: Server) -> None:
    """:raises Failure: if nova built it on another host than its first."""
    tried = cloud.client.tried(server['id'])
    if len(tried) > 1:
        said = spawn_error(cloud.computes.log(tried[0]), server['id'])
        raise Failure(
            'nova rescheduled it, %s: %s' % (' to '.join(tried), said)
        )


def spawn_error(log: str, server_id: str) -> str:
    """Why a nova-compute could not build a server: a line of its log."""
    for line in log.split('\n'):
        found = _NOT_BUILT.search(line)
        if found and server_id in line:
            return found[1]
    return 'its log does not say why'
