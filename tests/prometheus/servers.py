# SPDX-License-Identifier: Apache-2.0

"""A Prometheus that scrapes a node_exporter on each of some controllers."""

from __future__ import annotations

import contextlib
import json
import pathlib
import socket
import subprocess
import time
import typing as ty
from urllib import error
from urllib import parse
from urllib import request

import yaml

#: Seconds, between scrapes as well as between evaluations.
INTERVAL = 1


class Prometheus:
    """One, with its own folder and free ports of this machine.

    :param folder: for all that it writes.
    :param rules: the path of its rules.
    :param controllers: how many; each has a folder in ``textfiles``.
    """

    def __init__(
        self, folder: pathlib.Path, rules: pathlib.Path, controllers: int
    ) -> None:
        self.textfiles = [folder / ('c%d' % n) for n in range(controllers)]
        self._folder, self._rules = folder, rules
        self._ports = _free_ports(controllers + 1)

    @contextlib.contextmanager
    def running(self) -> ty.Iterator[Prometheus]:
        """While its processes run; what they say is in the folder."""
        port, *exporters = self._ports
        with contextlib.ExitStack() as stack:
            for path, each in zip(self.textfiles, exporters):
                path.mkdir()
                self._start(
                    stack,
                    'prometheus-node-exporter',
                    '--collector.disable-defaults',
                    '--collector.textfile',
                    '--collector.textfile.directory=%s' % path,
                    '--web.listen-address=127.0.0.1:%d' % each,
                )
            self._start(
                stack,
                'prometheus',
                '--config.file=%s' % self._configuration(exporters),
                '--storage.tsdb.path=%s' % (self._folder / 'tsdb'),
                '--web.listen-address=127.0.0.1:%d' % port,
            )
            wait(lambda: self._get('/-/ready') is not None)
            yield self

    def _configuration(self, exporters: ty.Sequence[int]) -> pathlib.Path:
        path = self._folder / 'prometheus.yml'
        targets = ['127.0.0.1:%d' % each for each in exporters]
        interval = '%ds' % INTERVAL
        text = yaml.safe_dump(
            {
                'global': {
                    'scrape_interval': interval,
                    'evaluation_interval': interval,
                },
                'rule_files': [str(self._rules)],
                'scrape_configs': [
                    {
                        'job_name': 'node',
                        'static_configs': [{'targets': targets}],
                    }
                ],
            }
        )
        path.write_text(text)
        return path

    def _start(self, stack: contextlib.ExitStack, *command: str) -> None:
        with open(self._folder / 'log', 'ab') as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        stack.callback(process.wait)
        stack.callback(process.terminate)
        return process

    def query(self, expression: str) -> list[ty.Any]:
        """What it answers now: series with a value each."""
        text = parse.urlencode({'query': expression})
        answer = self._get('/api/v1/query?' + text)
        assert answer is not None, expression
        found = json.loads(answer)
        assert found['status'] == 'success', found
        result: list[ty.Any] = found['data']['result']
        return result

    def firing(self, name: str) -> list[dict[str, str]]:
        """The labels of the alerts of a name that fire."""
        answer = self._get('/api/v1/alerts')
        assert answer is not None
        return [
            each['labels']
            for each in json.loads(answer)['data']['alerts']
            if each['state'] == 'firing'
            and each['labels']['alertname'] == name
        ]

    def _get(self, path: str) -> bytes | None:
        url = 'http://127.0.0.1:%d%s' % (self._ports[0], path)
        try:
            with request.urlopen(url, timeout=10) as answer:
                found: bytes = answer.read()
                return found
        except error.HTTPError as e:
            return e.read() if e.code == 400 else None
        except OSError:
            return None


def wait(is_so: ty.Callable[[], ty.Any], seconds: float = 60) -> None:
    """Until something is so.

    :raises AssertionError: if it is not in that time.
    """
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, 'not so after %d s' % seconds
        time.sleep(0.2)


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(('127.0.0.1', 0))
        return [each.getsockname()[1] for each in sockets]
