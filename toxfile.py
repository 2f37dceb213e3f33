# SPDX-License-Identifier: Apache-2.0

"""Shows tox the interpreters that pyenv keeps, and which pins are whose."""

from __future__ import annotations

import os
import re
import sys
import typing as ty

from tox.plugin import impl

sys.path.append(os.path.join(os.path.dirname(__file__), 'tools'))
import pythons

if ty.TYPE_CHECKING:
    from tox.config.sets import EnvConfigSet
    from tox.session.state import State

# As in tox.ini, and as in the names of environments: python3.9, py39.
_VERSION = re.compile(r'py(?:thon)?(3)\.?(\d+)$')


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
        path = pythons.find(version)
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
