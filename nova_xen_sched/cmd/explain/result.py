# SPDX-License-Identifier: Apache-2.0

"""The answer: every host, and how it fared."""

from __future__ import annotations

import dataclasses
import typing as ty
from urllib import parse

import nova.conf
from nova.scheduler import utils

from nova_xen_sched import conf
from nova_xen_sched.cmd import troubleshooting
from nova_xen_sched.cmd.explain import weighing
from nova_xen_sched.cmd.nova import filtering
from nova_xen_sched.cmd.nova import placement
from nova_xen_sched.cmd.nova.scheduler import View
from nova_xen_sched.filters import XenHostFilter

CONF = nova.conf.CONF

_XEN_FILTER = XenHostFilter.__name__


@dataclasses.dataclass(frozen=True)
class Reason:
    """One reason of XenHostFilter against a host.

    :ivar code: the refusal code.
    :ivar reason: a clause that names the values.
    :ivar remedy: what can be done.
    :ivar report_only: whether it is only reported, so that it doesn't count.
    """

    code: str
    reason: str
    remedy: str
    report_only: bool


@dataclasses.dataclass(frozen=True)
class HostAnswer:
    """How one host fared.

    :ivar state: its nova HostState.
    :ivar step: the first step that refused it, None if none did.
    :ivar why: what that step is for.
    :ivar remedy: what to do about that step, or where to look; '' if it
        can't be said, and of XenHostFilter, whose reasons have their own.
    :ivar reasons: all of XenHostFilter's, if the host got that far.
    :ivar weighed: its weight, if no step refused it.
    :ivar first_without: the weighers without each of which it would come
        first.
    """

    state: ty.Any
    step: str | None = None
    why: str = ''
    reasons: tuple[Reason, ...] = ()
    weighed: weighing.Weighed | None = None
    first_without: tuple[str, ...] = ()
    remedy: str = ''

    @property
    def host(self) -> str:
        name: str = self.state.host
        return name


@dataclasses.dataclass(frozen=True)
class Answer:
    """What would happen to a request.

    :ivar weighed: the hosts that can take it, in the order of their weight.
    :ivar refused: all others, in the order of the steps, by name.
    :ivar first_without: by weigher, who would come first without it.
    :ivar notes: what else bears on the outcome; sentences.
    :ivar partial: what could not be read; sentences.
    """

    weighed: tuple[HostAnswer, ...]
    refused: tuple[HostAnswer, ...]
    first_without: dict[str, list[str]]
    notes: tuple[str, ...] = ()
    partial: tuple[str, ...] = ()

    @property
    def first(self) -> tuple[HostAnswer, ...]:
        """Who comes first; more than one if their weights are equal."""
        return tuple(
            each for each in self.weighed if each.weighed and _is_first(each)
        )

    @property
    def hosts(self) -> tuple[HostAnswer, ...]:
        """All hosts."""
        return self.weighed + self.refused


def _is_first(answer: HostAnswer) -> bool:
    return answer.weighed is not None and answer.weighed.rank == 1


def explain(view: View, spec: ty.Any) -> Answer:
    """Send a request the way that nova-scheduler sends it, and look on.

    :param view: the scheduler's view.
    :param spec: a nova RequestSpec; nova's request filters add to it.
    :raises errors.Failure: if what nova needs for it can't be read, or a
        plugin raises.
    """
    notes: list[str] = []
    steps: list[filtering.Step] = []
    states = view.host_states(spec)
    left = states
    # A rebuild stays where it is: nova doesn't ask placement.
    if not utils.request_is_rebuild(spec):
        left = _placed(view, spec, left, steps, notes)
    left = _in_its_cell(spec, left, steps)
    found = filtering.filtered(view.host_manager, left, spec)
    steps.extend(found.steps)
    hosts = weighing.weighed(view.host_manager, list(found.left), spec)
    without = weighing.first_without(hosts)
    reasons = _Reasons(view, spec, states, steps)
    notes.extend(_notes(view, found, hosts))
    return Answer(
        weighed=tuple(
            HostAnswer(
                each.state,
                reasons=reasons.of(each.state),
                weighed=each,
                first_without=tuple(
                    name for name, them in without.items() if each in them
                ),
            )
            for each in hosts
        ),
        refused=tuple(
            HostAnswer(
                state,
                step.name,
                step.why,
                reasons.of(state),
                remedy=step.remedy,
            )
            for step in steps
            for state in step.refused
        ),
        first_without={
            name: sorted(each.state.host for each in them)
            for name, them in without.items()
        },
        notes=tuple(notes),
        partial=tuple(view.silent.values()),
    )


def _placed(
    view: View,
    spec: ty.Any,
    states: list[ty.Any],
    steps: list[filtering.Step],
    notes: list[str],
) -> list[ty.Any]:
    """The hosts for which placement has candidates."""
    found = placement.candidates(view.context, spec, view.host_manager)
    left = [state for state in states if state.uuid in found.by_provider]
    for state in left:
        placement.attach(state, found)
    why = found.refusal or 'it has no candidate there for ' + _asked(
        found.asked
    )
    out = [state for state in states if state.uuid not in found.by_provider]
    disabled = []
    if found.refusal is None:
        disabled = [state for state in out if _is_disabled(state)]
    others = [state for state in out if state not in disabled]
    for group, said, remedy in (
        (disabled, 'its nova-compute is disabled', troubleshooting.DISABLED),
        (others, why, '' if found.refusal else troubleshooting.PLACEMENT),
    ):
        steps.append(
            filtering.Step(filtering.PLACEMENT, said, tuple(group), remedy)
        )
    if found.limit:
        notes.append(
            'Placement gave as many candidates as it was asked for, and may '
            'have more: [scheduler] max_placement_results = %d.' % found.limit
        )
    return left


def _is_disabled(state: ty.Any) -> bool:
    """Whether a host takes no guests, which placement knows by a trait."""
    return bool((state.service or {}).get('disabled'))


def _asked(query: str) -> str:
    """A query to placement, for reading."""
    parts = []
    for name, value in parse.parse_qsl(query):
        if name == 'resources':
            parts.append(value.replace(':', ' ').replace(',', ', '))
        elif name in ('required', 'root_required'):
            for trait in value.split(','):
                if trait.startswith('!'):
                    parts.append('without trait %s' % trait[1:])
                else:
                    parts.append('with trait %s' % trait)
        elif name != 'limit':
            parts.append('%s=%s' % (name, value))
    return ', '.join(parts)


def _in_its_cell(
    spec: ty.Any, states: list[ty.Any], steps: list[filtering.Step]
) -> list[ty.Any]:
    """The hosts of the cell that a server must not leave."""
    destination = spec.requested_destination
    cell = None
    if destination is not None and 'cell' in destination:
        cell = destination.cell
    if cell is None or destination.allow_cross_cell_move:
        return states
    out = tuple(s for s in states if s.cell_uuid != cell.uuid)
    why = 'the server has to stay in cell %s' % (cell.name or cell.uuid)
    steps.append(filtering.Step(filtering.CELL, why, out))
    return [s for s in states if s.cell_uuid == cell.uuid]


class _Reasons:
    """XenHostFilter's reasons against the hosts that got as far as there."""

    def __init__(
        self,
        view: View,
        spec: ty.Any,
        states: ty.Iterable[ty.Any],
        steps: ty.Iterable[filtering.Step],
    ) -> None:
        self._known: dict[int, tuple[Reason, ...]] = {}
        reached = list(states)
        for step in steps:
            if step.name == _XEN_FILTER:
                self._read(view.xen_filter(), spec, reached)
                break
            refused = set(map(id, step.refused))
            reached = [s for s in reached if id(s) not in refused]

    def _read(
        self, xen_filter: XenHostFilter, spec: ty.Any, states: list[ty.Any]
    ) -> None:
        report_only = conf.Options(CONF).current().report_only
        verdicts = xen_filter.verdicts(states, spec, every=True)
        for state, verdict in zip(states, verdicts):
            self._known[id(state)] = tuple(
                Reason(
                    str(refusal.code),
                    refusal.reason,
                    refusal.remedy,
                    not refusal.enforced(report_only),
                )
                for refusal in verdict.refusals
            )

    def of(self, state: ty.Any) -> tuple[Reason, ...]:
        return self._known.get(id(state), ())


def _notes(
    view: View, found: filtering.Filtered, hosts: list[weighing.Weighed]
) -> list[str]:
    options = CONF.filter_scheduler
    notes = []
    if found.skipped:
        notes.append(
            'The request forces its host, so that nova runs no filter.'
        )
    if not any(isinstance(each, XenHostFilter) for each in view.filters):
        notes.append(
            'XenHostFilter is not among [filter_scheduler] enabled_filters.'
        )
    if len(hosts) == 1:
        notes.append('Only one host is left: nova does not weigh it.')
    if options.host_subset_size > 1 < len(hosts):
        notes.append(
            'nova takes any of the first %d: [filter_scheduler] '
            'host_subset_size = %d.'
            % (
                min(options.host_subset_size, len(hosts)),
                options.host_subset_size,
            )
        )
    if options.shuffle_best_same_weighed_hosts and len(hosts) > 1:
        notes.append(
            'nova shuffles the hosts whose weight is the highest: '
            '[filter_scheduler] shuffle_best_same_weighed_hosts = true.'
        )
    return notes
