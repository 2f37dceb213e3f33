# SPDX-License-Identifier: Apache-2.0

"""The whole plan: no dom0 overcommitted, then even headroom."""

from __future__ import annotations

import typing as ty

from nova_xen_sched.planner.cloud import Allowed
from nova_xen_sched.planner.cloud import Operation
from nova_xen_sched.planner.even import even
from nova_xen_sched.planner.mend import mend
from nova_xen_sched.planner.settle import settle
from nova_xen_sched.planner.state import State


def rebalance(
    state: State,
    operations: ty.Sequence[Operation],
    allowed: Allowed,
    min_gain: float | None,
    most: int | None = None,
) -> None:
    """Mend by the first operation, then by all; then even by the first.

    :param state: the moves are made in it.
    :param operations: in the order in which they are preferred.
    :param allowed: which guests may be moved.
    :param min_gain: as for even(); None to even nothing.
    :param most: how many moves the plan may have in all; None for any number.
    """

    def plan(each: State) -> None:
        for some in (operations[:1], operations):
            mend(each, some, allowed, most)
        if min_gain is not None:
            # Nobody shuts a guest down for that.
            even(each, operations[:1], allowed, min_gain, most)

    settle(state, plan, most)
