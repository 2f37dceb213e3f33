# SPDX-License-Identifier: Apache-2.0

"""What libxl does not wait for on a busy machine is done again.

It gives a device model 60 seconds to start, a script like vif-bridge 40, and
a guest 60 to suspend, however slow the machine is, and says so in its logs in
dom0 (Xen's source: libxl_internal.h, libxl_exec.c, libxl_aoutils.c). What
fails of that alone says nothing about nova or about us.
"""

from __future__ import annotations

import datetime
import re
import time
import typing as ty

from tests.e2e.processes import Failure
from tests.e2e.report import Step
from tests.xen.e2e.hosts import Pair

#: How often one thing is tried.
TRIES = 3

#: Where libvirt has libxl write, in dom0: libxl-driver.log and one of each
#: guest.
_LOGS = '/var/log/libvirt/libxl'
#: The words with which it gives up: a device model, a console, a suspend;
#: a script or a bootloader; a PCI device; QEMU's monitor.
_GAVE_UP = re.compile(
    'timed out|because of timeout|respond in time|: ?timeout$'
    # ERROR_TIMEDOUT of libxl.h.
    '|rc=-9$|did not start: -9$'
)

#: By which libxc says that a guest can't be suspended, to be moved.
NOT_SUSPENDED = re.compile(r'suspend\(\) failed')
#: What the clocks of this machine and of a dom0 may differ by: seconds.
_CLOCKS = 2

_T = ty.TypeVar('_T')


class GaveUp(Failure):
    """libxl gave up waiting, each time that it was tried."""


def repeated(
    step: Step,
    pair: Pair,
    do: ty.Callable[[], _T],
    undo: ty.Callable[[], object] = lambda: None,
) -> _T:
    """What do() returns. It is done again where libxl gave up waiting.

    :param undo: called before that.
    :raises GaveUp: if libxl gave up at each try.
    :raises Failure: that of do(), if it has another cause.
    """
    for left in reversed(range(TRIES)):
        began = time.time()
        try:
            return do()
        except Failure as e:
            found = since(pair, max(began, pair.told))
            if not found:
                raise
            names = ', '.join(found)
            lines = [
                '%s: %s' % (name, line)
                for name, each in found.items()
                for line in each
            ]
            if not left:
                step.says('', *lines)
                raise GaveUp(
                    'libxl of %s gave up waiting at each of %d tries: %s'
                    % (names, TRIES, str(e)[:300])
                ) from e
            step.says(
                'done again, as libxl of %s gave up waiting' % names, *lines
            )
            # They are told: no later failure is theirs.
            pair.told = time.time() + _CLOCKS
            undo()
    raise AssertionError


def since(
    pair: Pair, when: float, words: re.Pattern[str] = _GAVE_UP
) -> dict[str, list[str]]:
    """What libxl of each host wrote since then that has such words.

    :param when: by time.time()
    """
    found = {
        host.name: [
            line
            for line in host.run(
                "grep -rhaE 'time(d |)out|in time|-9$|failed' %s 2>/dev/null "
                '|| true' % _LOGS
            ).split('\n')
            if words.search(line) and _at(line) > when - _CLOCKS
        ]
        for host in pair.all
    }
    return {name: lines for name, lines in found.items() if lines}


def _at(line: str) -> float:
    """When it was written, as libvirt's libxl_logger.c has it; else 0."""
    stamp = ' '.join(line.split(' ', 2)[:2])
    try:
        return datetime.datetime.strptime(
            stamp, '%Y-%m-%d %H:%M:%S.%f%z:'
        ).timestamp()
    except ValueError:
        return 0
