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
    # The newest request first: it is what ended so.
    for request in requests:
        found = ''
        for service in sorted(written, key=_nearest_first):
            pieces = logs.of_request(written[service], request)
            if not pieces:
                continue
            # The last of those that one caused in another.
            raised = _exception(pieces[-1])
            if any(map(logs.is_ours, pieces)):
                return '%s: %s' % (OURS, raised)
            found = found or '%s in %s' % (raised, service)
        if not found or _NO_HOST in found:
            found = _no_host(written, request) or found
        if found:
            return found
    return UNKNOWN


_NO_HOST = 'NoValidHost'


def _nearest_first(service: str) -> tuple[bool, str]:
    """What others repeat is logged by nova-scheduler and nova-compute."""
    return service in ('nova', 'nova-conductor'), service


def _exception(traceback: str) -> str:
    """The name of what was raised, by another service if that is it."""
    last = traceback.rstrip().split('\n')[-1]
    remote = re.match(r'\S*RemoteError: Remote error: (\w+)', last)
    if remote:
        return remote[1]
    return last.split(':')[0].rpartition('.')[2].strip()


def _no_host(written: ty.Mapping[str, str], request: str) -> str:
    """Why a request found no host, or what was warned of it."""
    lines = [
        (service, line)
        for service in sorted(written, key=_nearest_first)
        for line in written[service].split('\n')
        if request in line
    ]
    for pattern, cause in (
        (r'XenHostFilter: 0 of [1-9]', OURS + ': XenHostFilter refused all'),
        (r'Filter (\w+) returned 0 hosts', r'no host left by \1'),
        (r' (?:WARNING|ERROR) .*?%s.*?\] (.*)' % request, r'\1'),
    ):
        for service, line in lines:
            found = re.search(pattern, line)
            if found:
                said = re.sub(
                    r'[0-9a-f-]{32,36}|\d+', 'N', found.expand(cause)
                )
                return '%s in %s' % (said[:80], service)
    return ''
