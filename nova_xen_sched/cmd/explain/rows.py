# SPDX-License-Identifier: Apache-2.0

"""An answer as rows: for json, yaml, csv and value."""

from __future__ import annotations

import typing as ty

from nova_xen_sched import dom0
from nova_xen_sched.cmd.explain.result import Answer
from nova_xen_sched.cmd.explain.result import HostAnswer
from nova_xen_sched.cmd.explain.result import Reason


def row(
    answer: Answer,
    each: HostAnswer,
    left: ty.Sequence[dom0.Left],
    structured: bool,
) -> tuple[ty.Any, ...]:
    """One host.

    :param left: the rooms of a Xen host once the guest is placed, else none.
    :param structured: whether lists and dicts may stand in it, else text.
    """
    weighed = each.weighed
    shares = weighed.shares if weighed else ()
    reasons: ty.Any = [_reason(reason) for reason in each.reasons]
    by_weigher: ty.Any = {
        share.weigher: {
            'raw': share.raw,
            'normalised': share.normalised,
            'multiplier': share.multiplier,
            'share': share.share,
        }
        for share in shares
    }
    without: ty.Any = list(each.first_without)
    rooms: ty.Any = [_room(room) for room in left]
    if not structured:
        reasons = '; '.join(
            reason.code + (' (report_only)' if reason.report_only else '')
            for reason in each.reasons
        )
        by_weigher = '; '.join(
            '%s %.6g' % (share.weigher, share.share) for share in shares
        )
        without = '; '.join(each.first_without)
        rooms = '; '.join(
            '%s %.0f %% (%s)' % (room.room, 100 * room.headroom, room.source)
            for room in left
        )
    nothing = None if structured else ''
    return (
        weighed.rank if weighed else nothing,
        each.host,
        result(answer, each),
        weighed.weight if weighed else nothing,
        each.step or nothing,
        each.why or nothing,
        reasons,
        by_weigher,
        without,
        rooms,
    )


def result(answer: Answer, each: HostAnswer) -> str:
    """How a host fared, in a word."""
    if each.weighed is None:
        return 'refused'
    if each.weighed.rank > 1:
        return 'weighed'
    return 'first' if len(answer.first) == 1 else 'tied'


def _room(left: dom0.Left) -> dict[str, ty.Any]:
    return {
        'room': str(left.room),
        'capacity': left.capacity,
        'used': left.used,
        'unit': left.room.unit,
        'headroom': left.headroom,
        'source': left.source,
    }


def _reason(reason: Reason) -> dict[str, ty.Any]:
    return {
        'code': reason.code,
        'reason': reason.reason,
        'remedy': reason.remedy,
        'report_only': reason.report_only,
    }
