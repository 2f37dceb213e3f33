# SPDX-License-Identifier: Apache-2.0

"""Hosts that nova's conductor passes over once the scheduler chose them.

For a live migration it compares the hypervisor of the host that was chosen
with that of the host that the server leaves (DestinationHypervisorTooOld and
InvalidHypervisorType), and asks the scheduler for another then, as often as
[DEFAULT] migrate_max_retries has it.
"""

from __future__ import annotations

import typing as ty

import nova.conf

from nova_xen_sched import versions
from nova_xen_sched.cmd.explain import weighing
from nova_xen_sched.cmd.explain.result import HostResult
from nova_xen_sched.cmd.nova import filtering
from nova_xen_sched.cmd.nova.filtering import Step
from nova_xen_sched.cmd.tables import Coded

CONF = nova.conf.CONF

_REMEDY = (
    'migrate the server cold (--operation cold-migrate), or upgrade the host '
    'first'
)
#: By identity of HostStates: why they are passed over, and what to do.
Unfit = ty.Mapping[int, ty.Tuple[str, str]]


class Weighed(ty.NamedTuple):
    """What is left in the end.

    :ivar hosts: in the order of their weight, without those passed over.
    :ivar steps: with those, whether the scheduler chose them or not.
    :ivar gives_up: why nova asks its scheduler no more, if it doesn't.
    """

    hosts: list[HostResult]
    steps: list[Step]
    gives_up: list[Coded]


def unfit(states: ty.Iterable[ty.Any], migrates_from: str | None) -> Unfit:
    """The hosts that a live migration from another would be refused to.

    :param states: nova HostStates.
    :param migrates_from: the name of that other; None for no live migration.
    """
    states = list(states)
    source = next((s for s in states if s.host == migrates_from), None)
    if source is None:
        return {}
    version = source.hypervisor_version or 0
    # Of later novas.
    if getattr(CONF.workarounds, 'skip_hypervisor_version_check_on_lm', False):
        version = 0
    found = {}
    for state in states:
        if state.hypervisor_type != source.hypervisor_type:
            found[id(state)] = (
                'the hypervisor is another than the %s of %s'
                % (source.hypervisor_type, source.host),
                '',
            )
        elif (state.hypervisor_version or 0) < version:
            found[id(state)] = (
                'the hypervisor is older than the %s %s of %s'
                % (
                    source.hypervisor_type,
                    versions.from_nova_int(version),
                    source.host,
                ),
                _REMEDY,
            )
    return found


def weighed(
    manager: ty.Any, left: ty.Iterable[ty.Any], spec: ty.Any, unfit: Unfit
) -> Weighed:
    """Have nova weigh hosts until one comes first that isn't passed over.

    :param manager: a nova HostManager.
    :param left: the nova HostStates that the filters left.
    :param spec: a nova RequestSpec.
    :param unfit: see unfit().
    :raises errors.Failure: if a weigher raises.
    """
    remaining = before = list(left)
    while True:
        found = weighing.weighed(manager, remaining, spec)
        chosen = [
            each.state
            for each in found
            if each.rank == 1 and id(each.state) in unfit
        ]
        if not chosen:
            break
        remaining = filtering.without(remaining, chosen)
    by_reason: dict[tuple[str, str], list[ty.Any]] = {}
    for state in before:
        if id(state) in unfit:
            by_reason.setdefault(unfit[id(state)], []).append(state)
    most, tried = CONF.migrate_max_retries, len(before) - len(remaining)
    return Weighed(
        weighing.ranked(each for each in found if id(each.state) not in unfit),
        [
            Step(filtering.CONDUCTOR, why, tuple(refused), remedy)
            for (why, remedy), refused in by_reason.items()
        ],
        [
            Coded(
                'migrate_max_retries',
                "nova's conductor gives up after %d of %d hosts that it "
                'passes over, which come first: [DEFAULT] '
                'migrate_max_retries = %d.' % (most + 1, tried, most),
            )
        ]
        if -1 < most < tried
        else [],
    )
