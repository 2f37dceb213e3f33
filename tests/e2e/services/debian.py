# SPDX-License-Identifier: Apache-2.0

"""The Debian packages that a run needs."""

from __future__ import annotations

import os
import shutil
import subprocess
import typing as ty

from tests.e2e.processes import Failure

#: A program, and the package that has it. Of MariaDB the server alone,
#: without what would make a service of the machine out of it.
_NEEDED = {
    '/usr/lib/rabbitmq/bin/rabbitmq-server': 'rabbitmq-server',
    '/usr/sbin/mariadbd': 'mariadb-server-core',
    '/usr/bin/mariadb-install-db': 'mariadb-server-core',
    '/usr/bin/my_print_defaults': 'mariadb-client-core',
    '/usr/bin/setpriv': 'util-linux',
}
_POLICY = '/usr/sbin/policy-rc.d'


def missing(needed: ty.Mapping[str, str] = _NEEDED) -> list[str]:
    return sorted(
        {
            package
            for path, package in needed.items()
            if not os.path.exists(path)
        }
    )


def ensure(needed: ty.Mapping[str, str] = _NEEDED) -> str:
    """Install what is missing, if this is root; the packages installed.

    :param needed: by the path of a program, the package that has it.
    :raises Failure: that names them, if it can't
    """
    wanted = missing(needed)
    if not wanted:
        return ''
    advice = 'apt-get install --no-install-recommends ' + ' '.join(wanted)
    if os.geteuid() or not shutil.which('apt-get'):
        raise Failure('Debian packages are missing: ' + advice)
    apt = ['apt-get', '-qq', '-o', 'DPkg::Lock::Timeout=300']
    # They are not to start as services of the machine.
    held = not os.path.exists(_POLICY)
    if held:
        with open(_POLICY, 'w') as f:
            f.write('#!/bin/sh\nexit 101\n')
        os.chmod(_POLICY, 0o755)
    try:
        for step in (
            ['update'],
            ['install', '--no-install-recommends', *wanted],
        ):
            done = subprocess.run(
                apt + step,
                env=dict(os.environ, DEBIAN_FRONTEND='noninteractive'),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                raise Failure(
                    '%s failed: %s' % (advice, done.stderr.strip()[-500:])
                )
    finally:
        if held:
            os.unlink(_POLICY)
    return ', '.join(wanted)
