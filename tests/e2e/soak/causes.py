# SPDX-License-Identifier: Apache-2.0

"""Why each server is in ERROR, by the logs."""

from __future__ import annotations

import re
import typing as ty

from tests.e2e import logs

if ty.TYPE_CHECKING:
    from tests.e2e.cloud import Cloud

#: Causes that begin so are the plugin's.
OURS = 'nova-xen-sched'
#: No log says why.
UNKNOWN = 'unknown'

_CELLS = ('nova', 'nova_cell0')


def in_error(cloud: Cloud) -> list[tuple[str, str]]:
    """The servers in ERROR: the cell's database, and the id."""
    return [
        (cell, row[0])
        for cell in _CELLS
        for row in cloud.database.execute(
            "SELECT uuid FROM %s.instances WHERE vm_state = 'error'"
            ' AND deleted = 0' % cell
        )
    ]


def of(
    cloud: Cloud, written: ty.Mapping[str, str], cell: str, uuid: str
) -> str:
    """Why a server is in ERROR: an exception, and whose log has it.

    :param written: log -> its text.
    """
    requests = [
        row[0]
        for row in cloud.database.execute(
            'SELECT request_id FROM %s.instance_actions'
            ' WHERE instance_uuid = %%s ORDER BY id DESC' % cell,
            uuid,
        )
    ]
    found: list[str] = []
    # The newest request first: it is what ended so.
    for request in requests:
        for service, text in written.items():
            for traceback in logs.of_request(text, request):
                if logs.is_ours(traceback):
                    return '%s: %s' % (OURS, _exception(traceback))
                found.append('%s in %s' % (_exception(traceback), service))
        if not found:
            found += _no_host(written, request)
        if found:
            # What is nearest to the cause is logged first.
            return found[0]
    return UNKNOWN


def _exception(traceback: str) -> str:
    """The name of what was raised."""
    last = traceback.rstrip().split('\n')[-1]
    return last.split(':')[0].rpartition('.')[2].strip()


def _no_host(written: ty.Mapping[str, str], request: str) -> list[str]:
    """A request that ended without a host has no traceback."""
    lines = [
        line
        for line in written.get('nova-scheduler', '').split('\n')
        if request in line
    ]
    for line in lines:
        if re.search(r'XenHostFilter: 0 of [1-9]', line):
            return ['%s: XenHostFilter refused all hosts' % OURS]
    for line in lines:
        stopped = re.search(r'Filter (\w+) returned 0 hosts', line)
        if stopped:
            return ['no host left by %s in nova-scheduler' % stopped[1]]
    for service, text in written.items():
        for line in text.split('\n'):
            if request in line and re.search(' (WARNING|ERROR) ', line):
                said = line.partition(request)[2].partition('] ')[2]
                said = re.sub(r'[0-9a-f-]{32,36}|\d+', 'N', said)
                return ['%s in %s' % (said[:80], service)]
    return []
