# SPDX-License-Identifier: Apache-2.0

"""What breaks, and what an operator changes, all the while."""

from __future__ import annotations

import collections
import datetime
import os
import random
import threading
import time
import typing as ty

from tests.e2e import hosts

if ty.TYPE_CHECKING:
    from tests.e2e.cloud import Cloud

_OPTION = 'live_migration_check'
_CHECKS = ('live_migration', 'always', 'never')
_STATED = ('1.2.5', '9.0.0', 'much', '', None)


#: What ends nova-scheduler's workers ends with this share of the run, or none
#: would live through its second and its last third; see memory.py.
_OF_WORKERS = 0.25


class _Planned(ty.NamedTuple):
    """A fault, seconds between two of them, and until the first one.

    :ivar share: of the run, from its beginning, in which it happens.
    """

    name: str
    fault: ty.Callable[[], None]
    every: float
    first: float
    share: float = 1.0


class Restart(ty.NamedTuple):
    """When something was restarted, by the clock of the logs."""

    name: str
    began: datetime.datetime
    ended: datetime.datetime


class Faults:
    """All of them.

    :ivar counts: fault -> how many times.
    :ivar failed: what went wrong with a fault itself.
    :ivar restarts: of services, and of nova-scheduler's workers.
    :ivar not_restarted: those that failed: what was restarted is not back.
    """

    def __init__(self, cloud: Cloud, seed: int) -> None:
        self.counts: ty.Counter[str] = collections.Counter()
        self.failed: list[str] = []
        self.restarts: list[Restart] = []
        self.not_restarted: list[str] = []
        self._cloud = cloud
        self._rng = random.Random(seed)
        self._over = threading.Event()
        self._changes = (
            _Planned('facts file torn', self._tear, 4, 2),
            _Planned('aggregate edited', self._edit, 3, 3),
        )
        self._restarts = (
            _Planned('options reloaded', self._reload, 90, 10, _OF_WORKERS),
            _Planned(
                'nova-scheduler killed -9', self._kill, 60, 25, _OF_WORKERS
            ),
            _Planned('RabbitMQ restarted', self._bus, 180, 80),
            _Planned('MariaDB restarted', self._database, 180, 130),
        )

    def run(self, seconds: float, note: ty.Callable[[], None]) -> None:
        """Break things for so long; all is as it was when it returns.

        In the main thread, as what is started ends with the thread that
        started it.

        :param note: called every now and then.
        """
        changing = threading.Thread(
            target=self._do, args=(self._changes, seconds)
        )
        changing.start()
        try:
            self._do((*self._restarts, _Planned('', note, 20, 20)), seconds)
        finally:
            self._over.set()
            changing.join()
            self._cloud.write_facts(hosts.FACTS)

    def _do(self, plan: tuple[_Planned, ...], seconds: float) -> None:
        began = time.monotonic()
        due = [each.first for each in plan]
        while not self._over.wait(0.2):
            for number, each in enumerate(plan):
                elapsed = time.monotonic() - began
                if elapsed > seconds:
                    return
                if due[number] <= elapsed < each.share * seconds:
                    self._break(each)
                    due[number] = time.monotonic() - began + each.every

    def _break(self, planned: _Planned) -> None:
        began = datetime.datetime.now()  # noqa: DTZ005  as the logs have it
        try:
            planned.fault()
            if planned.name:
                self.counts[planned.name] += 1
        except Exception as e:
            failed = '%s: %s' % (planned.name, e)
            self.failed.append(failed)
            # While one lasts, nova's API may not answer what changes things.
            if planned in self._restarts:
                self.not_restarted.append(failed)
        if planned in self._restarts:
            ended = datetime.datetime.now()  # noqa: DTZ005
            self.restarts.append(Restart(planned.name, began, ended))

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
