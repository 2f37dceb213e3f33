# SPDX-License-Identifier: Apache-2.0

"""What a simulation came to. Nothing here knows nova."""

from __future__ import annotations

import collections
import dataclasses
import typing as ty

from nova_xen_sched import dom0

if ty.TYPE_CHECKING:
    from nova_xen_sched.cmd import tables


class Cause(ty.NamedTuple):
    """Why a host is refused.

    :ivar step: placement, request, or the class of one of nova's filters.
    :ivar code: of XenHostFilter's or placement's reason; None if there is no
        code for it.
    :ivar name: of the resource class, trait, zone or project; '' if there is
        none.
    """

    step: str
    code: str | None
    name: str = ''


@dataclasses.dataclass(frozen=True)
class Refusal:
    """The first guest of a kind that finds no host; no later one does.

    :ivar guest: which one it is of all guests, from 1.
    :ivar kind: the index of its kind.
    :ivar causes: how many hosts are refused for each.
    """

    guest: int
    kind: int
    causes: ty.Counter[Cause]


@dataclasses.dataclass(frozen=True)
class HostChange:
    """A host before the guests and with them.

    :ivar guests: how many of them are there.
    :ivar before: its resources; none if it is no Xen host.
    :ivar after: likewise.
    :ivar full: resources that one more guest as the last would overcommit.
    """

    host: str
    guests: int
    before: tuple[dom0.Usage, ...]
    after: tuple[dom0.Usage, ...]
    full: tuple[dom0.Resource, ...] = ()

    @property
    def overcommitted(self) -> tuple[dom0.Resource, ...]:
        """The resources that the guests overcommit."""
        already = {e.resource for e in self.before if e.overcommitted}
        return tuple(
            each.resource
            for each in self.after
            if each.overcommitted and each.resource not in already
        )


@dataclasses.dataclass(frozen=True)
class Side:
    """What happens with one set of options.

    :ivar placed: the host of each guest, in order; None if it finds none.
    :ivar refusals: of each kind that was refused, the first.
    :ivar hosts: by name, those that guests were placed on.
    :ivar notes: what of the options bears on it: sentences.
    """

    placed: tuple[str | None, ...]
    refusals: tuple[Refusal, ...]
    hosts: ty.Mapping[str, HostChange]
    notes: tuple[str, ...] = ()

    @property
    def found(self) -> int:
        """How many guests find a host."""
        return sum(each is not None for each in self.placed)

    def overcommitted(self) -> dict[dom0.Resource, list[str]]:
        """The hosts of which the guests overcommit each resource."""
        return self._by_resource(lambda each: each.overcommitted)

    def full(self) -> dict[dom0.Resource, list[str]]:
        """The hosts of which no such guest fits any more into each."""
        return self._by_resource(lambda each: each.full)

    def _by_resource(
        self, of: ty.Callable[[HostChange], tuple[dom0.Resource, ...]]
    ) -> dict[dom0.Resource, list[str]]:
        found: dict[dom0.Resource, list[str]] = {}
        for resource in dom0.Resource:
            hosts = [e.host for e in self.hosts.values() if resource in of(e)]
            if hosts:
                found[resource] = sorted(hosts)
        return found


class Simulated(ty.NamedTuple):
    """All of it.

    :ivar kinds: of guests, and how many there are of each.
    :ivar now: with the options in force.
    :ivar set: with others; None if there are none.
    """

    kinds: ty.Sequence[ty.Tuple[tables.Structured, int]]
    now: Side
    set: ty.Optional[Side] = None

    @property
    def hosts(self) -> list[str]:
        """Those that change, by name."""
        changed = set(self.now.hosts)
        if self.set is not None:
            changed |= set(self.set.hosts)
        return sorted(changed)


def by_step(
    causes: ty.Counter[Cause],
) -> list[tuple[str, int, list[tuple[str, int]]]]:
    """Causes by step, those of the most hosts first.

    :returns: the step, how many hosts it refuses, and how many for each
        reason that has a name.
    """
    steps: ty.Counter[str] = collections.Counter()
    for cause, count in causes.items():
        steps[cause.step] += count
    return [
        (
            step,
            total,
            [
                (cause.name or cause.code or '', count)
                for cause, count in causes.most_common()
                if cause.step == step and (cause.name or cause.code)
            ],
        )
        for step, total in steps.most_common()
    ]
