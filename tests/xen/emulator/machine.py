# SPDX-License-Identifier: Apache-2.0

"""Commands of the machine: running them, saying what goes on, and failing."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
import shutil
import signal
import subprocess
import sys
import time
import typing as ty

from tests.e2e.processes import Failure


class Log:
    """Lines with the seconds since the start, and a folder of logs.

    :param logs: where this run's folder of them is made.
    :ivar folder: where each command's output goes.
    """

    def __init__(self, logs: Path) -> None:
        self.folder = logs / time.strftime('%Y%m%d-%H%M%S')
        self.folder.mkdir(parents=True)
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def __call__(self, text: str) -> None:
        print('[%4d s] %s' % (self.seconds, text), flush=True)


def run(
    command: list[str], log: Path, what: str, **settings: ty.Any
) -> subprocess.CompletedProcess[bytes]:
    """Run a command at low priority, its output appended to a log.

    :param what: what it does, for the message of a failure.
    :raises Failure: if it ends with other than 0, naming the log.
    """
    with log.open('ab') as output:
        output.write(('$ %s\n' % ' '.join(command)).encode())
        output.flush()
        done = subprocess.run(
            ['nice', *command],
            stdin=settings.pop('stdin', subprocess.DEVNULL),
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
            **settings,
        )
    if done.returncode:
        raise Failure('%s failed (%d): see %s' % (what, done.returncode, log))
    return done


def output(command: list[str]) -> str:
    """What a command prints; '' if it isn't there or fails."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False
        )
    except OSError:
        return ''
    return done.stdout if done.returncode == 0 else ''


def result(command: list[str]) -> subprocess.CompletedProcess[str]:
    """A command that may fail: its exit code, output and errors."""
    return subprocess.run(
        ['nice', *command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def need(packages: tuple[str, ...], log: Log) -> None:
    """Debian packages without which it can't go on: installed, or named.

    :raises Failure: where they are missing, and we are not root.
    """

    def missing() -> list[str]:
        listed = result(
            ['dpkg-query', '-W', '-f', '${Package} ${db:Status-Status}\n']
            + list(packages)
        ).stdout.splitlines()
        return [each for each in packages if each + ' installed' not in listed]

    if not shutil.which('dpkg-query') or not shutil.which('apt-get'):
        raise Failure('This needs Debian, or one alike: it has no apt here.')
    wanted = missing()
    if not wanted:
        return
    if os.geteuid():
        raise Failure(
            'Missing Debian packages: apt-get install %s' % ' '.join(wanted)
        )
    log('installing %s' % ' '.join(wanted))
    environment = dict(os.environ, DEBIAN_FRONTEND='noninteractive')
    where = log.folder / 'apt.log'
    run(['apt-get', '-qq', 'update'], where, 'apt-get update')
    run(
        ['apt-get', '-qqy', 'install', '--no-install-recommends', *wanted],
        where,
        'apt-get install',
        env=environment,
    )


@contextlib.contextmanager
def ended_by_signals() -> ty.Iterator[None]:
    """Let SIGTERM and SIGHUP end as Ctrl-C does: through every finally."""

    def end(number: int, _frame: ty.Any) -> None:
        sys.exit(128 + number)

    before = {
        number: signal.signal(number, end)
        for number in (signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
