# SPDX-License-Identifier: Apache-2.0

"""What libxl does not wait for on a busy machine is done again.

It gives a device model 60 seconds to start, a script like vif-bridge 40, and
a guest 60 to suspend, however slow the machine is, and says so in its logs in
dom0 (Xen's source: libxl_internal.h, libxl_exec.c, libxl_aoutils.c). What
fails of that alone says nothing about nova or about us.
"""

from __future__ import annotations

import re
import typing as ty

from tests.e2e.processes import Failure
from tests.e2e.report import Step
from tests.xen.e2e.hosts import Pair
from tests.xen.e2e.hosts import XenHost

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

_T = ty.TypeVar('_T')


class GaveUp(Failure):
    """libxl gave up waiting, each time that it was tried."""


def gave_up(log: str) -> list[str]:
    """The lines of libxl's log that say that it gave up waiting."""
    return [line for line in log.split('\n') if _GAVE_UP.search(line)]


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
        pair.gave_up = logged(pair)
        try:
            return do()
        except Failure as e:
            found = since(pair)
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
            undo()
    raise AssertionError


def logged(pair: Pair) -> dict[str, list[str]]:
    """What each host's libxl has given up waiting for until now."""
    return {host.name: _lines(host) for host in pair.all}


def since(pair: Pair) -> dict[str, list[str]]:
    """What it has given up waiting for since that was looked at last."""
    before, pair.gave_up = pair.gave_up, logged(pair)
    found = {
        name: [line for line in lines if line not in before.get(name, ())]
        for name, lines in pair.gave_up.items()
    }
    return {name: lines for name, lines in found.items() if lines}


def _lines(host: XenHost) -> list[str]:
    """Those of all its guests, and of libxl itself, by their time."""
    return gave_up(
        host.run(
            "grep -rhaE 'time(d |)out|in time|-9$' %s 2>/dev/null || true"
            % _LOGS
        )
    )
