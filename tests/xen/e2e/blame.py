# SPDX-License-Identifier: Apache-2.0

"""Whose a failure is, by its words."""

from __future__ import annotations

import re
import typing as ty

from tests.e2e import logs
from tests.e2e.processes import Failure
from tests.e2e.report import Report
from tests.xen.e2e import libxl
from tests.xen.e2e.hosts import Pair
from tests.xen.e2e.libxl import GaveUp

OURS = 'ours'
NOVA = "nova's"
LIBXL = "libxl's"
MACHINE = "the machine's"
#: Something did not happen in time.
SLOW = "ours or the machine's"

_LIBXL = re.compile('libvirtError|libxenlight')
#: A service that answers with an error, or does not end with what it was
#: asked for.
_NOVA = re.compile(r'HTTP 5\d\d')
#: tests/e2e/processes.py and tests/xen/emulator/host.py.
_SLOW = re.compile(r'^waited \d+ s for |was not (done|up) within \d+ s')


def whose(failure: Exception) -> str:
    """Ours, nova's, libxl's or that of the machine, which is busy.

    What can't be told is ours, to be looked into.
    """
    text = str(failure)
    if isinstance(failure, GaveUp):
        return MACHINE
    if _SLOW.search(text):
        return SLOW
    if logs.is_ours(text):
        return OURS
    if _LIBXL.search(text):
        return LIBXL
    if _NOVA.search(text) or re.search(r'File "[^"]*/nova/', text):
        return NOVA
    return OURS


def of(pair: Pair, report: Report) -> ty.Callable[[Exception], str]:
    """The same; and the machine's where libxl gave up waiting in that step."""

    def answer(failure: Exception) -> str:
        found = whose(failure)
        if logs.is_ours(str(failure)):
            return found
        try:
            gave_up = libxl.since(pair, max(report.since, pair.told))
        except Failure:
            # A host doesn't answer.
            return found
        if not gave_up:
            return found
        # What can't be told may be ours beside that.
        return SLOW if found == OURS else MACHINE

    return answer
