# SPDX-License-Identifier: Apache-2.0

"""Why a guest finds no host: how many hosts each step refuses, and why."""

from __future__ import annotations

import collections
import typing as ty

from nova_xen_sched.cmd.nova import filtering
from nova_xen_sched.cmd.nova import left_out
from nova_xen_sched.cmd.nova import refused
from nova_xen_sched.cmd.nova.causes import Found
from nova_xen_sched.cmd.nova.scheduler import Cloud
from nova_xen_sched.cmd.simulate.requests import Kind
from nova_xen_sched.cmd.simulate.result import Cause


def causes(
    cloud: Cloud,
    kind: Kind,
    spec: ty.Any,
    states: ty.Sequence[ty.Any],
    short: ty.Mapping[str, str],
    filtered: filtering.Filtered,
) -> ty.Counter[Cause]:
    """How many hosts are refused for each cause.

    :param kind: of the guest.
    :param spec: its nova RequestSpec.
    :param states: the nova HostStates of all hosts, before any guest.
    :param short: by host's UUID, the resource class of which the guests of
        the simulation took what placement had.
    :param filtered: what nova's filters made of the others.
    :raises errors.Failure: if placement can't be asked.
    """
    found: ty.Counter[Cause] = collections.Counter(
        Cause(filtering.PLACEMENT, 'resource', name) for name in short.values()
    )
    found.update(_before(cloud, kind, states))
    for step in filtered.steps:
        found.update(_by_filter(cloud, step, spec))
    if filtered.left:
        found[Cause(filtering.PLACEMENT, 'no_candidate')] += len(filtered.left)
    return found


def _before(
    cloud: Cloud, kind: Kind, states: ty.Sequence[ty.Any]
) -> ty.Iterator[Cause]:
    """Of the hosts that never had a candidate."""
    known: dict[int, Found] = {}
    steps = left_out.by_placement(
        cloud, kind.spec, list(states), kind.candidates, known
    )
    for step in steps:
        for state in step.refused:
            yield _named(step, known.get(id(state)))


def _by_filter(
    cloud: Cloud, step: filtering.Step, spec: ty.Any
) -> ty.Iterator[Cause]:
    """Of the hosts that one of nova's filters refuses."""
    found = refused.refusals(cloud, step, spec)
    for state, refusal in zip(step.refused, found):
        if refusal:
            yield Cause(step.name, str(refusal.code))
        else:
            yield _named(step, left_out.by_filter(step, state, spec))


def _named(step: filtering.Step, found: Found | None) -> Cause:
    """The cause that has a name, if there is one."""
    if found is None or not found.causes:
        return Cause(step.name, None)
    first = found.causes[0]
    return Cause(step.name, first.code, first.name or '')
