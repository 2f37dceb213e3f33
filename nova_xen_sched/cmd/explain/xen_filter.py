# SPDX-License-Identifier: Apache-2.0

"""What XenHostFilter says of hosts, those that don't get so far as well."""

from __future__ import annotations

import typing as ty

from nova_xen_sched.cmd.explain.result import Reason
from nova_xen_sched.cmd.nova import xen_hosts
from nova_xen_sched.cmd.nova.scheduler import Cloud
from nova_xen_sched.cmd.tables import Coded
from nova_xen_sched.filters import XenHostFilter
from nova_xen_sched.refusal import Refusal
from nova_xen_sched.refusal import SORTING

#: By the identity of HostStates.
Refusals = ty.Mapping[int, ty.Sequence[Refusal]]


def refusals(cloud: Cloud, spec: ty.Any, states: list[ty.Any]) -> Refusals:
    """All that the filter has against each host; nothing if it isn't enabled.

    :param spec: a nova RequestSpec.
    :param states: nova HostStates.
    """
    if not any(isinstance(each, XenHostFilter) for each in cloud.filters):
        return {}
    verdicts = cloud.plugin(XenHostFilter).verdicts(states, spec, every=True)
    return {id(s): each.refusals for s, each in zip(states, verdicts)}


def reasons(
    found: Refusals, reached: ty.Iterable[ty.Any]
) -> dict[int, tuple[Reason, ...]]:
    """The filter's reasons against the hosts that got as far as there.

    :param found: of all hosts.
    :param reached: the HostStates of those.
    :returns: by the identity of HostStates.
    """
    report_only = xen_hosts.settings().report_only
    # The image is right where it sorts hosts, and doesn't refuse all of them.
    wrong = set(SORTING).intersection(
        *({each.code for each in those} for those in found.values())
    )
    return {
        id(state): tuple(
            Reason(
                str(refusal.code),
                refusal.reason,
                ''
                if refusal.code in SORTING and refusal.code not in wrong
                else refusal.remedy,
                not refusal.enforced(report_only),
            )
            for refusal in found[id(state)]
        )
        for state in reached
    }


def sorts_out(found: ty.Iterable[Refusal]) -> bool:
    """Whether the guest is for hosts of another kind."""
    return any(each.code in SORTING for each in found)


def forced(found: Refusals, states: ty.Iterable[ty.Any]) -> list[Coded]:
    """What the filters that don't run would say of hosts that are forced.

    :param found: of all hosts.
    """
    report_only = xen_hosts.settings().report_only
    notes = []
    for state in states:
        if xen_hosts.service_state(state) == 'down':
            notes.append(
                Coded(
                    'forced_host_down',
                    'nova-compute on %s is down: nova sends the server there '
                    'all the same, and the server waits until nova-compute '
                    'is up.' % state.host,
                )
            )
        enforced = (
            each
            for each in found.get(id(state), ())
            if each.enforced(report_only)
        )
        refusal = next(enforced, None)
        if refusal is not None:
            notes.append(
                Coded(
                    'forced_host_refused',
                    'XenHostFilter would refuse %s for %s: %s.'
                    % (state.host, refusal.code, refusal.reason),
                )
            )
    return notes
