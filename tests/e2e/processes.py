# SPDX-License-Identifier: Apache-2.0

"""The processes of a run: started, waited for, and ended by their ids."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import time
import typing as ty

#: Seconds for anything to start or to happen: a loaded machine may take
#: many times what an idle one does. Nothing waits so long unless it fails.
PATIENCE = 180.0

_PR_SET_CHILD_SUBREAPER = 36


class Failure(Exception):
    """What went wrong, in one line for the person who reads the run."""


def until(
    done: ty.Callable[[], ty.Any], what: str, patience: float = PATIENCE
) -> ty.Any:
    """The first true answer of done(), which is asked again and again.

    :raises Failure: if there is none in time
    """
    deadline = time.monotonic() + patience
    pause = 0.02
    while True:
        answer = done()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise Failure('waited %d s for %s' % (patience, what))
        time.sleep(pause)
        pause = min(pause * 1.5, 0.5)


def free_ports(count: int) -> list[int]:
    """Ports of the loopback interface that nobody listens at."""
    with contextlib.ExitStack() as stack:
        found = []
        for _ in range(count):
            listener = stack.enter_context(socket.socket())
            listener.bind(('127.0.0.1', 0))
            found.append(listener.getsockname()[1])
        return found


def listening(port: int) -> bool:
    with socket.socket() as s:
        s.settimeout(2)
        return s.connect_ex(('127.0.0.1', port)) == 0


class Process:
    """One that was started, and what it wrote."""

    def __init__(self, name: str, log: str, popen: subprocess.Popen) -> None:
        self.name = name
        self.log = log
        self._popen = popen

    @property
    def pid(self) -> int:
        return self._popen.pid

    def written(self) -> str:
        with open(self.log, encoding='utf-8', errors='replace') as f:
            return f.read()

    def check(self) -> None:
        """:raises Failure: if it has ended"""
        code = self._popen.poll()
        if code is not None:
            lines = [line for line in self.written().split('\n') if line]
            raise Failure(
                '%s ended with %s: %s (%s)'
                % (self.name, code, lines[-1] if lines else '', self.log)
            )

    def until(self, done: ty.Callable[[], ty.Any], what: str) -> ty.Any:
        """As until(), but fails at once when the process ends."""

        def look() -> ty.Any:
            self.check()
            return done()

        return until(look, '%s of %s' % (what, self.name))

    def signal(self, number: int) -> None:
        """To the process itself, not to its children."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """kill -9 it and its children."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait()

    def end(self, patience: float = 20) -> None:
        """Ask it to end, and end it."""
        if self._popen.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._popen.wait(patience)
        self.kill()


class Processes:
    """All processes of a run.

    :param folder: where their logs go
    """

    #: Each is the leader of a process group of its own, so that Ctrl-C
    #: reaches the run alone; and each ends when the run is killed.
    WRAPPER = ('setpriv', '--pdeathsig', 'TERM')

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._started: list[Process] = []
        # Whatever daemons leave behind becomes our child, and is found.
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def start(
        self,
        name: str,
        command: list[str],
        *,
        env: dict[str, str] | None = None,
        privileges: tuple[str, ...] = (),
        cwd: str | None = None,
    ) -> Process:
        """Start a program; what it writes goes on at the end of its log.

        :param privileges: further arguments for setpriv
        """
        log = os.path.join(self._folder, name + '.log')
        with open(log, 'ab') as f:
            popen = subprocess.Popen(
                [*self.WRAPPER, *privileges, '--', *command],
                stdin=subprocess.DEVNULL,
                stdout=f,
                stderr=subprocess.STDOUT,
                env=clean_env(env),
                cwd=cwd or self._folder,
                start_new_session=True,
            )
        process = Process(name, log, popen)
        self._started.append(process)
        return process

    def run(
        self,
        name: str,
        command: list[str],
        env: dict[str, str] | None = None,
        patience: float = PATIENCE * 2,
    ) -> str:
        """Run a program to its end; what it printed.

        :raises Failure: if it fails
        """
        process = self.start(name, command, env=env)
        return self.wait(process, patience)

    def wait(self, process: Process, patience: float = PATIENCE * 2) -> str:
        """Wait for the end of a program that was started."""
        try:
            code = process._popen.wait(patience)
        except subprocess.TimeoutExpired:
            code = 'no end in %d s' % patience
            process.kill()
        self._started.remove(process)
        if code:
            raise Failure(
                '%s failed (%s): %s'
                % (process.name, code, process.written().strip()[-2000:])
            )
        return process.written()

    def ask(
        self, command: list[str], env: dict[str, str]
    ) -> tuple[int, str, str]:
        """A program's exit code, output and complaints.

        :raises Failure: if it doesn't end in time
        """
        patience = PATIENCE * 4
        try:
            done = subprocess.run(
                [*self.WRAPPER, '--', *command],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                env=clean_env(env),
                cwd=self._folder,
                timeout=patience,
                check=False,
            )
        except subprocess.TimeoutExpired as e:
            raise Failure(
                'waited %d s for %s' % (patience, ' '.join(command))
            ) from e
        return done.returncode, done.stdout, done.stderr

    def end(self, keep: float = 5) -> None:
        """End everything, the last first."""
        # Threads may still start some, or have them end.
        for process in list(self._started):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + keep
        for process in list(reversed(self._started)):
            process.end(max(0.0, deadline - time.monotonic()))
        self._started.clear()
        with contextlib.suppress(ChildProcessError):
            # Until none is left, those too that were forked meanwhile.
            while True:
                for pid in _children():
                    with contextlib.suppress(
                        ProcessLookupError, PermissionError
                    ):
                        os.kill(pid, signal.SIGKILL)
                if not os.waitpid(-1, os.WNOHANG)[0]:
                    time.sleep(0.05)


def _children() -> ty.Iterator[int]:
    """The ids of all processes below this one, the nearest first."""
    parents = {}
    for name in os.listdir('/proc'):
        with contextlib.suppress(OSError, ValueError):
            pid = int(name)
            with open('/proc/%d/stat' % pid) as f:
                parents[pid] = int(f.read().rpartition(')')[2].split()[1])
    found = [os.getpid()]
    for parent in found:
        found.extend(pid for pid, above in parents.items() if above == parent)
    yield from found[1:]


def clean_env(extra: dict[str, str] | None = None) -> dict[str, str]:
    """The environment for a service: nothing of the caller's Python."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(('PYTHON', 'OS_', 'VIRTUAL_ENV', 'PIP_'))
        or name in ('PIP_CERT', 'PIP_INDEX_URL')
    }
    kept.update(extra or {})
    return kept
