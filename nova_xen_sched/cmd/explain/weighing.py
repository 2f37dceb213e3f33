# SPDX-License-Identifier: Apache-2.0

"""Which host comes first, and what each weigher has to do with it."""

from __future__ import annotations

import dataclasses
import math
import typing as ty

from nova import weights as nova_weights

from nova_xen_sched.cmd import errors

#: Weights that differ by less are shown as equal: nova adds them up in
#: whatever order its hosts come, and so rounds now one way, now the other.
_ROUNDING = 1e-9


@dataclasses.dataclass(frozen=True)
class Share:
    """What one weigher says of one host.

    :ivar weigher: its class name.
    :ivar raw: the weigher's own figure.
    :ivar normalised: nova's, of the raw ones of all hosts left.
    :ivar multiplier: the weigher's, for this host.
    :ivar share: what it adds to the host's weight.
    """

    weigher: str
    raw: float
    normalised: float
    multiplier: float

    @property
    def share(self) -> float:
        return self.multiplier * self.normalised


@dataclasses.dataclass(frozen=True)
class Weighed:
    """One host that is left, and its weight.

    :ivar state: its nova HostState.
    :ivar rank: from 1; equal weights have equal ranks.
    :ivar weight: nova's sum.
    :ivar shares: of each weigher, in nova's order; none if nova did not
        weigh, for want of a second host.
    """

    state: ty.Any
    rank: int
    weight: float
    shares: tuple[Share, ...]


class _Watched:
    """A weigher as nova uses it, which notes what it says."""

    def __init__(self, weigher: ty.Any) -> None:
        self._weigher = weigher
        self.name = type(weigher).__name__
        self.raw: list[float] = []
        self.multipliers: list[float] = []

    @property
    def minval(self) -> float | None:
        found: float | None = self._weigher.minval
        return found

    @property
    def maxval(self) -> float | None:
        found: float | None = self._weigher.maxval
        return found

    def weigh_objects(self, objs: ty.Any, properties: ty.Any) -> ty.Any:
        try:
            self.raw = list(self._weigher.weigh_objects(objs, properties))
        except Exception as e:
            raise errors.Failure(
                'The weigher %s fails with %s: %s. nova-scheduler would fail '
                'as well, and put the server into ERROR.'
                % (self.name, type(e).__name__, errors.one_line(e))
            ) from e
        return self.raw

    def weight_multiplier(self, state: ty.Any) -> float:
        found: float = self._weigher.weight_multiplier(state)
        self.multipliers.append(found)
        return found

    def shares(self) -> list[Share]:
        normalised = nova_weights.normalize(
            self.raw, minval=self.minval, maxval=self.maxval
        )
        return [
            Share(self.name, *map(float, figures))
            for figures in zip(self.raw, normalised, self.multipliers)
        ]


def weighed(
    manager: ty.Any, states: list[ty.Any], spec: ty.Any
) -> list[Weighed]:
    """Have nova weigh hosts.

    :param manager: a nova HostManager.
    :param states: the nova HostStates that the filters left.
    :param spec: a nova RequestSpec.
    :returns: in the order of their weight.
    :raises errors.Failure: if a weigher raises.
    """
    watched = [_Watched(weigher) for weigher in manager.weighers]
    plain, manager.weighers = manager.weighers, watched
    try:
        found = manager.get_weighed_hosts(states, spec)
    finally:
        manager.weighers = plain
    shares: dict[int, tuple[Share, ...]] = {}
    if len(states) > 1:
        columns = [each.shares() for each in watched]
        shares = {
            id(state): of_host for state, of_host in zip(states, zip(*columns))
        }
    ranked: list[Weighed] = []
    for place, each in enumerate(found, 1):
        rank = place
        if ranked and same(ranked[-1].weight, each.weight):
            rank = ranked[-1].rank
        ranked.append(
            Weighed(each.obj, rank, each.weight, shares.get(id(each.obj), ()))
        )
    return ranked


def same(one: float, other: float) -> bool:
    """Whether two weights differ by rounding at most."""
    return math.isclose(one, other, rel_tol=_ROUNDING, abs_tol=_ROUNDING)


def first_without(hosts: list[Weighed]) -> dict[str, list[Weighed]]:
    """Who would come first without one weigher, where that makes a difference.

    :returns: by the weigher's name, the hosts that would come first, which
        are not those that do.
    """
    if not hosts:
        return {}
    first = [each for each in hosts if each.rank == 1]
    found: dict[str, list[Weighed]] = {}
    for number, share in enumerate(hosts[0].shares):
        rest = [each.weight - each.shares[number].share for each in hosts]
        best = max(rest)
        leaders = [h for h, left in zip(hosts, rest) if same(left, best)]
        if leaders != first:
            found[share.weigher] = leaders
    return found
