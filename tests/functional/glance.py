# SPDX-License-Identifier: Apache-2.0

"""A Glance that answers over HTTP, so that openstacksdk can read it."""

from __future__ import annotations

import http.server
import json
import os
import threading
import typing as ty
from urllib import parse

import fixtures

_CLOUDS = """
clouds:
  test:
    auth_type: none
    auth: {endpoint: "%(url)s"}
    image_endpoint_override: "%(url)s/v2"
    image_api_version: "2"
"""


class Glance(fixtures.Fixture):
    """Serves images as Glance's API does, and sets OS_CLOUD to it.

    It stands for Glance, which is not there: nova's own fixture replaces
    nova's client, not the service.
    """

    def __init__(self) -> None:
        super().__init__()
        self.images: ty.Dict[str, ty.Dict[str, ty.Any]] = {}

    def add(self, image_id: str, name: str, **properties: str) -> None:
        """Have an image; properties are on its top level, as Glance's are."""
        self.images[image_id] = {
            'id': image_id,
            'name': name,
            'status': 'active',
            'visibility': 'public',
            'disk_format': 'raw',
            'container_format': 'bare',
            'size': 1024,
            'min_disk': 0,
            'min_ram': 0,
            'tags': [],
            'schema': '/v2/schemas/image',
            **properties,
        }

    def _setUp(self) -> None:  # noqa: N802
        images = self.images

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                url = parse.urlparse(self.path)
                asked = parse.parse_qs(url.query)
                last = url.path.rsplit('/', 1)[-1]
                if url.path == '/v2/images':
                    names = asked.get('name', [])
                    found = [
                        image
                        for image in images.values()
                        if not names or image['name'] in names
                    ]
                    self._answer(200, {'images': found})
                elif last in images:
                    self._answer(200, images[last])
                elif last in ('', 'v2'):
                    self._answer(200, {'versions': [version]})
                else:
                    self._answer(404, {})

            def _answer(self, code: int, body: ty.Any) -> None:
                text = json.dumps(body).encode()
                self.send_response(code)
                self.send_header('Content-Type', 'application/json')
                self.send_header('Content-Length', str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *args: ty.Any) -> None:
                pass

        version: ty.Dict[str, ty.Any] = {'id': 'v2.9', 'status': 'CURRENT'}
        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        folder = self.useFixture(fixtures.TempDir()).path
        path = os.path.join(folder, 'clouds.yaml')
        url = 'http://127.0.0.1:%d' % server.server_port
        version['links'] = [{'rel': 'self', 'href': url + '/v2/'}]
        with open(path, 'w') as f:
            f.write(_CLOUDS % {'url': url})
        for name, value in (
            ('OS_CLIENT_CONFIG_FILE', path),
            ('OS_CLOUD', 'test'),
        ):
            self.useFixture(fixtures.EnvironmentVariable(name, value))
