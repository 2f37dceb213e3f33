# SPDX-License-Identifier: Apache-2.0

"""Which host comes first, and what each weigher has to do with it."""

from __future__ import annotations

import math
import typing as ty

from nova import weights as nova_weights

from nova_xen_sched.cmd.explain.result import HostResult
from nova_xen_sched.cmd.explain.result import Share
from nova_xen_sched.cmd.nova import failures

#: Weights that differ by less are shown as equal: nova adds them up in
#: whatever order its hosts come, and so rounds now one way, now the other.
_ROUNDING = 1e-9


class _Recorded:
    """A weigher as nova uses it, of which it is kept what it says."""

    def __init__(self, weigher: ty.Any) -> None:
        self._weigher = weigher
        self.name = type(weigher).__name__
        self.raw: list[float] = []
        self.multipliers: list[float] = []

    def __getattr__(self, name: str) -> ty.Any:
        # minval and maxval
        return getattr(self._weigher, name)

    def weigh_objects(self, objs: ty.Any, properties: ty.Any) -> ty.Any:
        with failures.running('weigher ' + self.name):
            self.raw = list(self._weigher.weigh_objects(objs, properties))
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
) -> list[HostResult]:
    """Have nova weigh hosts.

    :param manager: a nova HostManager.
    :param states: the nova HostStates that the filters left.
    :param spec: a nova RequestSpec.
    :returns: in the order of their weight.
    :raises errors.Failure: if a weigher raises.
    """
    plain = manager.weighers
    manager.weighers = [_Recorded(weigher) for weigher in plain]
    try:
        found = manager.get_weighed_hosts(states, spec)
        by_weigher = [each.shares() for each in manager.weighers]
        by_weigher = [
            every for every in by_weigher if any(e.share for e in every)
        ]
    finally:
        manager.weighers = plain
    shares = dict(zip(map(id, states), zip(*by_weigher)))
    return ranked(
        HostResult(
            each.obj,
            weight=each.weight,
            shares=shares.get(id(each.obj), ()),
        )
        for each in found
    )


def ranked(hosts: ty.Iterable[HostResult]) -> list[HostResult]:
    """Hosts in the order of their weight, with their ranks."""
    found: list[HostResult] = []
    for place, each in enumerate(hosts, 1):
        each.rank = place
        if found and same(found[-1].weight, each.weight):
            each.rank = found[-1].rank
        found.append(each)
    return found


def same(one: float, other: float) -> bool:
    """Whether two weights differ by rounding at most."""
    return math.isclose(one, other, rel_tol=_ROUNDING, abs_tol=_ROUNDING)


def first_without(hosts: list[HostResult]) -> dict[str, list[HostResult]]:
    """Who would come first without one weigher, where that makes a difference.

    :returns: by the weigher's name, the hosts that would come first, by name,
        which are not those that do.
    """
    if not hosts:
        return {}
    first = [each for each in hosts if each.rank == 1]
    found: dict[str, list[HostResult]] = {}
    for number, share in enumerate(hosts[0].shares):
        rest = [each.weight - each.shares[number].share for each in hosts]
        best = max(rest)
        leaders = [h for h, left in zip(hosts, rest) if same(left, best)]
        if leaders != first:
            found[share.weigher] = sorted(leaders, key=lambda each: each.host)
    return found
