# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""The whole path, in a process of its own: JSON on standard output.

nova's functional fixtures want to be the first to import nova.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from typing import Dict
import warnings

from tools.bench import measure


def take(hosts: int, rounds: int) -> dict[str, measure.Timing]:
    """What path.take() says."""
    done = subprocess.run(
        [sys.executable, '-m', __name__, str(hosts), str(rounds)],
        stdout=subprocess.PIPE,
        check=True,
        # As nova-scheduler runs by default since nova 33.
        env={**os.environ, 'OS_NOVA_DISABLE_EVENTLET_PATCHING': 'true'},
    )
    found: Dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    return {name: measure.Timing(tuple(each)) for name, each in found.items()}


def main() -> None:
    warnings.simplefilter('ignore')
    importlib.import_module('tests.functional')
    from tools.bench import path
    from tools.bench import world

    hosts, rounds = map(int, sys.argv[1:])
    found = path.take(world.Shape(hosts), rounds)
    print(json.dumps({name: each.rounds for name, each in found.items()}))


if __name__ == '__main__':
    main()
