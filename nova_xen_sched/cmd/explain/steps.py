# SPDX-License-Identifier: Apache-2.0

"""A request on its way through nova's steps, and what becomes of each host."""

from __future__ import annotations

import typing as ty

import nova.conf
from nova.scheduler import utils

from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd.explain import conductor
from nova_xen_sched.cmd.explain import weighing
from nova_xen_sched.cmd.explain import xen_filter
from nova_xen_sched.cmd.explain.result import HostResult
from nova_xen_sched.cmd.explain.result import Result
from nova_xen_sched.cmd.nova import filtering
from nova_xen_sched.cmd.nova import left_out
from nova_xen_sched.cmd.nova import placement
from nova_xen_sched.cmd.nova.causes import Found
from nova_xen_sched.cmd.nova.filtering import Step
from nova_xen_sched.cmd.nova.scheduler import Cloud
from nova_xen_sched.cmd.progress import Progress
from nova_xen_sched.cmd.tables import Coded
from nova_xen_sched.filters import XenHostFilter
from nova_xen_sched.nearest import nearest

CONF = nova.conf.CONF


def explain(
    cloud: Cloud, spec: ty.Any, migrates_from: str | None = None
) -> Result:
    """Send a request the way that nova-scheduler sends it, and look on.

    :param cloud: as the scheduler sees it.
    :param spec: a nova RequestSpec; nova's request filters add to it.
    :param migrates_from: the host that a live migration leaves.
    :raises errors.Failure: if what nova needs for it can't be read, or a
        plugin raises.
    """
    manager = cloud.host_manager
    with Progress('Reading hosts'):
        states = cloud.host_states(spec)
    _check_forced(cloud, spec, states)
    steps: list[Step] = []
    notes: list[Coded] = []
    partial: list[str] = []
    causes: dict[int, Found] = {}
    # A rebuild stays where it is: nova doesn't ask placement.
    if not utils.request_is_rebuild(spec):
        try:
            with Progress('Asking placement'):
                found = placement.candidates(cloud.context, spec, manager)
            steps += left_out.by_placement(cloud, spec, states, found, causes)
        except errors.Failure as e:
            found = None
            partial.append(
                '%s Without placement nova-scheduler finds no host; this is '
                'as if placement left out none.' % e
            )
        for state in states:
            placement.attach(state, found)
        if found and found.limit:
            notes.append(
                Coded(
                    'max_placement_results',
                    'Placement gave as many candidates as nova asks for, and '
                    'may have more: [scheduler] max_placement_results = %d.'
                    % found.limit,
                )
            )
    steps += _cell_step(spec, _left(states, steps))
    left = _left(states, steps)
    with Progress("Running nova's filters and weighers"):
        filtered = filtering.filtered(manager, left, spec)
        steps += filtered.steps
        unfit = conductor.unfit(states, migrates_from)
        weighed, passed, gives_up = conductor.weighed(
            manager, filtered.left, spec, unfit
        )
    for step in filtered.steps:
        for state in step.refused:
            causes[id(state)] = left_out.by_filter(step, state, spec)
    steps += passed
    refused = [
        HostResult(
            state, step, **causes.get(id(state), Found((), {}))._asdict()
        )
        for step in steps
        for state in step.refused
    ]
    refusals = xen_filter.refusals(cloud, spec, states)
    reasons = xen_filter.reasons(refusals, _reached(states, steps))
    for each in weighed + refused:
        each.reasons = reasons.get(id(each.state), ())
        each.sorted_out = xen_filter.sorts_out(
            refusals.get(id(each.state), ())
        )
    if filtered.skipped:
        notes.append(
            Coded(
                'forced_host',
                'The request forces its host, so that nova runs no filter.',
            )
        )
        notes += xen_filter.forced(refusals, filtered.left)
    return Result(
        weighed,
        refused,
        weighing.first_without(weighed),
        notes + _notes(cloud, len(weighed)),
        [*partial, *cloud.unreachable.values()],
        gives_up,
    )


def _check_forced(cloud: Cloud, spec: ty.Any, states: list[ty.Any]) -> None:
    """Whether the host that a request is bound to is there.

    :raises errors.Failure: if not.
    """
    known = {name for s in states for name in (s.host, s.nodename)}
    for name in (*(spec.force_hosts or ()), *(spec.force_nodes or ())):
        if name not in known and not cloud.unreachable:
            near = nearest(name, map(str, known))
            raise errors.Failure(
                'The request is bound to host %s, which does not exist%s. See '
                'nova-xen-sched host list --all.'
                % (name, ' (nearest: %s)' % near if near else '')
            )


def _reached(states: list[ty.Any], steps: list[Step]) -> list[ty.Any]:
    """The hosts that got as far as XenHostFilter."""
    names = [step.name for step in steps]
    if XenHostFilter.__name__ not in names:
        return []
    return _left(states, steps[: names.index(XenHostFilter.__name__)])


def _left(
    states: ty.Iterable[ty.Any], steps: ty.Iterable[Step]
) -> list[ty.Any]:
    """The hosts that no step refused."""
    return filtering.without(
        states, (state for step in steps for state in step.refused)
    )


def _cell_step(spec: ty.Any, states: list[ty.Any]) -> list[Step]:
    """The hosts of other cells than the one that a server must not leave."""
    destination = spec.requested_destination
    if destination is None or 'cell' not in destination:
        return []
    cell = destination.cell
    if cell is None or destination.allow_cross_cell_move:
        return []
    return [
        Step(
            filtering.CELL,
            'the server has to stay in cell %s' % (cell.name or cell.uuid),
            tuple(s for s in states if s.cell_uuid != cell.uuid),
        )
    ]


def _notes(cloud: Cloud, weighed: int) -> list[Coded]:
    """What of nova's configuration bears on the outcome.

    :param weighed: how many hosts can take the guest.
    """
    options = CONF.filter_scheduler
    notes = []
    if not any(isinstance(each, XenHostFilter) for each in cloud.filters):
        notes.append(
            Coded(
                'filter_not_enabled',
                'XenHostFilter is not among [filter_scheduler] '
                'enabled_filters.',
            )
        )
    if weighed == 1:
        notes.append(
            Coded(
                'not_weighed',
                'nova does not weigh the only host that is left.',
            )
        )
    if options.host_subset_size > 1 < weighed:
        notes.append(
            Coded(
                'host_subset_size',
                'nova takes any of the first %d: [filter_scheduler] '
                'host_subset_size = %d.'
                % (
                    min(options.host_subset_size, weighed),
                    options.host_subset_size,
                ),
            )
        )
    if options.shuffle_best_same_weighed_hosts and weighed > 1:
        notes.append(
            Coded(
                'shuffle',
                'nova shuffles the hosts whose weight is the highest: '
                '[filter_scheduler] shuffle_best_same_weighed_hosts = true.',
            )
        )
    return notes
