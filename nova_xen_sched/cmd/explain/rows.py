# SPDX-License-Identifier: Apache-2.0

"""A result as rows: for json, yaml, csv and value."""

from __future__ import annotations

import dataclasses
import typing as ty

from nova_xen_sched import dom0
from nova_xen_sched.cmd.explain.result import HostResult
from nova_xen_sched.cmd.explain.result import Result

#: What each column has. Stable: columns are added, never renamed.
COLUMNS = {
    'rank': 'place by weight from 1, equal weights have equal ranks; none if '
    'refused',
    'host': 'its name',
    'result': 'first, tied (first with others), weighed, or refused',
    'weight': "nova's sum of the shares",
    'step': 'the first step that refused it: placement, cell, request (hosts '
    'that the request itself names or rules out), or a filter',
    'why': 'what that step is for',
    'reasons': "all of XenHostFilter's: code, reason, remedy, report_only",
    'shares': 'of each weigher: raw, normalised, multiplier, share',
    'first_without': 'weighers without each of which it would come first',
    'rooms': 'of a Xen host once the guest is there: room, capacity, used, '
    'unit, headroom, source (computed, or reported by Xen)',
}


def row(
    result: Result,
    host: HostResult,
    resources: ty.Sequence[dom0.Usage],
    structured: bool,
) -> tuple[ty.Any, ...]:
    """One host.

    :param resources: those of a Xen host once the guest is placed, else none.
    :param structured: whether lists and dicts may stand in it, else text.
    """
    nothing = None if structured else ''
    ranked = host.rank is not None
    reasons: ty.Any = [dataclasses.asdict(each) for each in host.reasons]
    shares: ty.Any = {
        each.weigher: {
            'raw': each.raw,
            'normalised': each.normalised,
            'multiplier': each.multiplier,
            'share': each.share,
        }
        for each in host.shares
    }
    without: ty.Any = result.weighers_against(host)
    used: ty.Any = [
        {
            'room': str(each.resource),
            'capacity': each.capacity,
            'used': each.used,
            'unit': each.resource.unit,
            'headroom': each.headroom,
            'source': each.source,
        }
        for each in resources
    ]
    if not structured:
        reasons = '; '.join(map(str, host.reasons))
        shares = '; '.join(
            '%s %.6g' % (each.weigher, each.share) for each in host.shares
        )
        without = '; '.join(without)
        used = '; '.join(
            '%s %.0f %% (%s)'
            % (each.resource, 100 * each.headroom, each.source)
            for each in resources
        )
    return (
        host.rank if ranked else nothing,
        host.host,
        result.outcome(host),
        host.weight if ranked else nothing,
        host.step.name if host.step else nothing,
        (host.step and host.step.why) or nothing,
        reasons,
        shares,
        without,
        used,
    )
