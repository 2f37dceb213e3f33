# SPDX-License-Identifier: Apache-2.0

"""Ctrl-C at a moment of choice."""

from __future__ import annotations

_ON_IMPORT = """
import os, signal
# A process in the background of a shell ignores it.
signal.signal(signal.SIGINT, signal.default_int_handler)
class CtrlC:
    @staticmethod
    def find_spec(name, *_):
        if name == %r:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, CtrlC)
"""


def on_import_of(module):
    """A program's lines that have it interrupted when it imports a module."""
    return _ON_IMPORT % module
