# SPDX-License-Identifier: Apache-2.0

"""soak.rst: a section for each program that takes figures."""

from __future__ import annotations

import os
import typing as ty

from tools import printing

_TITLE = """\
The figures of make soak
========================

``make soak`` wrote this: what each part did, and what came of it.
"""


def put(folder: str, heading: str, lines: ty.Sequence[str]) -> None:
    """Write a section, in the place of an older one with its heading."""
    path = os.path.join(folder, 'soak.rst')
    printing.put_section(path, heading, lines, _TITLE)
