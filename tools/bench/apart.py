# SPDX-License-Identifier: Apache-2.0

"""The whole path, in a process of its own: JSON on standard output.

nova's functional fixtures want to be the first to import nova.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import typing as ty

from tools.bench import measure


def take(hosts: int, rounds: int) -> dict[str, measure.Timing]:
    """What path.take() says."""
    done = subprocess.run(
        [sys.executable, '-m', __name__, str(hosts), str(rounds)],
        stdout=subprocess.PIPE,
        check=True,
    )
    found: ty.Dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    return {name: measure.Timing(tuple(each)) for name, each in found.items()}


def main() -> None:
    importlib.import_module('tests.functional')
    from tools.bench import path
    from tools.bench import world

    hosts, rounds = map(int, sys.argv[1:])
    found = path.take(world.Shape(hosts), rounds)
    print(json.dumps({name: each.rounds for name, each in found.items()}))


if __name__ == '__main__':
    main()
