# SPDX-License-Identifier: Apache-2.0

"""What explain finds: every host, and how it fared.

Nothing of nova is needed to know what there is.
"""

from __future__ import annotations

import dataclasses
import itertools
import typing as ty

from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd.nova.causes import Cause
from nova_xen_sched.cmd.nova.causes import Found

if ty.TYPE_CHECKING:
    from nova_xen_sched.cmd.nova import filtering


@dataclasses.dataclass(frozen=True)
class Share:
    """What one weigher says of one host.

    :ivar weigher: its class name.
    :ivar raw: the weigher's own figure.
    :ivar normalised: nova's, of the raw ones of all hosts left.
    :ivar multiplier: the weigher's, for this host.
    """

    weigher: str
    raw: float
    normalised: float
    multiplier: float

    @property
    def share(self) -> float:
        """What it adds to the host's weight."""
        return self.multiplier * self.normalised


@dataclasses.dataclass(frozen=True)
class Reason:
    """One reason of XenHostFilter against a host.

    :ivar code: the refusal code.
    :ivar reason: a clause that names the values.
    :ivar remedy: what can be done.
    :ivar report_only: whether it is only reported, so that it doesn't count.
    """

    code: str
    reason: str
    remedy: str
    report_only: bool

    def __str__(self) -> str:
        return self.code + (' (report_only)' if self.report_only else '')


@dataclasses.dataclass(eq=False)
class HostResult:
    """How one host fared: a step refused it, or it has a rank.

    :ivar state: its nova HostState.
    :ivar step: the first step that refused it, None if none did.
    :ivar reasons: all of XenHostFilter's, if the host got that far.
    :ivar rank: from 1; equal weights have equal ranks. None if refused.
    :ivar weight: nova's sum.
    :ivar shares: of each weigher that gives any host one, in nova's order;
        none if nova did not weigh, for want of a second host.
    :ivar causes: why that step did, as far as it can be named; XenHostFilter
        has reasons instead.
    :ivar free: by resource class of the causes, how much the host has free.
    :ivar sorted_out: whether XenHostFilter says that the guest is for hosts of
        another kind, whatever step refused this one.
    """

    state: ty.Any
    step: filtering.Step | None = None
    reasons: tuple[Reason, ...] = ()
    rank: int | None = None
    weight: float = 0.0
    shares: tuple[Share, ...] = ()
    causes: tuple[Cause, ...] = ()
    free: ty.Mapping[str, int] = dataclasses.field(default_factory=dict)
    sorted_out: bool = False

    @property
    def host(self) -> str:
        """Its name."""
        return str(self.state.host)

    @property
    def deciding(self) -> list[Reason]:
        """XenHostFilter's reason that refused it, if it did."""
        # What is only reported doesn't decide.
        return [each for each in self.reasons if not each.report_only][:1]

    @property
    def why(self) -> str:
        """Why the step refused it; a clause."""
        if not self.causes:
            return self.step.why if self.step else ''
        return Found(self.causes, self.free).why


class Shortage(ty.NamedTuple):
    """Hosts that one cause leaves out, and who comes nearest.

    :ivar hosts: all of them.
    :ivar free: the most of the cause's resource that any of them has free; of
        those that the guest is for, if there are any.
    :ivar host: the one that has so much; '' if none has any.
    """

    hosts: list[HostResult]
    free: int = 0
    host: str = ''


def by_cause(hosts: ty.Iterable[HostResult]) -> dict[Cause, Shortage]:
    """Hosts by each cause that leaves them out; the most frequent first."""
    found: dict[Cause, list[HostResult]] = {}
    for each in hosts:
        for cause in each.causes:
            found.setdefault(cause, []).append(each)
    shortages = {}
    for cause, out in sorted(found.items(), key=lambda one: -len(one[1])):
        name = cause.name or ''
        fit = [each for each in out if not each.sorted_out]
        most = max(fit or out, key=lambda each: each.free.get(name, 0))
        free = most.free.get(name, 0)
        shortages[cause] = Shortage(out, free, most.host if free else '')
    return shortages


@dataclasses.dataclass
class Result:
    """What would happen to a request.

    :ivar weighed: the hosts that can take it, in the order of their weight.
    :ivar refused: all others, in the order of the steps, by name.
    :ivar first_without: by weigher, who would come first without it.
    :ivar notes: what else bears on the outcome.
    :ivar partial: what could not be read; sentences.
    :ivar nova_refuses: why nova refuses the operation, whatever the hosts.
    """

    weighed: list[HostResult]
    refused: list[HostResult]
    first_without: dict[str, list[HostResult]]
    notes: list[tables.Coded]
    partial: list[str] = dataclasses.field(default_factory=list)
    nova_refuses: list[tables.Coded] = dataclasses.field(default_factory=list)

    @property
    def first(self) -> list[HostResult]:
        """Who comes first; more than one if their weights are equal."""
        return [each for each in self.weighed if each.rank == 1]

    @property
    def hosts(self) -> list[HostResult]:
        """All hosts."""
        return self.weighed + self.refused

    def weighers_against(self, host: HostResult) -> list[str]:
        """The weighers without each of which a host would come first."""
        return [
            name for name, hosts in self.first_without.items() if host in hosts
        ]

    def by_step(self) -> list[tuple[filtering.Step, list[HostResult]]]:
        """The hosts that each step refused."""
        return [
            (step, list(hosts))
            for step, hosts in itertools.groupby(
                self.refused, lambda each: each.step
            )
            if step is not None
        ]

    def outcome(self, host: HostResult) -> str:
        """How a host fared, in a word."""
        if host.rank is None:
            return 'refused'
        if host.rank > 1:
            return 'weighed'
        return 'first' if len(self.first) == 1 else 'tied'
