# SPDX-License-Identifier: Apache-2.0

"""Users, each of whom boots a guest, moves it, and deletes it, again."""

from __future__ import annotations

import collections
import random
import threading
import typing as ty

from tests.e2e.client import Client
from tests.e2e.client import Server
from tests.e2e.processes import Failure

if ty.TYPE_CHECKING:
    from tests.e2e.cloud import Cloud

USERS = 8
#: Seconds after which a user gives a request up: nova's own RPC timeout is 60.
PATIENCE = 150


class Users:
    """All of them.

    :ivar asked: request -> how many times.
    :ivar failed: request and what the user saw -> how many times.
    """

    def __init__(self, cloud: Cloud, seed: int) -> None:
        self.asked: ty.Counter[str] = collections.Counter()
        self.failed: ty.Counter[str] = collections.Counter()
        self._cloud = cloud
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._use, args=(seed + number,))
            for number in range(USERS)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Wait until each is done with what it has asked for."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _use(self, seed: int) -> None:
        rng = random.Random(seed)
        client = None
        while not self._over.is_set():
            if client is None:
                client = self._try('sign in', self._cloud.sign_in)
                if client is None:
                    self._over.wait(1)
                    continue
                client.patience = PATIENCE
            self._guest(rng, client)

    def _try(self, request: str, call: ty.Callable[[], ty.Any]) -> ty.Any:
        """What a request answers, None if it fails."""
        with self._lock:
            self.asked[request] += 1
        try:
            return call() or True
        except Exception as e:
            with self._lock:
                self.failed['%s: %s' % (request, _short(e))] += 1
            return None

    def _guest(self, rng: random.Random, client: Client) -> None:
        """One guest, from its boot to its end; one that fails stays."""
        kind = rng.choice(('hvm', 'pv'))
        image = self._cloud.image[kind]
        known: list[str] = []

        def boot() -> Server:
            known.append(client.post_server(image, name='soak'))
            return client.booted(known[0])

        server = self._try('boot', boot)
        if server is None:
            self._over.wait(1)
        moves: list[tuple[str, ty.Callable[[Server], Server]]] = [
            ('live migration', client.live_migrate),
            ('cold migration', client.cold_migrate),
            ('rebuild', lambda each: client.rebuild(each, image)),
        ]
        for name, move in rng.sample(moves, rng.randrange(3)):
            if server is None or self._over.is_set():
                break
            server = self._try(
                name, lambda move=move, server=server: move(server)
            )
        if server is not None:
            self._try('delete', lambda: client.delete(server))
        elif known:
            self._try('look at it', lambda: _leave(client, known[0]))


def _leave(client: Client, server_id: str) -> bool:
    """Keep a guest in ERROR, or that hangs, to be traced; else delete it."""
    found = client.server(server_id)
    if found['status'] != 'ERROR' and found['OS-EXT-STS:task_state'] is None:
        client.ask('DELETE', '/servers/' + server_id)
    return True


def _short(error: Exception) -> str:
    """The kind of failure, without ids, addresses and tracebacks."""
    text = str(error)
    if isinstance(error, KeyError):
        # nova's API leaves out what it can't read in a cell that is down.
        return 'an answer without %s' % text
    for known in (
        'No valid host',
        'MessagingTimeout',
        'DBConnectionError',
        'HTTP 500',
        'HTTP 502',
        'HTTP 503',
        'HTTP 504',
        'HTTP 409',
        'waited %d s' % PATIENCE,
        'ended in',
    ):
        if known in text:
            return known
    if isinstance(error, Failure):
        return text.split('\n')[0][:60]
    return type(error).__name__
