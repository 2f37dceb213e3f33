# SPDX-License-Identifier: Apache-2.0

"""Making the changes of a plan, beside others who may do the same.

nova's API can't change an aggregate only if it is as it was read. So what
others change in between shows as a refusal, and is answered by reading again
and planning anew, a few times.
"""

from __future__ import annotations

import collections
import contextlib
import random
import time
import typing as ty

from nova_xen_sched.cmd.facts import aggregates
from nova_xen_sched.cmd.facts import nova_api
from nova_xen_sched.cmd.facts import plan as planning

DONE = 'done'
NOT_NEEDED = 'not needed any more'

#: How often is planned at most; beside nobody else it takes two.
ROUNDS = 8
#: How often one change is tried.
STRIKES = 3


_Change = ty.TypeVar('_Change')


class Run(ty.Generic[_Change]):
    """What became of the changes of a plan so far.

    :ivar outcomes: by change DONE, NOT_NEEDED, or why it wasn't made; in the
        order in which they were tried first.
    :ivar converged: whether nothing is left to do, but for what was refused
        so often that it was given up.
    """

    def __init__(self) -> None:
        self.outcomes: dict[_Change, str] = {}
        self.converged = False

    @property
    def done(self) -> int:
        """How many changes were made."""
        return list(self.outcomes.values()).count(DONE)

    @property
    def failed(self) -> dict[_Change, str]:
        """What was not made although it has to be, and why."""
        return {
            change: outcome
            for change, outcome in self.outcomes.items()
            if outcome not in (DONE, NOT_NEEDED)
        }


class Applying(Run[planning.Change]):
    """One run that makes the changes of a plan of aggregates.

    :param desired: as of :func:`nova_xen_sched.cmd.facts.plan.plan`; prune
        and spared likewise.
    :param pause: waits for so many seconds.
    """

    def __init__(
        self,
        api: nova_api.Nova,
        desired: aggregates.ByHost,
        prune: bool = False,
        spared: ty.Collection[str] = (),
        pause: ty.Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__()
        self._api = api
        self._goal = desired, prune, spared
        self._pause = pause
        self._strikes: ty.Counter[planning.Change] = collections.Counter()
        # The aggregates that got or lost a host.
        self._touched: ty.Set[int] = set()

    def steps(self) -> ty.Iterator[planning.Plan]:
        """Make the changes; stops for a moment after each call of the API.

        :returns: the plan as it is at that moment.
        :raises errors.Failure: if no call can be made any more.
        """
        desired, prune, spared = self._goal
        for number in range(ROUNDS):
            existing = self._api.aggregates()
            plan = planning.plan(desired, existing, prune, spared)
            for change in self.failed:
                if change not in plan.changes:
                    self.outcomes[change] = NOT_NEEDED
            yield plan
            if number and plan.changes:
                # Not in step with another that does the same.
                self._pause(random.uniform(0, 0.2 * number))  # noqa: S311
            last = number == ROUNDS - 1
            tried = yield from self._round(plan, last)
            if not tried:
                self.converged = not (last and plan.changes)
                break
        yield from self._refresh(existing, plan)

    def _round(
        self, plan: planning.Plan, last: bool
    ) -> ty.Generator[planning.Plan, None, bool]:
        """Try each change whose conditions are met.

        What rests on a change that wasn't made is not made either: a host
        that wasn't added isn't removed elsewhere, and one that wasn't removed
        needs the facts of its aggregate as they are.

        :param last: only add. Of two runs that want different facts for one
            host each might remove what the other one added, and none would
            be left to notice.
        :returns: whether any was tried.
        """
        tried = False
        made: dict[str, int] = {}
        # Hosts that weren't added, and aggregates in which something wasn't
        # changed, by name and id.
        unmet: ty.Set[ty.Any] = set()
        for change in plan.changes:
            aggregate = (change.aggregate, change.id)
            adds = change.action == planning.ADD_HOST
            removes = change.action == planning.REMOVE_HOST
            why = None
            if self._strikes[change] >= STRIKES:
                why = self.outcomes[change]
            elif removes and change.host in unmet:
                why = 'left, as the host was not added to the other one'
            elif not removes and aggregate in unmet:
                why = 'left, for what was refused before'
            elif last and (removes or change.action == planning.DELETE):
                why = 'left, as someone else makes other changes; run it again'
            if why is None:
                why = self._make(change, made)
                self.outcomes[change] = why or DONE
                tried = True
                yield plan
            elif change not in self.failed:
                self.outcomes[change] = why
            if why is not None:
                unmet.add(change.host if adds else aggregate)
        return tried

    def _make(
        self, change: planning.Change, made: dict[str, int]
    ) -> str | None:
        """Make a change.

        :param made: by name, the ids of the aggregates that this round made.
        :returns: why nova refused it, None if it didn't.
        """
        try:
            if change.action == planning.CREATE:
                made[change.aggregate] = self._api.create(change.aggregate)
                return None
            number = made[change.aggregate] if change.id is None else change.id
            self._api.change(number, change)
        except nova_api.RefusedError as e:
            self._strikes[change] += 1
            return str(e)
        if change.host:
            self._touched.add(number)
        return None

    def _refresh(
        self, existing: ty.List[aggregates.Aggregate], plan: planning.Plan
    ) -> ty.Iterator[planning.Plan]:
        """Let the schedulers learn of the aggregates as they are now.

        nova tells them of an aggregate as the call that changed it had read
        it. Of two hosts that were added at once, one may be missing there
        until the next change. Setting what is set already is such a change.
        """
        for each in existing:
            if not each.owned or each.id not in self._touched:
                continue
            change = planning.Change(
                planning.SET,
                each.name,
                each.id,
                metadata=((aggregates.MANAGED_BY, aggregates.OWNER),),
            )
            # Someone else may have deleted it.
            with contextlib.suppress(nova_api.RefusedError):
                self._api.change(each.id, change)
            yield plan
