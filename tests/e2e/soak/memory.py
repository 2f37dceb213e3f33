# SPDX-License-Identifier: Apache-2.0

"""nova-scheduler's memory, while it runs."""

from __future__ import annotations

import contextlib
import os
import statistics
import threading

from tests.e2e.cloud import Cloud
from tests.e2e.services.nova import WORKERS

_EVERY = 1.0
#: By how much the last third may differ from the second.
MOST = 0.05


class Memory:
    """Samples of the memory of nova-scheduler's workers, KiB each."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._samples: list[float] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(_EVERY):
            scheduler = self._cloud.nova.scheduler
            found = _workers_kib(scheduler.pid) if scheduler else []
            # Not while it is killed, started or renewed.
            if len(found) == WORKERS:
                self._samples.append(statistics.mean(found))

    def thirds(self) -> tuple[float, float]:
        """Medians of the second and of the last third, MiB a worker."""
        third = len(self._samples) // 3
        return (
            statistics.median(self._samples[third : 2 * third]) / 1024,
            statistics.median(self._samples[2 * third :]) / 1024,
        )


def _workers_kib(parent: int) -> list[int]:
    """The resident memory of a process's children."""
    found = []
    for name in filter(str.isdigit, os.listdir('/proc')):
        # It may have ended meanwhile.
        with contextlib.suppress(OSError, KeyError):
            with open('/proc/%s/status' % name, encoding='utf-8') as f:
                status = dict(line.split(':', 1) for line in f)
            if int(status['PPid']) == parent:
                found.append(int(status['VmRSS'].split()[0]))
    return found
