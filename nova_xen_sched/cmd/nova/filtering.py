# SPDX-License-Identifier: Apache-2.0

"""Which hosts are left after each step, by nova's own steps."""

from __future__ import annotations

import dataclasses
import inspect
import typing as ty

from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd import troubleshooting

#: Steps before the filters; the filters' names are those of their classes.
PLACEMENT = 'placement'
CELL = 'cell'
REQUEST = 'request'


@dataclasses.dataclass(frozen=True)
class Step:
    """One step, and whom it refused.

    :ivar name: one of the above, or a filter's class name.
    :ivar why: what the step is for, in nova's words where it is nova's.
    :ivar refused: the nova HostStates that it refused.
    :ivar remedy: what to do or where to look; '' if that can't be said.
    """

    name: str
    why: str
    refused: tuple[ty.Any, ...]
    remedy: str = ''


@dataclasses.dataclass(frozen=True)
class Filtered:
    """What filtering came to.

    :ivar steps: in their order, those that refused nobody too.
    :ivar left: the nova HostStates that are left, in nova's order.
    :ivar skipped: whether the request forces its host, so that nova ran no
        filter.
    """

    steps: tuple[Step, ...]
    left: tuple[ty.Any, ...]
    skipped: bool


class _Watched:
    """nova's handler of filters; notes are taken of what each one leaves."""

    def __init__(self, handler: ty.Any) -> None:
        self._handler = handler
        self.asked: list[ty.Any] | None = None
        self.steps: list[Step] = []

    def get_filtered_objects(
        self, filters: ty.Any, objs: ty.Any, spec_obj: ty.Any, index: int = 0
    ) -> ty.Any:
        left = self.asked = list(objs)
        for each in filters:
            if not left:
                # nova stops there, too.
                break
            before = left
            try:
                passed = self._handler.get_filtered_objects(
                    [each], before, spec_obj, index
                )
            except Exception as e:
                raise errors.Failure(
                    'The filter %s fails with %s: %s. nova-scheduler would '
                    'fail as well, and put the server into ERROR.'
                    % (_name(each), type(e).__name__, errors.one_line(e))
                ) from e
            left = list(passed or ())
            self.steps.append(
                Step(
                    _name(each),
                    _says(each),
                    _without(before, left),
                    troubleshooting.FILTERS.get(_name(each), ''),
                )
            )
        return left


def filtered(
    manager: ty.Any, states: list[ty.Any], spec: ty.Any, index: int = 0
) -> Filtered:
    """Send hosts through nova's filters.

    :param manager: a nova HostManager.
    :param states: the nova HostStates that placement left.
    :param spec: a nova RequestSpec.
    :param index: of the server among those of one request.
    :raises errors.Failure: if a filter raises.
    """
    handler = manager.filter_handler
    watched = manager.filter_handler = _Watched(handler)
    try:
        # Has the hosts that are forced, ignored and asked for in it.
        left = list(manager.get_filtered_hosts(states, spec, index))
    finally:
        manager.filter_handler = handler
    asked = left if watched.asked is None else watched.asked
    step = Step(REQUEST, _asked_for(spec), _without(states, asked))
    skipped = watched.asked is None and bool(left)
    return Filtered((step, *watched.steps), tuple(left), skipped)


def _asked_for(spec: ty.Any) -> str:
    """What the request itself says of hosts."""
    parts = []
    if spec.ignore_hosts:
        parts.append('it has to leave %s' % ', '.join(spec.ignore_hosts))
    forced = list(spec.force_hosts or ()) + list(spec.force_nodes or ())
    if forced:
        parts.append('it is bound to %s' % ', '.join(sorted(set(forced))))
    destination = spec.requested_destination
    if destination is not None and 'host' in destination:
        parts.append('it asks for %s' % destination.host)
    return '; '.join(parts)


def _name(plugin: ty.Any) -> str:
    return type(plugin).__name__


def _says(plugin: ty.Any) -> str:
    """The first sentence of a class's own description."""
    text = (inspect.getdoc(type(plugin)) or '').split('\n\n')[0]
    return ' '.join(text.split()).rstrip('.')


def _without(before: ty.Any, after: ty.Any) -> tuple[ty.Any, ...]:
    # HostStates compare by identity.
    kept = set(map(id, after))
    return tuple(each for each in before if id(each) not in kept)
