# SPDX-License-Identifier: Apache-2.0

"""What a plan changes for each host: what the scheduler reads of aggregates.

Aggregates that aren't ours count as well, as they do in the scheduler: of
several values it takes the lowest.
"""

from __future__ import annotations

import typing as ty

from nova_xen_sched import log
from nova_xen_sched.cmd.facts import aggregates as content
from nova_xen_sched.cmd.facts import plan as planning
from nova_xen_sched.facts import aggregate as source

#: By key of the metadata: the value before and after, None if unknown.
Changed = ty.Dict[str, ty.Tuple[ty.Optional[str], ty.Optional[str]]]


class Difference(ty.NamedTuple):
    """What changes for some hosts alike."""

    hosts: ty.List[str]
    changed: Changed


class Override(ty.NamedTuple):
    """A fact that another aggregate states lower than it is published."""

    host: str
    key: str
    value: str
    aggregates: ty.List[str]


def _of_hosts(
    aggregates: ty.Iterable[content.Aggregate],
) -> dict[str, list[content.Aggregate]]:
    found: dict[str, list[content.Aggregate]] = {}
    for aggregate in aggregates:
        for host in aggregate.hosts:
            found.setdefault(host, []).append(aggregate)
    return found


def _seen(aggregates: ty.Iterable[content.Aggregate]) -> dict[str, str]:
    """A host's facts as the scheduler reads them of its aggregates."""
    return content.metadata_of(
        source.merge([source.read(each, log.Noticed()) for each in aggregates])
    )


def published(
    aggregates: ty.Iterable[content.Aggregate],
) -> dict[str, dict[str, str]]:
    """By host, the facts that aggregates of ours have of it."""
    owned = _of_hosts(each for each in aggregates if each.owned)
    return {host: _seen(found) for host, found in owned.items()}


def differences(
    before: ty.Iterable[content.Aggregate],
    after: ty.Iterable[content.Aggregate],
) -> list[Difference]:
    """What the scheduler reads otherwise after than before.

    Hosts for which the same changes are together.
    """
    then, now = _of_hosts(before), _of_hosts(after)
    found: dict[tuple[tuple[str, str | None, str | None], ...], list[str]]
    found = {}
    for host in sorted(then.keys() | now.keys()):
        old, new = _seen(then.get(host, ())), _seen(now.get(host, ()))
        changed = tuple(
            (key, old.get(key), new.get(key))
            for key in content.BY_KEY
            if old.get(key) != new.get(key)
        )
        if changed:
            found.setdefault(changed, []).append(host)
    return [
        Difference(hosts, {key: (old, new) for key, old, new in changed})
        for changed, hosts in found.items()
    ]


def overrides(
    wanted: planning.Wanted, after: ty.Iterable[content.Aggregate]
) -> list[Override]:
    """Where the scheduler reads another value than the one published."""
    now = _of_hosts(after)
    found = []
    for host, metadata in sorted(wanted.items()):
        foreign = [each for each in now.get(host, ()) if not each.owned]
        if not foreign:
            continue
        seen = _seen(now[host])
        for key, value in metadata.items():
            if key == content.OBSERVED_AT or seen.get(key) == value:
                continue
            found.append(
                Override(
                    host, key, seen[key], _stating(foreign, key, seen[key])
                )
            )
    return [each for each in found if each.aggregates]


def _stating(
    aggregates: ty.Iterable[content.Aggregate], key: str, value: str
) -> list[str]:
    return [
        each.name for each in aggregates if _seen([each]).get(key) == value
    ]


def others(
    told: ty.Collection[str],
    aggregates: ty.Iterable[content.Aggregate],
) -> list[str]:
    """The hosts in our aggregates that nothing is told of."""
    return sorted(
        {
            host
            for each in aggregates
            if each.owned
            for host in each.hosts
            if host not in told
        }
    )
