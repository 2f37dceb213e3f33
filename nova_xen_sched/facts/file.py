# SPDX-License-Identifier: Apache-2.0

"""Facts in a YAML file beside nova-scheduler.

It is read when the plugin is built, looked at once a request, and read again
when it has changed: by one request, while all others go on with the last good
facts. These stay too while the file is missing, broken or being written.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import threading
import time
import typing as ty

from nova_xen_sched import facts
from nova_xen_sched import log
from nova_xen_sched.facts import parse_file

LOG = log.logger(__name__)

#: Bytes; 10000 hosts with every fact take less than 3 MB.
MAX_SIZE = 32 * 1024 * 1024
#: Seconds for which a file must lie still before it is read, so that no
#: half-written one is: a writer in place pauses for less.
QUIET = 0.05
#: Seconds to wait for that at most.
PATIENCE = 1.0
#: Seconds in which a file system may not tell two changes apart by time.
RACY = 2.0

#: What tells one state of a file from another.
_Identity = ty.Tuple[int, int, int, int]


FileError = parse_file.FileError


def _identity(status: os.stat_result) -> _Identity:
    return (
        status.st_dev,
        status.st_ino,
        status.st_mtime_ns,
        status.st_size,
    )


def read(path: str) -> tuple[bytes, _Identity]:
    """The content of a file that lies still, and what tells it from others.

    :raises FileError: if it does not, or is no file to read.
    :raises OSError: if the system refuses.
    """
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        raise FileError('it is not a regular file')
    if status.st_size > MAX_SIZE:
        raise FileError(
            'it has %d bytes, more than the %d that are read'
            % (status.st_size, MAX_SIZE)
        )
    _wait_until_quiet(path, status)
    with open(path, 'rb') as f:
        before = _identity(os.fstat(f.fileno()))
        content = f.read(MAX_SIZE + 1)
        after = _identity(os.fstat(f.fileno()))
    if before != after or len(content) != after[-1]:
        raise FileError('it is being written')
    return content, after


def load(path: str) -> tuple[parse_file.Table, str]:
    """Read a facts file now, for one who looks at it once.

    :returns: the facts, and the SHA-256 of the file in hexadecimal digits.
    :raises FileError: why it can't be used.
    """
    try:
        content, _ = read(path)
    except OSError as e:
        raise FileError(e.strerror or str(e)) from e
    return parse_file.load(content, path), hashlib.sha256(content).hexdigest()


def _wait_until_quiet(path: str, status: os.stat_result) -> None:
    """Wait while a file is being written in place.

    :raises FileError: if that takes too long.
    """
    deadline = time.monotonic() + PATIENCE
    # A time in the future is no age; then only lying still counts.
    while not time.time() - status.st_mtime >= QUIET:
        time.sleep(QUIET)
        before, status = status, os.stat(path)
        if _identity(before) == _identity(status):
            return
        if time.monotonic() > deadline:
            raise FileError('it is being written')


class Source:
    """Reads [xen_scheduler] host_facts_file.

    :param conf: nova's configuration.
    """

    def __init__(self, conf: ty.Any) -> None:
        self._conf = conf
        # Held by the one request that looks at the file.
        self._lock = threading.Lock()
        self._path: str | None = None
        # The file that was read last, good or broken; None if it may have
        # changed since without a trace. What is wrong with its content.
        self._read: _Identity | None = None
        self._digest = self._error = ''
        # What was said last of a file that can't be used, and of which
        # content.
        self._complaint = ('', '')
        self._table: parse_file.Table | None = None
        # 10000 hosts take 1.5 s: no request shall wait for that.
        self._look()

    def for_request(
        self, host_states: ty.Any
    ) -> ty.Callable[[ty.Any], facts.Raw] | None:
        """What looks a nova HostState up; None if there is no file.

        While another request reads the file, the last good facts count.
        """
        if self._lock.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._lock.release()
        table = self._table
        if table is None:
            return None
        return lambda state: table.of(state.host, state.nodename)

    def _look(self) -> None:
        # Of a wrong value the options speak, once; the last one counts.
        with contextlib.suppress(Exception):
            self._path = self._conf.xen_scheduler.host_facts_file
        if not self._path:
            if self._table is not None:
                self._use('host_facts_file, which is empty now', None)
            self._read = None
            self._digest = self._error = ''
            self._complaint = ('', '')
            return
        try:
            self._refresh(self._path)
        except (FileError, OSError) as e:
            self._complain(self._path, getattr(e, 'strerror', None) or str(e))
        else:
            self._complaint = ('', '')

    def _refresh(self, path: str) -> None:
        """Read the file if it may have changed since it was last read.

        What couldn't be read is tried again; what is broken is not.
        """
        if _identity(os.stat(path)) != self._read:
            content, identity = read(path)
            racy = abs(time.time() - identity[2] / 1e9) < RACY
            self._read = None if racy else identity
            digest = hashlib.sha256(content).hexdigest()
            if digest != self._digest:
                self._digest, self._error = digest, ''
                self._parse(path, content)
        if self._error:
            raise FileError(self._error)

    def _parse(self, path: str, content: bytes) -> None:
        try:
            table = parse_file.load(content, path)
        except FileError as e:
            self._error = str(e)
            return
        self._use(
            'the facts file %s (sha256 %s)' % (path, self._digest[:12]), table
        )
        LOG.info(
            'Read %(count)d hosts and %(patterns)d patterns from the facts '
            'file %(path)s (sha256 %(digest)s)',
            {
                'count': len(table.hosts),
                'patterns': len(table.patterns),
                'path': path,
                'digest': self._digest[:12],
            },
        )

    def _use(self, name: str, table: parse_file.Table | None) -> None:
        """From now on these facts count, of a file that is called so."""
        before = self._table or parse_file.Table()
        now = table or parse_file.Table()
        lost = ''
        if before.hosts and before.hosts.keys().isdisjoint(now.hosts):
            lost = '%d hosts' % len(before.hosts)
        elif before.patterns and not (now.patterns or now.hosts):
            lost = '%d patterns' % len(before.patterns)
        if lost:
            LOG.warning(
                'None of the %(lost)s that had facts is in %(file)s: it has '
                '%(now)d hosts.',
                {'lost': lost, 'file': name, 'now': len(now.hosts)},
            )
        self._table = table

    def _complain(self, path: str, reason: str) -> None:
        complaint = "The facts file %s can't be used: %s." % (path, reason)
        # Once for each content, not once per request.
        if (complaint, self._digest) != self._complaint:
            self._complaint = complaint, self._digest
            LOG.error(
                '%(complaint)s %(left)s',
                {
                    'complaint': complaint,
                    'left': 'There are no facts from it yet.'
                    if self._table is None
                    else 'The last good facts stay in force.',
                },
            )
