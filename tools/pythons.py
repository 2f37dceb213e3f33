#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0

"""Finds an interpreter: tools/pythons.py 3.8 prints its path, or fails.

PATH may hold pyenv's shims, which stand for every Python that it has and yet
fail for those that aren't switched on. So each candidate is run, and pyenv's
folder of versions is searched behind PATH. toxfile.py uses it for tox.
"""

from __future__ import annotations

import functools
import glob
import os
import re
import shutil
import subprocess
import sys
import typing as ty

_ASK = 'import sys; print("%d.%d" % sys.version_info[:2], sys.executable)'


def _versions() -> str:
    root = os.environ.get('PYENV_ROOT') or os.path.expanduser('~/.pyenv')
    return os.path.join(root, 'versions')


def _candidates(version: str) -> ty.Iterator[str]:
    name = 'python' + version
    for folder in os.get_exec_path():
        found = shutil.which(name, path=folder)
        if found:
            yield found
    kept = glob.glob(os.path.join(_versions(), version + '.*', 'bin', name))
    # Of several patch releases the newest.
    yield from sorted(
        kept, key=lambda path: [int(n) for n in re.findall(r'\d+', path)]
    )[::-1]


@functools.lru_cache(maxsize=None)
def find(version: str) -> str | None:
    """The path of an interpreter of that version that runs."""
    for candidate in _candidates(version):
        try:
            answer = subprocess.run(
                [candidate, '-c', _ASK],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                timeout=30,
                check=True,
            ).stdout.split(maxsplit=1)
        except (OSError, subprocess.SubprocessError):
            continue
        if len(answer) == 2 and answer[0] == version:
            return answer[1].strip()
    return None


def main(*versions: str) -> int:
    missing = 0
    for version in versions:
        path = find(version)
        if path is None:
            missing += 1
            print(
                'There is no Python %s: neither on PATH nor in %s. '
                'pyenv install %s makes one.'
                % (version, _versions(), version),
                file=sys.stderr,
            )
        else:
            print(path)
    return 1 if missing else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
