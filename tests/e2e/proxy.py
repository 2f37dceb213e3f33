# SPDX-License-Identifier: Apache-2.0

"""Stands before the cell's database, for all that look into the cell.

It can stall or fail one thing: nova-scheduler's read of an instance by its
id, which is how XenHostFilter learns what a request does. All else passes, as
a database that is wholly down would have nova itself fail before any filter.
"""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import threading
import typing as ty

PASS = 'pass'
STALL = 'stall'
FAIL = 'fail'

_COM_QUERY = b'\x03'
_WANTED = b'instances.uuid = '
#: PyMySQL says its process when it signs in: name, length, value.
_PID = re.compile(rb'_pid(.)(\d+)', re.S)
#: ER_LOCK_WAIT_TIMEOUT, as the server itself words it.
_ERROR = (
    b'\xff'
    + struct.pack('<H', 1205)
    + b'#HY000Lock wait timeout exceeded; try restarting transaction'
)


class Proxy:
    """A proxy from one loopback port to another.

    :param concerns: is this the id of a process whose reads it is about?
    :ivar met: how many reads it has stalled or failed
    """

    def __init__(
        self, port: int, target: int, concerns: ty.Callable[[int], bool]
    ) -> None:
        self.met = 0
        self._mode = PASS
        self._go_on = threading.Event()
        self._target = target
        self._concerns = concerns
        self._listener = socket.create_server(('127.0.0.1', port))

    def start(self) -> None:
        threading.Thread(target=self._accept, daemon=True).start()

    @contextlib.contextmanager
    def doing(self, mode: str) -> ty.Iterator[None]:
        """STALL or FAIL those reads, until this ends."""
        self.met = 0
        self._go_on.clear()
        self._mode = mode
        try:
            yield
        finally:
            self._mode = PASS
            self._go_on.set()

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            try:
                server = socket.create_connection(('127.0.0.1', self._target))
            except OSError:
                _close(client)
                continue
            for run, args in (
                (self._upward, (client, server)),
                (_downward, (server, client)),
            ):
                threading.Thread(target=run, args=args, daemon=True).start()

    def _upward(self, client: socket.socket, server: socket.socket) -> None:
        pid = 0
        with contextlib.suppress(OSError):
            while True:
                header = _read(client, 4)
                if not header:
                    break
                size = int.from_bytes(header[:3], 'little')
                body = _read(client, size)
                said = None if pid else _PID.search(body)
                if said:
                    pid = int(said.group(2)[: said.group(1)[0]])
                if body[:1] == _COM_QUERY and _WANTED in body:
                    mode = self._mode if self._concerns(pid) else PASS
                    if mode != PASS:
                        self.met += 1
                    if mode == FAIL:
                        client.sendall(_error(header[3] + 1))
                        continue
                    if mode == STALL:
                        self._go_on.wait()
                server.sendall(header + body)
        _close(client, server)


def _downward(server: socket.socket, client: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            data = server.recv(65536)
            if not data:
                break
            client.sendall(data)
    _close(client, server)


def _read(source: socket.socket, size: int) -> bytes:
    """So many bytes; fewer at the end."""
    found = b''
    while len(found) < size:
        more = source.recv(size - len(found))
        if not more:
            return b''
        found += more
    return found


def _error(sequence: int) -> bytes:
    return len(_ERROR).to_bytes(3, 'little') + bytes([sequence]) + _ERROR


def _close(*sockets: socket.socket) -> None:
    for each in sockets:
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()
