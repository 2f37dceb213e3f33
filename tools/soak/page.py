# SPDX-License-Identifier: Apache-2.0

"""docs/soak.md: a section for each program that takes figures."""

from __future__ import annotations

import os
import re
import typing as ty

_TITLE = """\
# Hostile input, at scale

`make soak` wrote this: what each part did, and what came of it.
"""


def put(folder: str, heading: str, lines: ty.Sequence[str]) -> None:
    """Write a section, in the place of an older one with its heading."""
    path = os.path.join(folder, 'soak.md')
    text = _TITLE
    if os.path.exists(path):
        with open(path, encoding='utf-8') as f:
            text = f.read()
    section = '\n## %s\n\n%s\n' % (heading, '\n'.join(lines))
    old = re.compile(r'\n## %s\n.*?(?=\n## |\Z)' % re.escape(heading), re.S)
    if old.search(text):
        text = old.sub(lambda _: section, text)
    else:
        text += section
    with open(path, 'w', encoding='utf-8') as f:
        f.write(text)
