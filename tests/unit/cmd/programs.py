# SPDX-License-Identifier: Apache-2.0

"""Runs the programs as an operator does, each in a process of its own.

It is forked from one that has imported them: importing nova takes seconds.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import subprocess

_FORKS = multiprocessing.get_context('forkserver')
_FORKS.set_forkserver_preload(
    [
        'nova_xen_sched.cmd.' + name
        for name in (
            'application',
            'explain.command',
            'explain.steps',
            'hosts.capacity',
            'hosts.command',
            'image.nova_properties',
            'moves.drain',
            'moves.rebalance',
            'nova.scheduler',
            'upgrade_check.checks',
        )
    ]
)
_TIMEOUT = 120.0


def run(program, *arguments, home):
    """Run one of nova_xen_sched.cmd with no configuration but the arguments'.

    :param home: a folder: where it runs, with its output beside.
    :returns: what subprocess.run() returns.
    """
    outputs = [str(home / name) for name in ('stdout', 'stderr')]
    process = _FORKS.Process(
        target=_run, args=(program, arguments, str(home), outputs)
    )
    process.start()
    process.join(_TIMEOUT)
    if process.exitcode is None:
        process.kill()
        process.join()
        raise subprocess.TimeoutExpired([program, *arguments], _TIMEOUT)
    texts = []
    for path in outputs:
        with open(path, encoding='utf-8') as f:
            texts.append(f.read())
    return subprocess.CompletedProcess(
        [program, *arguments], process.exitcode, *texts
    )


def _run(program, arguments, home, outputs):
    for number, path in enumerate(outputs, 1):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    for name in list(os.environ):
        if name.startswith('OS_'):
            del os.environ[name]
    os.environ['HOME'] = home
    os.chdir(home)
    module = importlib.import_module('nova_xen_sched.cmd.' + program)
    raise SystemExit(module.main(list(arguments)))
