# SPDX-License-Identifier: Apache-2.0

"""Which hosts take no guest of a request, by nova's filters."""

from __future__ import annotations

import typing as ty

from nova_xen_sched import dom0
from nova_xen_sched.cmd.nova import filtering
from nova_xen_sched.cmd.nova import left_out
from nova_xen_sched.cmd.nova import xen_hosts
from nova_xen_sched.cmd.nova.causes import Found
from nova_xen_sched.cmd.nova.causes import Refused
from nova_xen_sched.cmd.nova.scheduler import Cloud
from nova_xen_sched.filters import XenHostFilter
from nova_xen_sched.refusal import Refusal

#: The codes of refusals by dom0's hard limit.
HARD_LIMIT = frozenset(str(resource) for resource in dom0.Resource)


def by_filters(
    cloud: Cloud,
    states: ty.Sequence[ty.Any],
    spec: ty.Any,
    hard: bool = False,
) -> dict[str, Refused]:
    """The first filter that takes no such guest, and why, by host's name.

    :param states: nova HostStates, with their candidates attached.
    :param spec: a nova RequestSpec.
    :param hard: whether dom0's hard limit counts. Without it, how far that
        reaches is for the dom0 model to say.
    :raises errors.Failure: if a filter raises.
    """
    refused = {}
    filtered = filtering.filtered(cloud.host_manager, list(states), spec)
    for step in filtered.steps:
        for state, own in zip(step.refused, refusals(cloud, step, spec)):
            found = (
                Refused(step.name, str(own.code), own.reason)
                if own
                else by_step(
                    step.name, step.why, left_out.by_filter(step, state, spec)
                )
            )
            if hard or found.code not in HARD_LIMIT:
                refused[xen_hosts.name_of(state)] = found
    return refused


def refusals(
    cloud: Cloud, step: filtering.Step, spec: ty.Any
) -> ty.Sequence[Refusal | None]:
    """XenHostFilter's own reasons for the hosts of a step; None of others."""
    if step.name != XenHostFilter.__name__:
        return [None] * len(step.refused)
    verdicts = cloud.plugin(XenHostFilter).verdicts(step.refused, spec)
    return [verdict.refusal for verdict in verdicts]


def by_step(step: str, why: str, found: Found) -> Refused:
    """Why a step takes no such guest, by its causes where they have names."""
    code = found.causes[0].code if found.causes else None
    return Refused(step, code, found.why or why)
