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


class _Planned(ty.NamedTuple):
    """A fault, seconds between two of them, and until the first one."""

    name: str
    fault: ty.Callable[[], None]
    every: float
    first: float


class Faults:
    """All of them.

    :ivar counts: fault -> how many times.
    :ivar failed: what went wrong with a fault itself.
    """

    def __init__(self, cloud: Cloud, seed: int) -> None:
        self.counts: ty.Counter[str] = collections.Counter()
        self.failed: list[str] = []
        self._cloud = cloud
        self._rng = random.Random(seed)
        self._over = threading.Event()
        self._changes = (
            _Planned('facts file torn', self._tear, 4, 2),
            _Planned('aggregate edited', self._edit, 3, 3),
        )
        self._restarts = (
            _Planned('options reloaded', self._reload, 180, 20),
            _Planned('nova-scheduler killed -9', self._kill, 120, 50),
            _Planned('RabbitMQ restarted', self._bus, 180, 80),
            _Planned('MariaDB restarted', self._database, 180, 130),
        )
        self._thread = threading.Thread(target=self._do, args=(self._changes,))

    def run(self, seconds: float, note: ty.Callable[[], None]) -> None:
        """Break things for so long; all is as it was when it returns.

        In the main thread, as what is started ends with the thread that
        started it.

        :param note: called every now and then.
        """
        ends = time.monotonic() + seconds
        self._thread.start()
        try:
            self._do(
                (*self._restarts, _Planned('', note, 20, 20)),
                lambda: time.monotonic() > ends,
            )
        finally:
            self._over.set()
            self._thread.join()
            self._cloud.write_facts(hosts.FACTS)

    def _do(
        self,
        plan: tuple[_Planned, ...],
        over: ty.Callable[[], bool] = lambda: False,
    ) -> None:
        began = time.monotonic()
        due = [began + each.first for each in plan]
        while not (self._over.wait(0.2) or over()):
            for number, each in enumerate(plan):
                if time.monotonic() < due[number] or self._over.is_set():
                    continue
                try:
                    each.fault()
                    if each.name:
                        self.counts[each.name] += 1
                except Exception as e:
                    # While another fault lasts, nova's API may not answer.
                    self.failed.append('%s: %s' % (each.name, e))
                due[number] = time.monotonic() + each.every

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

    def _bus(self) -> None:
        self._cloud.bus.stop_server()
        self._cloud.bus.start_server()
        self._cloud.bus.wait()

    def _database(self) -> None:
        self._cloud.database.stop_server()
        self._cloud.database.start_server()
