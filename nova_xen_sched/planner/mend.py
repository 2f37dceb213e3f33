# SPDX-License-Identifier: Apache-2.0

"""The fewest moves that take every dom0 out of overcommitment.

First each host that is overcommitted is mended by itself, the worst first,
with as few moves as can be found. Where that takes more than the least number
of guests that have to leave them, or leaves a host, all hosts are searched
together. A host that can't be mended is eased as far as that goes.
"""

from __future__ import annotations

import typing as ty

from nova_xen_sched.planner.cloud import Allowed
from nova_xen_sched.planner.cloud import Operation
from nova_xen_sched.planner.search import EXTRA
from nova_xen_sched.planner.search import Search
from nova_xen_sched.planner.settle import settle
from nova_xen_sched.planner.state import State

#: How many destinations are looked at, at most, for one host and for all
#: together.
_TRIES, _TRIES_TOGETHER = 5000, 10000


def mend(
    state: State,
    operations: ty.Sequence[Operation],
    allowed: Allowed,
    most: int | None = None,
) -> None:
    """Move guests until no dom0 is overcommitted, as far as it goes.

    :param state: the moves are made in it.
    :param operations: in the order in which they are preferred.
    :param allowed: which guests may be moved.
    :param most: how many moves the plan may have in all; None for any number.
    """
    begin = len(state.moves)
    settle(state, lambda each: _mend(Search(each, operations, allowed)))
    if most is None or len(state.moves) <= most:
        return
    while len(state.moves) > max(most, begin):
        state.undo()
    # What makes room for a move that is none of the plan any more.
    while len(state.moves) > begin:
        last = state.undo()
        if state.overcommitted(last.source):
            state.make(last)
            return


def _mend(search: Search) -> None:
    state = search.state
    begin = len(state.moves)
    hosts = search.overcommitted()
    least = search.least_of(search.mendable(hosts))
    for host in hosts:
        search.found([host], _TRIES)
    needed = len(state.moves) - begin
    left = search.mendable(search.overcommitted())
    if needed > least or left:
        first = state.moves[begin:]
        while len(state.moves) > begin:
            state.undo()
        hosts = search.mendable(hosts)
        most = least + EXTRA if left else min(least + EXTRA, needed - 1)
        for bound in range(least, most + 1):
            if search.found(hosts, _TRIES_TOGETHER, bound):
                break
        else:
            for move in first:
                state.make(move)
    for host in search.overcommitted():
        search.ease(host)
