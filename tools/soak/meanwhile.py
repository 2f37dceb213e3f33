# SPDX-License-Identifier: Apache-2.0

"""Hosts that another thread changes, as nova's HostManager does."""

from __future__ import annotations

import contextlib
import random
import sys
import threading
import typing as ty

from nova import objects

from tools.soak import clouds
from tools.soak import mutations


def _change(rng: random.Random, state: ty.Any) -> None:
    """One change that nova makes of a host which a request is looking at."""
    kind = rng.randrange(5)
    if kind == 0:
        # Guests come and go, in the dict that all requests share.
        guest = objects.Instance(
            uuid=str(rng.randrange(9)), vm_mode=rng.choice(mutations.TEXTS)
        )
        state.instances[guest.uuid] = guest
    elif kind == 1 and state.instances:
        state.instances.pop(next(iter(state.instances)), None)
    elif kind == 2:
        for aggregate in state.aggregates:
            # In place, on a change of metadata.
            aggregate.metadata['xen:dom0_memory_mb'] = rng.choice(
                mutations.TEXTS
            )
            aggregate.metadata.pop('xen:version', None)
    elif kind == 3:
        state.aggregates = list(reversed(state.aggregates))
    else:
        state.num_instances = rng.choice(mutations.INTEGERS)
        state.free_ram_mb = rng.choice(mutations.INTEGERS)
        if getattr(state, 'stats', None):
            state.stats = dict(
                state.stats, xen_free_memory_mb=rng.choice(mutations.TEXTS)
            )


@contextlib.contextmanager
def changing(case: clouds.Case) -> ty.Iterator[None]:
    """Change a case's hosts all the time, until this ends."""
    rng = random.Random(case.seed)
    over = threading.Event()
    # Instances are in several hosts; a dict belongs to one.
    for state in case.states:
        state.instances = dict(state.instances)

    def change() -> None:
        # A rest, or it would have most of the processor.
        while not over.wait(1e-5):
            _change(rng, rng.choice(case.states))

    usual = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    thread = threading.Thread(target=change, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        sys.setswitchinterval(usual)
