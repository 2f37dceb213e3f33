# SPDX-License-Identifier: Apache-2.0

"""Which hosts are left after each step, by nova's own steps."""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing as ty

from nova_xen_sched.cmd import troubleshooting
from nova_xen_sched.cmd.nova import failures

#: Steps before the filters; the filters' names are those of their classes.
PLACEMENT = 'placement'
CELL = 'cell'
REQUEST = 'request'
#: The step behind the weighers.
CONDUCTOR = 'conductor'


@dataclasses.dataclass(frozen=True)
class Step:
    """One step, and whom it refused.

    :ivar name: one of the above, or a filter's class name.
    :ivar why: why it refuses a host; in nova's words what it is for, where
        troubleshooting has none.
    :ivar refused: the nova HostStates that it refused.
    :ivar remedy: what to do or where to look; '' if that can't be said.
    """

    name: str
    why: str
    refused: tuple[ty.Any, ...]
    remedy: str = ''


class Filtered(ty.NamedTuple):
    """What filtering came to.

    :ivar steps: in their order, those that refused nobody too; the first is
        the request itself.
    :ivar left: the nova HostStates that are left, in nova's order.
    """

    steps: tuple[Step, ...]
    left: tuple[ty.Any, ...]

    @property
    def skipped(self) -> bool:
        """Whether nova ran no filter, as the request forces its host."""
        return bool(self.left) and len(self.steps) == 1


def filtered(manager: ty.Any, states: list[ty.Any], spec: ty.Any) -> Filtered:
    """Send hosts through nova's filters.

    :param manager: a nova HostManager.
    :param states: the nova HostStates that placement left.
    :param spec: a nova RequestSpec.
    :raises errors.Failure: if a filter raises.
    """
    handler = manager.filter_handler
    steps: list[Step] = []

    def one_by_one(
        filters: ty.Any, objs: ty.Any, spec_obj: ty.Any, index: int
    ) -> list[ty.Any]:
        """What nova's handler of filters does, and note whom each refuses."""
        left = list(objs)
        steps.append(_request_step(spec, states, left))
        for each in filters:
            if not left:
                # nova stops there, too.
                break
            before, name = left, type(each).__name__
            with failures.running('filter ' + name):
                passed = handler.get_filtered_objects(
                    [each], before, spec_obj, index
                )
            left = list(passed or ())
            steps.append(
                Step(
                    name,
                    troubleshooting.FILTERS.get(name) or _purpose(each),
                    tuple(without(before, left)),
                )
            )
        return left

    manager.filter_handler = types.SimpleNamespace(
        get_filtered_objects=one_by_one
    )
    try:
        # Has the hosts that are forced, ignored and asked for in it.
        left = list(manager.get_filtered_hosts(states, spec))
    finally:
        manager.filter_handler = handler
    if not steps:
        steps.append(_request_step(spec, states, left))
    return Filtered(tuple(steps), tuple(left))


def without(
    states: ty.Iterable[ty.Any], others: ty.Iterable[ty.Any]
) -> list[ty.Any]:
    """HostStates that are not among others."""
    # They compare by identity.
    known = set(map(id, others))
    return [each for each in states if id(each) not in known]


def _request_step(
    spec: ty.Any, before: list[ty.Any], left: list[ty.Any]
) -> Step:
    """Whom the request itself leaves out."""
    parts = []
    if spec.ignore_hosts:
        parts.append(
            'the server has to leave %s' % ', '.join(spec.ignore_hosts)
        )
    forced = {*(spec.force_hosts or ()), *(spec.force_nodes or ())}
    if forced:
        parts.append('the request is bound to %s' % ', '.join(sorted(forced)))
    destination = spec.requested_destination
    if destination is not None and 'host' in destination:
        parts.append('the request names %s' % destination.host)
    return Step(REQUEST, '; '.join(parts), tuple(without(before, left)))


def _purpose(plugin: ty.Any) -> str:
    """The first sentence of a class's own description."""
    text = (inspect.getdoc(type(plugin)) or '').split('\n\n')[0]
    return ' '.join(text.split()).rstrip('.')
