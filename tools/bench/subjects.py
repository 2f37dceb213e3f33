# SPDX-License-Identifier: Apache-2.0

"""What is measured: this package's plugins beside nova's own classes."""

from __future__ import annotations

import contextlib
import operator
import os
import tempfile
import typing as ty

import nova.conf
from nova.scheduler import weights as nova_weights
from nova.scheduler.filters import image_props_filter
from nova.scheduler.weights import ram

from nova_xen_sched import filters
from nova_xen_sched import weights
from tools.bench import measure
from tools.bench import world

CONF = nova.conf.CONF

FILTER = 'XenHostFilter'
EVERY = 'XenHostFilter, all refusals'
NOVA_FILTER = 'ImagePropertiesFilter'
WEIGHER = 'Dom0HeadroomWeigher'
NOVA_WEIGHER = 'RAMWeigher'
LOOP = 'bare loop'
#: What no filter of guest types can do without: each host's are compared with
#: those seen before.
LOOK = 'look'
#: nova's handler, with a weigher to which weighing costs nothing.
HANDLER = 'handler'

#: What each stands beside, and the least work for it.
BESIDE = {
    FILTER: (NOVA_FILTER, LOOK),
    # Beside filter_all itself.
    EVERY: (FILTER, LOOK),
    WEIGHER: (NOVA_WEIGHER, HANDLER),
}

_two = operator.attrgetter('host', 'hypervisor_type')
_guest_types_of = operator.attrgetter('supported_instances')


@contextlib.contextmanager
def options(**values: ty.Any) -> ty.Iterator[None]:
    """[xen_scheduler] for a while."""
    for name, value in values.items():
        CONF.set_override(name, value, group='xen_scheduler')
    try:
        yield
    finally:
        for name in values:
            CONF.clear_override(name, group='xen_scheduler')


@contextlib.contextmanager
def cloud(shape: world.Shape) -> ty.Iterator[list[ty.Any]]:
    """The hosts of a cloud, and its facts file where it has one."""
    states = world.host_states(shape)
    if shape.facts != world.FILE:
        yield states
        return
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'facts.yaml')
        with open(path, 'w') as f:
            f.write(world.facts_file(shape))
        # It lies there since long, as such files do.
        os.utime(path, (1e9, 1e9))
        with options(host_facts_file=path):
            yield states


def _loop(states: list[ty.Any]) -> ty.Callable[[], object]:
    def call() -> None:
        for state in states:
            _two(state)

    return call


def _look(states: list[ty.Any]) -> ty.Callable[[], object]:
    def call() -> None:
        seen: list[ty.Any] = []
        for each in map(_guest_types_of, states):
            if each not in seen:
                seen.append(each)

    return call


class _NoWeigher(nova_weights.BaseHostWeigher):
    """As ours, but knows the weights."""

    minval = 0
    maxval = 1

    def __init__(self, count: int) -> None:
        # As many digits as any.
        self._weights = [number / (count + 1) for number in range(count)]

    def _weigh_object(self, obj: ty.Any, weight_properties: ty.Any) -> float:
        return 0.0

    def weigh_objects(
        self, weighed_obj_list: list[ty.Any], weight_properties: ty.Any
    ) -> list[float]:
        return self._weights


def filtering(
    states: list[ty.Any], request: ty.Any
) -> dict[str, ty.Callable[[], object]]:
    """Both filters' filter_all."""
    ours = filters.XenHostFilter()
    novas = image_props_filter.ImagePropertiesFilter()
    return {
        LOOP: _loop(states),
        LOOK: _look(states),
        NOVA_FILTER: lambda: list(novas.filter_all(states, request)),
        FILTER: lambda: list(ours.filter_all(states, request)),
        # As explain and the other commands ask it.
        EVERY: lambda: ours.verdicts(states, request, every=True),
    }


def weighing(
    states: list[ty.Any], request: ty.Any
) -> dict[str, ty.Callable[[], object]]:
    """Both weighers by way of nova's handler."""
    handler = nova_weights.HostWeightHandler()
    ours = [weights.Dom0HeadroomWeigher()]
    novas = [ram.RAMWeigher()]
    none = [_NoWeigher(len(states))]
    return {
        LOOP: _loop(states),
        HANDLER: lambda: handler.get_weighed_objects(none, states, request),
        NOVA_WEIGHER: lambda: handler.get_weighed_objects(
            novas, states, request
        ),
        WEIGHER: lambda: handler.get_weighed_objects(ours, states, request),
    }


def take(
    shape: world.Shape,
    rounds: int,
    plugins: ty.Collection[str] = (FILTER, WEIGHER),
    request: ty.Any = None,
    **settings: ty.Any,
) -> dict[str, measure.Timing]:
    """Time the plugins and nova's classes on one cloud, side by side.

    :param request: what is asked for, a boot by default.
    :param settings: of [xen_scheduler].
    """
    request = request or world.request()
    subjects: dict[str, ty.Callable[[], object]] = {}
    with options(**settings), cloud(shape) as states:
        if FILTER in plugins:
            subjects.update(filtering(states, request))
        if WEIGHER in plugins:
            subjects.update(weighing(states, request))
        return measure.interleaved(subjects, rounds)
