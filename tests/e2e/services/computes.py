# SPDX-License-Identifier: Apache-2.0

"""The nova-computes of a run."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import typing as ty

from tests.e2e import hosts
from tests.e2e.processes import Process
from tests.e2e.services.database import Database
from tests.e2e.settings import INSIDE
from tests.e2e.settings import Settings

_CONF = """
[DEFAULT]
host = %s
compute_driver = profiled.ProfiledDriver
# What dom0 has, as nova-xen-sched-status advises; nova-scheduler's own
# nova.conf has the default.
reserved_host_memory_mb = %d
[compute]
provider_config_location = %s
"""


class Computes:
    """A nova-compute for each host.

    :param conf: makes the nova.conf of a host, of its name
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        conf: ty.Callable[[str], str],
    ) -> None:
        self._settings = settings
        self._database = database
        self._conf = conf
        #: Host -> the process that its own was forked from.
        self._parents: dict[str, Process] = {}

    def start(self, *names: str) -> None:
        """Start them, all by default."""
        s = self._settings
        names = names or hosts.ALL
        for name in names:
            text = _CONF % (
                *(name, hosts.RESERVED_MB),
                s.path('etc', 'computes', name),
            )
            s.write(
                'etc', 'computes', name + '.conf', text=self._conf(name) + text
            )
        parent = s.processes.start(
            'nova-computes-%d' % len(set(map(id, self._parents.values()))),
            [
                s.nova_program('python'),
                os.path.join(INSIDE, 'computes.py'),
                s.path('etc', 'computes'),
                s.path('log'),
                *names,
            ],
        )
        self._parents.update(dict.fromkeys(names, parent))

    def wait(self) -> None:
        """Until all have reported their hypervisors."""
        for parent in set(self._parents.values()):
            parent.until(
                lambda: (
                    self._database.execute(
                        'SELECT COUNT(*) FROM nova.compute_nodes'
                        ' WHERE hypervisor_type IS NOT NULL'
                        " AND supported_instances <> ''"
                        ' AND host IN (%s)'
                        % ', '.join(['%s'] * len(self._parents)),
                        *self._parents,
                    )[0][0]
                    >= len(self._parents)
                ),
                'the first reports',
            )

    def describe(self, host: str, text: str) -> None:
        """Give a host, before its start, a file of its resource provider."""
        self._settings.write('etc', 'computes', host, 'xen.yaml', text=text)

    @contextlib.contextmanager
    def holding(self) -> ty.Iterator[None]:
        """Keep live migrations under way: drivers don't end them meanwhile."""
        path = self._settings.write('etc', 'computes', 'hold', text='')
        try:
            yield
        finally:
            os.unlink(path)

    def kill(self, host: str) -> None:
        """kill -9 a host's nova-compute."""
        (pid,) = re.findall(
            r'^%s (\d+)$' % re.escape(host),
            self._parents[host].written(),
            re.M,
        )
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)

    def end(self, *hosts: str) -> None:
        """kill -9 the nova-computes that were started together, for good."""
        for parent in {self._parents.pop(host) for host in hosts}:
            parent.kill()

    def restart(self, host: str) -> None:
        """Start one again that was killed, and wait until it reports."""
        before = self._reports(host)
        self.start(host)
        self._parents[host].until(
            lambda: self._reports(host) > before, 'the first report'
        )

    def _reports(self, host: str) -> int:
        return self._database.execute(
            'SELECT MAX(report_count) FROM nova.services WHERE host = %s',
            host,
        )[0][0]
