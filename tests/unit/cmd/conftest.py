# SPDX-License-Identifier: Apache-2.0


"""What the tests of commands have in common."""

from __future__ import annotations

import logging

import pytest


@pytest.fixture(autouse=True)
def _logging():
    """The application sets logging up for a process of its own."""
    root = logging.getLogger()
    handlers = root.handlers[:]
    known = root.manager.loggerDict
    levels = {
        name: logging.getLogger(name).level for name in ['', *list(known)]
    }
    yield
    root.handlers[:] = handlers
    for name in ['', *list(known)]:
        logging.getLogger(name).setLevel(levels.get(name, logging.NOTSET))
