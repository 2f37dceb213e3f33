# SPDX-License-Identifier: Apache-2.0

"""nova-scheduler's memory, while it runs."""

from __future__ import annotations

import contextlib
import os
import statistics
import threading
import time
import typing as ty

if ty.TYPE_CHECKING:
    from tests.e2e.cloud import Cloud


_EVERY = 1.0
#: Seconds without a sample for which a worker may still live.
_UNSEEN = 10.0
#: By how much the last third may differ from the second.
MOST = 0.05

#: Worker -> seconds since the beginning, and KiB.
Samples = ty.Mapping[int, ty.Sequence[ty.Tuple[float, float]]]


class Memory:
    """Samples of the memory of nova-scheduler's workers.

    :param workers: how many it has.
    """

    def __init__(self, cloud: Cloud, workers: int) -> None:
        self._cloud = cloud
        self._workers = workers
        self._samples: dict[int, list[tuple[float, float]]] = {}
        self._seconds = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        began = time.monotonic()
        while not self._over.wait(_EVERY):
            scheduler = self._cloud.nova.scheduler
            self._seconds = time.monotonic() - began
            if scheduler is None:
                continue
            for pid, kib in _workers_kib(scheduler.pid):
                sample = self._seconds, kib
                self._samples.setdefault(pid, []).append(sample)

    def thirds(self) -> tuple[float, float] | None:
        """See thirds() below."""
        return thirds(self._samples, self._seconds, self._workers)


def thirds(
    samples: Samples, seconds: float, workers: int
) -> tuple[float, float] | None:
    """The second and the last third, MiB a worker.

    Only a worker that lived through both tells whether memory grows: another
    had not begun to use it.

    :param seconds: of the whole run.
    :param workers: how many there should be.
    :returns: the mean of the workers' medians; None if not all workers lived
        so long.
    """
    begins, ends = seconds / 3, seconds - _UNSEEN
    lived = [
        each
        for each in samples.values()
        if each[0][0] <= begins and each[-1][0] >= ends
    ]
    if len(lived) < workers:
        return None
    second, last = (
        [
            statistics.median(kib for at, kib in each if begin <= at <= end)
            for each in lived
        ]
        for begin, end in ((begins, 2 * begins), (2 * begins, seconds))
    )
    return statistics.mean(second) / 1024, statistics.mean(last) / 1024


def _workers_kib(parent: int) -> ty.Iterator[tuple[int, int]]:
    """The children of a process, and their resident memory."""
    for name in filter(str.isdigit, os.listdir('/proc')):
        # It may have ended meanwhile.
        with contextlib.suppress(OSError, KeyError):
            with open('/proc/%s/status' % name, encoding='utf-8') as f:
                status = dict(line.split(':', 1) for line in f)
            if int(status['PPid']) == parent:
                yield int(name), int(status['VmRSS'].split()[0])
