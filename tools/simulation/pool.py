# SPDX-License-Identifier: Apache-2.0

"""Runs in as many processes as there are cores.

A module of its own: a fresh process can't import __main__.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import sys
import typing as ty

import nova.conf

from tools import printing
from tools.simulation import run

_SECONDS = 2

#: Counts arrivals; shared with the processes that run.
_counter: ty.Any = None


def _start(counter: ty.Any) -> None:
    global _counter
    _counter = counter
    # There are no cycles to collect, and thousands of instances.
    gc.disable()
    # nova's defaults, whatever this machine has in /etc/nova.
    nova.conf.CONF([], project='nova', default_config_files=[])


def _tell(arrivals: int) -> None:
    with _counter.get_lock():
        _counter.value += arrivals


def _run(plan: run.Plan) -> list[run.Outcome]:
    return run.Run(plan, _tell).outcomes()


def run_all(plans: ty.Sequence[run.Plan]) -> list[run.Outcome]:
    """Run them, as many at a time as there are cores."""
    # Fresh processes: each has a configuration of its own.
    context = multiprocessing.get_context('spawn')
    counter = context.Value('q', 0)
    expected = sum(plan.arrivals() for plan in plans)
    progress = printing.Progress()
    with context.Pool(
        min(len(plans), os.cpu_count() or 1), _start, (counter,)
    ) as workers:
        results = [workers.apply_async(_run, (plan,)) for plan in plans]
        for result in results:
            while not result.ready():
                done = sum(each.ready() for each in results)
                progress(
                    '%d of %d runs, %d %% of about %d arrivals'
                    % (
                        done,
                        len(results),
                        min(100 * counter.value // expected, 100),
                        expected,
                    )
                )
                result.wait(_SECONDS if sys.stderr.isatty() else 30)
        found = [outcome for each in results for outcome in each.get()]
    progress.done()
    return found
