# SPDX-License-Identifier: Apache-2.0

"""What explain finds: every host, and how it fared; as rows for programs.

Nothing of nova is needed to know what there is.
"""

from __future__ import annotations

import dataclasses
import typing as ty

from nova_xen_sched import dom0
from nova_xen_sched.cmd import tables

if ty.TYPE_CHECKING:
    from nova_xen_sched.cmd.nova import filtering

#: What each column has. Stable: columns are added, never renamed.
COLUMNS = {
    'rank': tables.Column(
        'Rank',
        'place by weight from 1, equal weights have equal ranks; none if '
        'refused',
    ),
    'host': tables.Column('Host', 'its name'),
    'result': tables.Column(
        'Result', 'first, tied (first with others), weighed, or refused'
    ),
    'weight': tables.Column('Weight', "nova's sum of the shares"),
    'step': tables.Column(
        'Refused by',
        'the first step that refused it: placement, cell, request (hosts '
        'that the request itself names or rules out), a filter, or conductor '
        '(whom it passes over behind the scheduler)',
    ),
    'why': tables.Column('Why', 'what that step is for'),
    'reasons': tables.Column(
        'Reasons',
        "all of XenHostFilter's: code, reason, remedy, report_only",
    ),
    'shares': tables.Column(
        'Shares', 'of each weigher: raw, normalised, multiplier, share'
    ),
    'first_without': tables.Column(
        'First without',
        'weighers without each of which it would come first',
    ),
    'rooms': tables.Column(
        'Resources',
        'of a Xen host once the guest is there: room, capacity, used, unit, '
        'headroom, source (computed, or reported by Xen)',
    ),
    'nova_refuses': tables.Column(
        'nova refuses',
        'why nova refuses the operation before it asks its scheduler; the '
        'other columns are as if it did not',
    ),
}


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
    :ivar shares: of each weigher, in nova's order; none if nova did not
        weigh, for want of a second host.
    """

    state: ty.Any
    step: filtering.Step | None = None
    reasons: tuple[Reason, ...] = ()
    rank: int | None = None
    weight: float = 0.0
    shares: tuple[Share, ...] = ()

    @property
    def host(self) -> str:
        """Its name."""
        return str(self.state.host)


@dataclasses.dataclass
class Result:
    """What would happen to a request.

    :ivar weighed: the hosts that can take it, in the order of their weight.
    :ivar refused: all others, in the order of the steps, by name.
    :ivar first_without: by weigher, who would come first without it.
    :ivar notes: what else bears on the outcome; sentences.
    :ivar partial: what could not be read; sentences.
    :ivar nova_refuses: why nova refuses the operation, whatever the hosts;
        sentences.
    """

    weighed: list[HostResult]
    refused: list[HostResult]
    first_without: dict[str, list[HostResult]]
    notes: list[str]
    partial: list[str] = dataclasses.field(default_factory=list)
    nova_refuses: list[str] = dataclasses.field(default_factory=list)

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

    def outcome(self, host: HostResult) -> str:
        """How a host fared, in a word."""
        if host.rank is None:
            return 'refused'
        if host.rank > 1:
            return 'weighed'
        return 'first' if len(self.first) == 1 else 'tied'


def row(
    result: Result, host: HostResult, resources: ty.Sequence[dom0.Usage]
) -> tuple[ty.Any, ...]:
    """One host.

    :param resources: those of a Xen host once the guest is placed, else none.
    """
    step = host.step
    return (
        tables.Cell(host.rank),
        host.host,
        result.outcome(host),
        tables.Cell(None if host.rank is None else host.weight),
        tables.Cell(step.name if step else None),
        tables.Cell((step and step.why) or None),
        tables.Structured(
            [dataclasses.asdict(each) for each in host.reasons],
            '; '.join(map(str, host.reasons)),
        ),
        tables.Structured(
            {
                each.weigher: {
                    name: getattr(each, name)
                    for name in ('raw', 'normalised', 'multiplier', 'share')
                }
                for each in host.shares
            },
            '; '.join(
                '%s %.6g' % (each.weigher, each.share) for each in host.shares
            ),
        ),
        tables.Structured(
            result.weighers_against(host),
            '; '.join(result.weighers_against(host)),
        ),
        tables.Structured(
            [
                {
                    'room': str(each.resource),
                    'capacity': each.capacity,
                    'used': each.used,
                    'unit': each.resource.unit,
                    'headroom': each.headroom,
                    'source': each.source,
                }
                for each in resources
            ],
            '; '.join(
                '%s %.0f %% (%s)'
                % (each.resource, 100 * each.headroom, each.source)
                for each in resources
            ),
        ),
        tables.Structured(result.nova_refuses, ' '.join(result.nova_refuses)),
    )
