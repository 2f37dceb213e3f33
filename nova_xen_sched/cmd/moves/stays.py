# SPDX-License-Identifier: Apache-2.0

"""Why guests stay where they are."""

from __future__ import annotations

import collections
import typing as ty

from nova_xen_sched.cmd import tables
from nova_xen_sched.planner.cloud import Guest
from nova_xen_sched.planner.cloud import Operation
from nova_xen_sched.planner.state import State

EXCLUDED = 'it is not to be moved (--exclude)'
NOT_FROM = 'guests of its host are not to be moved (--from)'
_OVER = 'its dom0 would be overcommitted'


def why(state: State, guest: Guest, operations: ty.Sequence[Operation]) -> str:
    """Why a guest can't be moved anywhere, in one sentence."""
    refused = {each: state.why_stays(guest, each) for each in operations}
    possible = [each for each in operations if not refused[each]]
    if not possible:
        found: dict[str, list[Operation]] = {}
        for each, reason in refused.items():
            found.setdefault(reason, []).append(each)
        if len(found) == 1:
            return next(iter(found))
        return '; '.join(
            '%s: %s' % (' and '.join(map(str, each)), reason)
            for reason, each in found.items()
        )
    others = [host for host in state.loads if host != guest.host]
    takers = [
        move.target
        for move in state.moves_of(guest, possible, others)
        if state.headroom_with(move.target, guest) is not None
    ]
    if takers:
        # There may be no more moves, or this one would be in vain.
        return 'the plan leaves it there, though %s would take it' % (
            tables.names(takers)
        )
    # The last operation is the one that most hosts would take.
    reasons = collections.Counter(
        state.why_not(guest, possible[-1], target) or _OVER
        for target in state.loads
        if target != guest.host
    )
    if not reasons:
        return 'there is no other Xen host'
    return 'no host takes it: ' + '; '.join(
        '%s (%s)' % (reason, tables.counted(count))
        for reason, count in reasons.most_common()
    )
