# SPDX-License-Identifier: Apache-2.0

"""What breaks, and what an operator changes, all the while."""

from __future__ import annotations

import collections
import os
import random
import threading
import time
import typing as ty

from tests.e2e import hosts
from tests.e2e.cloud import Cloud

_OPTION = 'live_migration_check'
_CHECKS = ('live_migration', 'always', 'never')
_STATED = ('1.2.5', '9.0.0', 'much', '', None)


class Faults:
    """All of them, one after the other in a thread.

    :ivar counts: fault -> how many times.
    :ivar failed: what went wrong with a fault itself.
    """

    def __init__(self, cloud: Cloud, seed: int) -> None:
        self.counts: ty.Counter[str] = collections.Counter()
        self.failed: list[str] = []
        self._cloud = cloud
        self._rng = random.Random(seed)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        # The fault, seconds between two of them, when the first one comes.
        self._plan: list[tuple[str, ty.Callable[[], None], float, float]] = [
            ('facts file torn', self._tear, 4, 2),
            ('aggregate edited', self._edit, 3, 3),
            ('options reloaded (SIGHUP)', self._reload, 60, 20),
            ('nova-scheduler killed with -9', self._kill, 120, 50),
            ('RabbitMQ restarted', self._restart_bus, 180, 80),
            ('MariaDB restarted', self._restart_database, 180, 130),
        ]

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """No more of them; all is as it was."""
        self._over.set()
        self._thread.join()
        self._cloud.write_facts(hosts.FACTS)

    def _run(self) -> None:
        began = time.monotonic()
        due = [began + first for _, _, _, first in self._plan]
        while not self._over.wait(0.2):
            for number, (name, fault, every, _) in enumerate(self._plan):
                if time.monotonic() < due[number] or self._over.is_set():
                    continue
                try:
                    fault()
                    self.counts[name] += 1
                except Exception as e:
                    # While another fault lasts, nova's API may not answer.
                    self.failed.append('%s: %s' % (name, e))
                due[number] = time.monotonic() + every

    def _tear(self) -> None:
        path = self._cloud.facts_file
        self._cloud.write_facts(hosts.FACTS)
        kind = self._rng.randrange(5)
        if kind == 0:
            os.truncate(path, self._rng.randrange(len(hosts.FACTS)))
        elif kind == 1:
            os.unlink(path)
        elif kind == 2:
            os.unlink(path)
            os.mkdir(path)
        elif kind == 3:
            # Written in place, with a pause in the middle of a line.
            half = self._rng.randrange(len(hosts.FACTS))
            with open(path, 'w', encoding='utf-8') as f:
                f.write(hosts.FACTS[:half])
                f.flush()
                time.sleep(0.3)
                f.write(hosts.FACTS[half:])
        else:
            at = self._rng.randrange(len(hosts.FACTS))
            self._cloud.write_facts(
                hosts.FACTS[:at] + '\0{[\t' + hosts.FACTS[at:]
            )

    def _edit(self) -> None:
        if not self._cloud.old:
            self._cloud.say_old()
        self._cloud.client.set_aggregate(
            self._cloud.old,
            xen_libvirt_version=self._rng.choice(_STATED),
            xen_dom0_memory_mb=self._rng.choice(('4096', '-1', None)),
        )

    def _reload(self) -> None:
        nova = self._cloud.nova
        now = nova.operators
        wanted = [
            each for each in _CHECKS if '%s = %s' % (_OPTION, each) not in now
        ]
        nova.set_option(_OPTION, self._rng.choice(wanted))

    def _kill(self) -> None:
        nova = self._cloud.nova
        seen = len(nova.log())
        nova.kill_scheduler()
        nova.start_scheduler()
        nova.wait_for_scheduler(seen)

    def _restart_bus(self) -> None:
        self._cloud.bus.stop_server()
        self._cloud.bus.start_server()
        self._cloud.bus.wait()

    def _restart_database(self) -> None:
        self._cloud.database.stop_server()
        self._cloud.database.start_server()
