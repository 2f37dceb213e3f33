# SPDX-License-Identifier: Apache-2.0

"""A real libvirtd with libvirt's own test driver, and servers that are bad."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time

#: Seconds for a libvirtd to start; the machine may be busy.
PATIENCE = 60


def free_port():
    with contextlib.closing(socket.socket()) as found:
        found.bind(('127.0.0.1', 0))
        return found.getsockname()[1]


class Libvirtd:
    """A libvirtd in a folder of its own, without any hypervisor's driver.

    :param folder: an empty one, with a short path: it holds sockets.
    :param auth: for TCP and for the read-only socket.
    """

    def __init__(self, folder: pathlib.Path, auth: str = 'none') -> None:
        self.port = free_port()
        self.socket = folder / 'libvirt-sock-ro'
        self._log = folder / 'log'
        (folder / 'drivers').mkdir()
        (folder / 'conf').write_text(
            'listen_tls = 0\nlisten_tcp = 1\nlisten_addr = "127.0.0.1"\n'
            'tcp_port = "%d"\nauth_tcp = "%s"\nunix_sock_dir = "%s"\n'
            'auth_unix_ro = "none"\nauth_unix_rw = "none"\n'
            % (self.port, auth, folder)
        )
        with self._log.open('wb') as log:
            self._process = subprocess.Popen(
                [
                    *('libvirtd', '--listen', '-f', str(folder / 'conf')),
                    *('-p', str(folder / 'pid')),
                ],
                env={
                    **os.environ,
                    'PATH': '/usr/sbin:' + os.environ['PATH'],
                    'LIBVIRT_DRIVER_DIR': str(folder / 'drivers'),
                    'XDG_RUNTIME_DIR': str(folder),
                    'XDG_CACHE_HOME': str(folder),
                    'XDG_CONFIG_HOME': str(folder),
                },
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            with contextlib.suppress(OSError):
                socket.create_connection(('127.0.0.1', self.port)).close()
                return
            time.sleep(0.05)
        self.end()
        raise AssertionError(self._log.read_text())

    def freeze(self) -> None:
        """It still has its sockets, and the kernel takes connections."""
        self._process.send_signal(signal.SIGSTOP)

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Server:
    """A TCP server that takes each connection and says always the same.

    :param words: what it says; None for nothing ever, b'' for hanging up.
    """

    def __init__(self, words: bytes | None) -> None:
        self._words = words
        self._socket = socket.create_server(('127.0.0.1', 0))
        self.port = self._socket.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                if self._words is not None:
                    connection.sendall(self._words)
                if self._words == b'':
                    connection.close()
                else:
                    self._open.append(connection)

    def end(self) -> None:
        self._socket.close()
        for connection in self._open:
            connection.close()
