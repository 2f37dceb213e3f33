# SPDX-License-Identifier: Apache-2.0

"""Reads many hosts at once, each for so long and no longer.

libvirt's calls block in C: a host that accepts a connection and then says
nothing holds its caller for good, whatever keepalive is set, and a thread
can't be ended. So each host is read by a process of its own, in a session of
its own, which is killed when its time is over, along with the ssh that
libvirt may have started. Without a terminal that ssh can't ask for a password
either.
"""

from __future__ import annotations

from concurrent import futures
import contextlib
import dataclasses
import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
import time
import typing as ty

from nova_xen_sched import redact
from nova_xen_sched import xenhost

#: Hosts that are read at once.
PARALLEL = 16
#: Bytes that a child may print; a host with 1000 guests has some 200 KB.
MAX_OUTPUT = 16 * 1024 * 1024
#: Seconds between two steps of progress, and until an end is noticed.
_TICK = 0.5

INSTALL = (
    "libvirt's Python binding is missing: install Debian's python3-libvirt "
    '(for a virtual environment made with --system-site-packages), or '
    'pip install nova-xen-sched[libvirt], which is compiled and needs gcc, '
    'pkg-config and libvirt-dev.'
)

#: The first argument is sys.path, as this process has it: what -m would put
#: before it, the current folder, has no business there.
_CHILD = (
    'import json, sys; sys.path[:] = json.loads(sys.argv.pop(1)); '
    'from nova_xen_sched.xenhost import child; '
    'sys.exit(child.main(sys.argv[1:]))'
)


@dataclasses.dataclass(frozen=True)
class Result:
    """What became of reading one host: the host, or why there is none.

    All of it may be shown: see shown().
    """

    uri: str
    host: ty.Optional[xenhost.XenHost] = None
    error: ty.Optional[str] = None


def shown(text: str) -> str:
    """A URI, or a text with one, as it may be shown.

    That is without a password, which libvirt doesn't take from a URI, but
    which may stand there for all that; and without what could steer a
    terminal.
    """
    return _printable(redact.passwords(text))


def _printable(text: str) -> str:
    return redact.printable(text.replace('\n', '?'))


def installed() -> bool:
    """Whether libvirt's Python binding is there."""
    return importlib.util.find_spec('libvirt') is not None


def read(
    uris: ty.Sequence[str],
    timeout: float,
    step: ty.Callable[[int], ty.Any] | None = None,
) -> list[Result]:
    """Read what hosts report of themselves.

    :param timeout: seconds for each.
    :param step: called now and then with how many are read or failed.
    :returns: a result for each URI, in their order.
    """
    ended = threading.Event()
    with futures.ThreadPoolExecutor(PARALLEL) as pool:
        try:
            found = [pool.submit(_read, uri, timeout, ended) for uri in uris]
            left = set(found)
            while left:
                _, left = futures.wait(left, _TICK)
                if step:
                    step(len(found) - len(left))
        finally:
            # After Ctrl-C nothing of it stays behind.
            ended.set()
    return [each.result() for each in found]


def _read(uri: str, timeout: float, ended: threading.Event) -> Result:
    """Read one host.

    :param ended: set when nobody waits for it any more.
    """
    name = shown(uri)
    if ended.is_set():
        return Result(name, error='not asked')
    try:
        child = _start(uri)
    except (OSError, ValueError) as e:
        return Result(name, error="can't be reached: %s" % e)
    deadline = time.monotonic() + timeout
    try:
        while not ended.is_set() and time.monotonic() < deadline:
            left = max(deadline - time.monotonic(), 0)
            with contextlib.suppress(subprocess.TimeoutExpired):
                out, err = child.communicate(timeout=min(left, _TICK))
                return _result(name, child.returncode, out, err)
        return Result(name, error='no answer within %g s' % timeout)
    finally:
        _end(child)


def _start(uri: str) -> subprocess.Popen[bytes]:
    path = json.dumps([each for each in sys.path if each])
    return subprocess.Popen(  # noqa: S603  no shell reads the URI
        [sys.executable, '-c', _CHILD, path, uri],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # ssh would ask in a window then.
        env={**os.environ, 'SSH_ASKPASS_REQUIRE': 'never'},
        start_new_session=True,
    )


def _end(child: subprocess.Popen[bytes]) -> None:
    """End a process and what it has started, and leave nothing behind."""
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(timeout=5)
    for pipe in (child.stdout, child.stderr):
        if pipe:
            pipe.close()


def _result(uri: str, code: int, out: bytes, err: bytes) -> Result:
    """Of what a child printed.

    :param uri: as it may be shown.
    """
    if code:
        last = err.decode('utf-8', 'replace').strip().split('\n')[-1]
        how = 'signal %d' % -code if code < 0 else 'code %d' % code
        why = ': ' + shown(last) if last else ''
        return Result(uri, error='asking it ended with %s%s' % (how, why))
    try:
        if len(out) > MAX_OUTPUT:
            raise ValueError('%d bytes' % len(out))
        data = json.loads(out)
        if 'error' in data:
            return Result(uri, error=shown(str(data['error'])))
        host = xenhost.from_dict(_shown(data))
        # These are errors' texts.
        problems = {key: shown(host.problems[key]) for key in host.problems}
        return Result(
            uri, host=dataclasses.replace(host, uri=uri, problems=problems)
        )
    except (TypeError, ValueError) as e:
        return Result(uri, error=shown("its answer can't be read: %s" % e))


def _shown(data: ty.Any) -> ty.Any:
    """The same data, each text in it as it may be shown."""
    if isinstance(data, str):
        return _printable(redact.values(data))
    if isinstance(data, dict):
        return {key: _shown(data[key]) for key in data}
    if isinstance(data, list):
        return [_shown(each) for each in data]
    return data
