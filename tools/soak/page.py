# SPDX-License-Identifier: Apache-2.0

"""soak.rst: a section for each program that takes figures."""

from __future__ import annotations

import os
import re
import typing as ty

_TITLE = """\
The figures of make soak
========================

``make soak`` wrote this: what each part did, and what came of it.
"""


def put(folder: str, heading: str, lines: ty.Sequence[str]) -> None:
    """Write a section, in the place of an older one with its heading."""
    path = os.path.join(folder, 'soak.rst')
    text = _TITLE
    if os.path.exists(path):
        with open(path, encoding='utf-8') as f:
            text = f.read()
    line = '\n%s\n%s\n' % (heading, '-' * len(heading))
    section = '%s\n%s\n' % (line, '\n'.join(lines))
    old = re.compile(re.escape(line) + r'.*?(?=\n[^\n]+\n-+\n|\Z)', re.S)
    if old.search(text):
        text = old.sub(lambda _: section, text)
    else:
        text += section
    with open(path, 'w', encoding='utf-8') as f:
        f.write(text)
