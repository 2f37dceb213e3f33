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
    loggers = [root, *map(logging.getLogger, list(root.manager.loggerDict))]
    levels = [each.level for each in loggers]
    yield
    root.handlers[:] = handlers
    for each, level in zip(loggers, levels):
        each.setLevel(level)
