# SPDX-License-Identifier: Apache-2.0

"""Why each server is in ERROR, or hangs, by the logs."""

from __future__ import annotations

import datetime
import re
import typing as ty

from tests.e2e import logs

if ty.TYPE_CHECKING:
    from tests.e2e.cloud import Cloud
    from tests.e2e.soak.faults import Restart

#: Causes that begin so are the plugin's.
OURS = 'nova-xen-sched'
#: Causes that begin so are none: no log says why.
UNKNOWN = 'unknown'

_CELLS = ('nova', 'nova_cell0')
#: Seconds that one service of nova waits for another, and some more.
_PATIENCE = 90
_TIMEOUT = 'MessagingTimeout'


class Server(ty.NamedTuple):
    """One that is in ERROR, or hangs.

    :ivar cell: the cell's database.
    :ivar task: what it hangs in; None in ERROR.
    """

    cell: str
    uuid: str
    task: str | None = None


def servers(cloud: Cloud) -> list[Server]:
    """Those in ERROR, and those that nova is still at after all has ended."""
    return [
        Server(cell, uuid, task if state != 'error' else None)
        for cell in _CELLS
        for uuid, state, task in cloud.database.execute(
            'SELECT uuid, vm_state, task_state FROM %s.instances WHERE'
            " (vm_state = 'error' OR task_state IS NOT NULL)"
            ' AND deleted = 0' % cell
        )
    ]


def of(
    cloud: Cloud,
    written: ty.Mapping[str, str],
    server: Server,
    restarts: ty.Sequence[Restart] = (),
) -> str:
    """Why a server is in ERROR, or hangs: an exception, and whose log has it.

    That one service waited for another in vain is no cause by itself, but
    that something was restarted meanwhile.

    :param written: log -> its text.
    """
    cause = _cause(cloud, written, server, restarts)
    if server.task is None or cause.startswith((OURS, UNKNOWN)):
        return cause
    return 'hangs in %s: %s' % (server.task, cause)


def _cause(
    cloud: Cloud,
    written: ty.Mapping[str, str],
    server: Server,
    restarts: ty.Sequence[Restart],
) -> str:
    requests = [
        row[0]
        for row in cloud.database.execute(
            'SELECT request_id FROM %s.instance_actions'
            ' WHERE instance_uuid = %%s ORDER BY id DESC' % server.cell,
            server.uuid,
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
            said = '%s in %s' % (raised, service)
            if raised == _TIMEOUT and not found:
                why = _restarted(written, [service], request, restarts)
                if not why:
                    return '%s: %s' % (UNKNOWN, said)
                said += ' (%s)' % why
            found = found or said
        if not found or _NO_HOST in found:
            found = _no_host(written, request) or found
        if not found and server.task is not None:
            # What was sent to a service that ended is lost without a word.
            found = _restarted(written, written, request, restarts, _PATIENCE)
        if found:
            return found
    return UNKNOWN


_TIME = re.compile(r'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}')


def _restarted(
    written: ty.Mapping[str, str],
    services: ty.Iterable[str],
    request: str,
    restarts: ty.Iterable[Restart],
    later: float = 0,
) -> str:
    """What was restarted when services last logged something of a request.

    :param later: seconds after that in which a restart counts too.
    :returns: its name; empty if nothing was.
    """
    times = [
        found[0]
        for service in services
        for line in written[service].split('\n')
        if request in line
        for found in [_TIME.match(line)]
        if found
    ]
    if not times:
        return ''
    last = datetime.datetime.strptime(  # noqa: DTZ007  as the logs have it
        max(times), '%Y-%m-%d %H:%M:%S.%f'
    )
    for each in restarts:
        if each.began <= last + datetime.timedelta(
            seconds=later
        ) and each.ended >= last - datetime.timedelta(seconds=_PATIENCE):
            return each.name
    return ''


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
