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

"""Shows tox the interpreters that pyenv keeps, and which pins are whose.

tox looks on PATH, where pyenv's shims stand for every Python that it has and
yet fail for those that aren't switched on. So each candidate is run, and
pyenv's folder of versions is searched behind PATH.
"""

from __future__ import annotations

import functools
import glob
import os
import re
import shutil
import subprocess
from typing import Iterator
from typing import TYPE_CHECKING

from tox.plugin import impl

if TYPE_CHECKING:
    from tox.config.sets import EnvConfigSet
    from tox.session.state import State

_ASK = 'import sys; print("%d.%d" % sys.version_info[:2], sys.executable)'
# As in tox.ini, and as in the names of environments: python3.9, py39.
_VERSION = re.compile(r'py(?:thon)?(3)\.?(\d+)$')


def _versions() -> str:
    root = os.environ.get('PYENV_ROOT') or os.path.expanduser('~/.pyenv')
    return os.path.join(root, 'versions')


def _candidates(version: str) -> Iterator[str]:
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
def _find(version: str) -> str | None:
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


@impl
def tox_add_env_config(env_conf: EnvConfigSet, state: State) -> None:
    """Tell tox where the interpreters and the pins of an environment are.

    It is called for every environment, whichever are to be run. One that has
    no interpreter is therefore no error here: tox names it when it comes to
    run it, and fails.
    """
    if 'base_python' not in env_conf:
        return
    found = [_VERSION.match(wanted) for wanted in env_conf['base_python']]
    versions = ['%s.%s' % match.groups() for match in found if match]
    for version in versions:
        path = _find(version)
        if path is not None and path not in state.conf.options.discover:
            state.conf.options.discover.append(path)

    env_conf.add_config(
        'nova', of_type=str, default='', desc='the release of nova to test'
    )
    python = versions[0].replace('.', '') if versions else ''
    env_conf.add_constant(
        'pins',
        'what to install, in exact versions',
        os.path.join(
            'constraints', '%s-py%s.txt' % (env_conf['nova'], python)
        ),
    )
