# SPDX-License-Identifier: Apache-2.0

"""A stand-in for Neutron, which a run has no use for.

Guests boot with ``networks: none``, but nova asks Neutron about their ports
all the same when they move or go. It answers that there are none.
"""

from __future__ import annotations

import http.server
import json
import threading
import typing as ty

from tests.e2e.settings import Settings


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get('Content-Length') or 0))
        what = self.path.partition('?')[0].rstrip('/').rpartition('/')[2]
        body = json.dumps({what.replace('-', '_'): []}).encode()
        self.send_response(200)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = _answer  # noqa: N815
    do_POST = _answer  # noqa: N815
    do_PUT = _answer  # noqa: N815
    do_DELETE = _answer  # noqa: N815

    def log_message(self, format: str, *args: ty.Any) -> None:  # noqa: A002
        pass


class Network:
    """The stand-in, in a thread of the run."""

    def __init__(self, settings: Settings) -> None:
        self._server = http.server.ThreadingHTTPServer(
            ('127.0.0.1', settings.ports['neutron']), _Handler
        )
        self._server.daemon_threads = True

    def start(self) -> None:
        threading.Thread(
            target=self._server.serve_forever, daemon=True
        ).start()
