# SPDX-License-Identifier: Apache-2.0

"""A run of real services as a command: from its arguments to its end."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
from importlib import import_module
import os
import shutil
import signal
import sys
import tempfile
import typing as ty

from tests.e2e import logs
from tests.e2e.controllers import Controllers
from tests.e2e.processes import Failure
from tests.e2e.report import Report
from tests.e2e.settings import Settings


def parser(package: str) -> argparse.ArgumentParser:
    """One with the arguments that every run has."""
    made = argparse.ArgumentParser(prog='python -m ' + package)
    made.add_argument(
        '--nova-env', required=True, help='the environment that has nova'
    )
    made.add_argument('--pins', required=True, help='its pins')
    made.add_argument(
        '--folder', required=True, help='for logs; emptied at the start'
    )
    made.add_argument(
        '--stay', action='store_true', help='until Ctrl-C, to look at it'
    )
    return made


def main(target: str, run: ty.Callable[[Report], int]) -> int:
    """The exit code of a run.

    :param target: make's
    :param run: does it
    """
    # Whatever ends this ends what it started.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        return run(Report())
    except KeyboardInterrupt:
        print('Interrupted: all that was started is ended.', file=sys.stderr)
        return 130
    except Failure as e:
        print('make %s: %s' % (target, e), file=sys.stderr)
        return 1


def settings(
    stack: contextlib.ExitStack, arguments: argparse.Namespace, nova: str
) -> Settings:
    """Where a run keeps its things.

    :param stack: ends the processes of the run
    :param arguments: those of parser()
    :param nova: its release
    :raises Failure: if another run has its folder or its environment
    """
    folder = os.path.abspath(arguments.folder)
    nova_env = os.path.abspath(arguments.nova_env)
    for path in (folder, nova_env):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        lock = stack.enter_context(open(path + '.run', 'w'))  # noqa: SIM115
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as e:
            raise Failure(
                '%s is in use by another run: wait for its end.' % path
            ) from e
    shutil.rmtree(folder, ignore_errors=True)
    made = Settings(
        nova=nova,
        nova_env=nova_env,
        services_env=sys.prefix,
        folder=folder,
        sockets=stack.enter_context(
            tempfile.TemporaryDirectory(prefix='xen-e2e-')
        ),
    )
    stack.callback(made.processes.end)
    return made


def ending(report: Report) -> None:
    """Say so, and see to it that it comes to its end."""
    report.note('ending all that was started')
    # A second Ctrl-C doesn't leave anything behind either.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def chapters(
    cloud: Controllers, package: str, names: ty.Sequence[str]
) -> None:
    """Run scenarios, and look into the logs afterwards.

    :param cloud: what they are run on
    :param package: has them as modules
    :param names: which, in their order
    """
    for name in names:
        scenario = import_module('%s.%s' % (package, name))
        cloud.report.chapter(scenario.TITLE)
        try:
            scenario.run(cloud)
        except Exception:
            # Between two steps; the next chapter may do well.
            with cloud.report.step('the rest of this chapter'):
                raise
    cloud.report.chapter('Afterwards')
    logs.judge(cloud)
