# SPDX-License-Identifier: Apache-2.0

"""Whole requests, in a process of their own: JSON on standard output.

nova's functional fixtures want to be the first to import nova.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import typing as ty


def take(module: str, function: str, *numbers: int) -> dict[str, list[float]]:
    """What a function of a module of this folder says of these numbers."""
    done = subprocess.run(
        [
            sys.executable,
            '-m',
            __name__,
            module,
            function,
            *map(str, numbers),
        ],
        stdout=subprocess.PIPE,
        check=True,
    )
    found: ty.Dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    importlib.import_module('tests.functional')
    module, function, *numbers = sys.argv[1:]
    take = getattr(importlib.import_module('tools.bench.' + module), function)
    print(json.dumps(take(*map(int, numbers))))


if __name__ == '__main__':
    main()
