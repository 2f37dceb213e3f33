# SPDX-License-Identifier: Apache-2.0

"""Making the changes of a plan, beside others who may do the same.

nova's API can't change an aggregate only if it is as it was read. So what
others change in between shows as a refusal, and is answered by reading again
and planning anew, a few times.
"""

from __future__ import annotations

import contextlib
import random
import time
import typing as ty

from nova_xen_sched.cmd.facts import aggregates as content
from nova_xen_sched.cmd.facts import plan as planning

DONE = 'done'
NOT_NEEDED = 'not needed any more'

#: How often is planned at most; beside nobody else it takes two.
ROUNDS = 8
#: How often one change is tried.
STRIKES = 3


class RefusedError(Exception):
    """nova refused one call; says why, in one line."""


class StoppedError(Exception):
    """No call can be made any more; says why, in one line."""


class Api:
    """The calls of nova's API that are made: see nova.py.

    Each raises RefusedError or StoppedError.
    """

    def aggregates(self) -> list[content.Aggregate]:
        """All that there are."""
        raise NotImplementedError

    def create(self, name: str) -> int:
        """Make an aggregate without an availability zone; its id."""
        raise NotImplementedError

    def change(self, aggregate_id: int, change: planning.Change) -> None:
        """Make any other change."""
        raise NotImplementedError


_Key = ty.Tuple[str, int]


class Applying:
    """One run that makes the changes of a plan.

    :param pause: waits for so many seconds.
    :ivar outcomes: by change DONE, NOT_NEEDED, or why it wasn't made; in the
        order in which they were tried first.
    :ivar converged: whether nothing is left to do, but for what was refused
        so often that it was given up.
    """

    def __init__(
        self,
        api: Api,
        wanted: planning.Wanted,
        prune: bool = False,
        spared: ty.Collection[str] = (),
        pause: ty.Callable[[float], None] = time.sleep,
    ) -> None:
        self._api = api
        self._wanted = wanted
        self._prune = prune
        self._spared = spared
        self._pause = pause
        self._strikes: dict[planning.Change, int] = {}
        self._unmet: ty.Set[_Key] = set()
        self._unmet_hosts: ty.Set[str] = set()
        self._made: dict[str, int] = {}
        self._touched: ty.Set[int] = set()
        self._tried = False
        self.outcomes: dict[planning.Change, str] = {}
        self.converged = False

    @property
    def failed(self) -> dict[planning.Change, str]:
        """What was not made although it has to be, and why."""
        return {
            change: outcome
            for change, outcome in self.outcomes.items()
            if outcome not in (DONE, NOT_NEEDED)
        }

    def steps(self) -> ty.Iterator[planning.Plan]:
        """Make the changes; stops for a moment after each call of the API.

        :raises StoppedError: if no call can be made any more.
        """
        for number in range(ROUNDS):
            aggregates = self._api.aggregates()
            plan = planning.plan(
                self._wanted, aggregates, self._prune, self._spared
            )
            self._forget(plan.changes)
            yield plan
            self._tried = False
            if number and plan.changes:
                # Not in step with another that does the same.
                self._pause(random.uniform(0, 0.2 * number))  # noqa: S311
            last = number == ROUNDS - 1
            for _ in self._round(plan.changes, last):
                yield plan
            if not self._tried:
                self.converged = not (last and plan.changes)
                break
        for _ in self._refresh(aggregates):
            yield plan

    def _forget(self, changes: ty.List[planning.Change]) -> None:
        """What was refused and isn't to be done any more, was no failure."""
        for change in self.failed:
            if change not in changes:
                self.outcomes[change] = NOT_NEEDED

    def _round(
        self, changes: ty.List[planning.Change], last: bool
    ) -> ty.Iterator[None]:
        """Try each change whose conditions are met.

        :param last: only add. Of two runs that want different facts for one
            host each might remove what the other one added, and none would
            be left to notice.
        """
        self._unmet, self._unmet_hosts, self._made = set(), set(), {}
        for change in changes:
            why = self._hindered(change, last)
            if why is not None:
                if change not in self.failed:
                    self.outcomes[change] = why
                self._leave(change)
                continue
            self._tried = True
            try:
                self._make(change)
            except RefusedError as e:
                self.outcomes[change] = str(e)
                self._strikes[change] = self._strikes.get(change, 0) + 1
                self._leave(change)
            else:
                self.outcomes[change] = DONE
            yield

    def _hindered(self, change: planning.Change, last: bool) -> str | None:
        """Why a change must not be tried now; None if it can be."""
        if self._strikes.get(change, 0) >= STRIKES:
            return self.outcomes[change]
        removes = change.action == planning.REMOVE_HOST
        if removes:
            if change.host in self._unmet_hosts:
                return 'left, as the host was not added to the other one'
        elif (change.aggregate, change.id or 0) in self._unmet:
            return 'left, for what was refused before'
        if last and (removes or change.action == planning.DELETE):
            return 'left, as someone else makes other changes; run it again'
        return None

    def _leave(self, change: planning.Change) -> None:
        """What rests on a change that wasn't made is not made either.

        A host that wasn't added isn't removed elsewhere. One that wasn't
        removed needs the facts of its aggregate as they are.
        """
        if change.action == planning.ADD_HOST:
            self._unmet_hosts.add(change.host)
        else:
            self._unmet.add((change.aggregate, change.id or 0))

    def _make(self, change: planning.Change) -> None:
        if change.action == planning.CREATE:
            self._made[change.aggregate] = self._api.create(change.aggregate)
            return
        aggregate_id = change.id
        if aggregate_id is None:
            aggregate_id = self._made[change.aggregate]
        self._api.change(aggregate_id, change)
        if change.host:
            self._touched.add(aggregate_id)

    def _refresh(
        self, aggregates: ty.List[content.Aggregate]
    ) -> ty.Iterator[None]:
        """Let the schedulers learn of the aggregates as they are now.

        nova tells them of an aggregate as the call that changed it had read
        it. Of two hosts that were added at once, one may be missing there
        until the next change. Setting what is set already is such a change.
        """
        for each in aggregates:
            if not each.owned or each.id not in self._touched:
                continue
            change = planning.Change(
                planning.SET,
                each.name,
                each.id,
                metadata=((content.MANAGED_BY, content.OWNER),),
            )
            # Someone else may have deleted it.
            with contextlib.suppress(RefusedError):
                self._api.change(each.id, change)
            yield
