# SPDX-License-Identifier: Apache-2.0

"""What every case is held to: no exception, a second, 100 MiB; and counts."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import signal
import time
import typing as ty

SECONDS = 1.0
MEMORY_MB = 100.0
#: Seconds after which a case is ended.
PATIENCE = 120


class Fault(Exception):
    """Something that must not be, in one line."""


class Overdue(BaseException):
    """A call did not end; no ``except Exception`` keeps it."""


@dataclasses.dataclass
class Tally:
    """What came of cases.

    :ivar counts: of what was done, by its name.
    :ivar odd: what was logged as unexpected where that is right: where nova's
        own objects could not hold what was read.
    :ivar slowest: seconds of the slowest call.
    :ivar peak_mb: MiB that no case took more than.
    :ivar faults: (seed, what was wrong).
    """

    counts: ty.Counter[str] = dataclasses.field(
        default_factory=collections.Counter
    )
    odd: ty.Counter[str] = dataclasses.field(
        default_factory=collections.Counter
    )
    slowest: float = 0.0
    peak_mb: float = 0.0
    faults: list[tuple[int, str]] = dataclasses.field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.counts.update(other.counts)
        self.odd.update(other.odd)
        self.slowest = max(self.slowest, other.slowest)
        self.peak_mb = max(self.peak_mb, other.peak_mb)
        self.faults += other.faults

    def timed(self, what: str, call: ty.Callable[[], ty.Any]) -> ty.Any:
        """What a call returns.

        :raises Fault: if it takes over a second, twice: once may be the
            machine's own doing.
        """
        took = []
        for _ in range(2):
            began = time.monotonic()
            answer = call()
            took.append(time.monotonic() - began)
            if took[-1] <= SECONDS:
                break
        self.slowest = max(self.slowest, min(took))
        if min(took) > SECONDS:
            raise Fault('%s took %.1f s' % (what, min(took)))
        return answer


def _memory_mb(name: str) -> float:
    """VmRSS, what this process has, or VmHWM, the most it had; MiB."""
    with open('/proc/self/status') as status:
        for line in status:
            if line.startswith(name + ':'):
                return int(line.split()[1]) / 1024
    return 0.0


def base_mb() -> float:
    """What this process had before its first case, MiB."""
    if not _base:
        # Have VmHWM begin anew, behind the imports: see proc(5).
        with open('/proc/self/clear_refs', 'w') as f:
            f.write('5')
        _base.append(_memory_mb('VmRSS'))
    return _base[0]


_base: list[float] = []


@contextlib.contextmanager
def _patience() -> ty.Iterator[None]:
    def overdue(*_: object) -> None:
        raise Overdue('it did not end in %d s' % PATIENCE)

    before = signal.signal(signal.SIGALRM, overdue)
    signal.alarm(PATIENCE)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def run(
    seeds: ty.Iterable[int],
    check: ty.Callable[[int, Tally], None],
    bound_memory: bool = True,
) -> Tally:
    """Check cases; what came of them.

    :param check: checks one, and raises Fault for what is wrong.
    :param bound_memory: whether the peak of each case counts.
    """
    tally, base = Tally(), base_mb()
    for seed in seeds:
        try:
            with _patience():
                check(seed, tally)
            if bound_memory:
                # The most that the process ever had is no less than what
                # this case took; C's own memory is with it.
                peak = _memory_mb('VmHWM') - base
                tally.peak_mb = max(tally.peak_mb, peak)
                if peak > MEMORY_MB:
                    raise Fault('%.0f MiB were taken' % peak)
        except Fault as e:
            tally.faults.append((seed, str(e)))
        except (Exception, Overdue) as e:
            where = e.__traceback__
            while where is not None and where.tb_next is not None:
                where = where.tb_next
            tally.faults.append(
                (
                    seed,
                    '%s: %s (%s:%d)'
                    % (
                        type(e).__name__,
                        ascii(str(e))[:300],
                        where and where.tb_frame.f_code.co_filename,
                        where.tb_lineno if where else 0,
                    ),
                )
            )
    return tally
