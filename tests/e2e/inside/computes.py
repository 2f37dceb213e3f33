# SPDX-License-Identifier: Apache-2.0

"""nova-computes with the driver of the functional tests, a process each.

computes.py CONFIGURATIONS LOGS HOST... The processes are forked from one that
has imported nova already, which takes most of the time that a nova-compute
needs to start. It runs where nova and the plugin are installed; of the
repository it takes the driver alone.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
import traceback
import types
import typing as ty

ROOT = os.path.abspath(__file__).rsplit(os.sep, 4)[0]

_PR_SET_PDEATHSIG = 1


def main(configurations: str, logs: str, *names: str) -> int:
    # nova looks at them while it is imported.
    del sys.argv[1:]
    # Before all else: it may patch the process.
    from nova.cmd import compute

    # Behind the environment, with the plugin as an operator has it.
    sys.path.append(ROOT)
    # The package itself would import nova's own test fixtures.
    package = types.ModuleType('tests.functional')
    package.__path__ = [os.path.join(ROOT, 'tests', 'functional')]
    sys.modules['tests.functional'] = package
    import profiles

    from tests.functional import driver

    _keep_node(driver.ProfiledDriver)
    _may_hold(driver.ProfiledDriver, os.path.join(configurations, 'hold'))
    running = {}
    for name in names:
        pid = os.fork()
        if not pid:
            # It ends with the process that it was forked from.
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            log = os.open(
                os.path.join(logs, 'nova-compute-%s.log' % name),
                os.O_WRONLY | os.O_CREAT | os.O_APPEND,
                0o644,
            )
            os.dup2(log, 1)
            os.dup2(log, 2)
            driver.PROFILES[name] = profiles.HOSTS[name]
            sys.argv = [
                'nova-compute',
                '--config-file=%s/%s.conf' % (configurations, name),
            ]
            try:
                compute.main()
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        running[pid] = name
        print(name, pid, flush=True)
    while running:
        pid, status = os.wait()
        name = running.pop(pid)
        # A run kills some on purpose.
        if not os.WIFSIGNALED(status):
            print(name, 'ended with', os.WEXITSTATUS(status), flush=True)
            return 1
    return 0


def _keep_node(driver: ty.Any) -> None:
    """Have a node keep its uuid when its nova-compute is started again.

    nova from 27 on refuses to start otherwise; the fake driver makes up one.
    """
    try:
        from nova.virt import node
    except ImportError:
        return

    def by_uuid(self: ty.Any, refresh: bool = False) -> dict[str, str]:
        return {node.get_local_node_uuid(): self.get_available_nodes()[0]}

    report = driver.get_available_resource

    def with_uuid(self: ty.Any, nodename: str) -> ty.Any:
        resources = report(self, nodename)
        if resources:
            resources['uuid'] = node.get_local_node_uuid()
        return resources

    driver.get_nodenames_by_uuid = by_uuid
    driver.get_available_resource = with_uuid


def _may_hold(driver: ty.Any, path: str) -> None:
    """Have no live migration end while there is a file."""
    migrate = driver.live_migration

    def held(self: ty.Any, *args: ty.Any, **kwargs: ty.Any) -> None:
        while os.path.exists(path):
            time.sleep(0.1)
        migrate(self, *args, **kwargs)

    driver.live_migration = held


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
