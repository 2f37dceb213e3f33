# SPDX-License-Identifier: Apache-2.0

"""Aggregates that hold facts: what ours look like, and what all of them say.

Aggregates that aren't ours count as well, as they do in the scheduler: of
several values it takes the lowest.
"""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
import re
import typing as ty

from nova_xen_sched import facts
from nova_xen_sched import log
from nova_xen_sched import versions
from nova_xen_sched.facts import aggregate as source

MANAGED_BY = 'xen:managed_by'
OWNER = 'nova-xen-sched'
OBSERVED_AT = facts.BY_NAME['observed_at'].metadata_key
ZONE = 'availability_zone'

_NAME = re.compile('nova-xen-sched-[0-9a-f]{8}')
#: The facts in an aggregate of ours. They and MANAGED_BY are ours; all other
#: metadata is left alone.
BY_KEY: ty.Dict[str, facts.FactName] = {
    name.metadata_key: name for name in facts.NAMES
}

#: Facts as they stand in an aggregate's metadata.
Metadata = ty.Mapping[str, str]
#: By host the facts that it shall have; none where nothing is known.
ByHost = ty.Mapping[str, Metadata]
#: By key of the metadata, a value before and after; None if unknown.
Changed = ty.Dict[str, ty.Tuple[ty.Optional[str], ty.Optional[str]]]


@dataclasses.dataclass(frozen=True)
class Aggregate:
    """An aggregate as nova's API shows it.

    :ivar id: 0 of one that is not made yet; nova's begin with 1.
    """

    id: int
    name: str
    metadata: Metadata = dataclasses.field(default_factory=dict)
    hosts: ty.FrozenSet[str] = frozenset()

    @property
    def owned(self) -> bool:
        """Whether it is ours to change.

        One that has got an availability zone is not: its hosts are in that
        zone, and adding or removing one would move guests between zones.
        """
        return (
            _NAME.fullmatch(self.name) is not None
            and self.metadata.get(MANAGED_BY) == OWNER
            and ZONE not in self.metadata
        )

    @property
    def bare(self) -> bool:
        """Whether nothing of anyone is in it.

        nova makes an aggregate first and takes its metadata then: this is
        what is left of a run that was interrupted between the two.
        """
        return not self.metadata and not self.hosts


def metadata_of(raw: facts.Raw) -> dict[str, str]:
    """Facts as metadata, one text for each value.

    :param raw: what a source knows of a host.
    :raises ValueError: if a value can't be read.
    """
    return {
        name.metadata_key: _text(name.parse(raw[name.name]))
        for name in facts.NAMES
        if raw.get(name.name) is not None
    }


def _text(value: ty.Any) -> str:
    if isinstance(value, bool):
        return 'true' if value else 'false'
    if isinstance(value, tuple):
        return versions.show(value)
    if isinstance(value, datetime.datetime):
        # strftime() writes the year 1 as 1.
        return value.isoformat().replace('+00:00', 'Z')
    return str(value)


def name_of(metadata: Metadata) -> str:
    """The name of the aggregate for hosts with these facts.

    When they were observed does not count, or each host would need an
    aggregate of its own; whether that is known does, so that no host gets
    another's time.
    """
    counted = {
        key: '' if key == OBSERVED_AT else value
        for key, value in metadata.items()
    }
    text = json.dumps(counted, sort_keys=True)
    return '%s-%s' % (OWNER, hashlib.sha256(text.encode()).hexdigest()[:8])


def lower(key: str, value: str, other: str | None) -> str:
    """Of two values of a fact the one that promises less.

    :param other: counts only if the scheduler can read it.
    """
    name = BY_KEY[key]
    try:
        name.parse(other)
    except ValueError:
        return value
    return str(name.lowest([other, value]))


def facts_in(aggregates: ty.Iterable[Aggregate]) -> dict[str, str]:
    """A host's facts as the scheduler reads them of its aggregates."""
    return metadata_of(
        source.merge([source.read(each, log.Noticed()) for each in aggregates])
    )


def _by_host(
    aggregates: ty.Iterable[Aggregate],
) -> dict[str, list[Aggregate]]:
    found: dict[str, list[Aggregate]] = {}
    for aggregate in aggregates:
        for host in aggregate.hosts:
            found.setdefault(host, []).append(aggregate)
    return found


def published(aggregates: ty.Iterable[Aggregate]) -> dict[str, dict[str, str]]:
    """By host, the facts that aggregates of ours have of it."""
    owned = _by_host(each for each in aggregates if each.owned)
    return {host: facts_in(found) for host, found in owned.items()}


def differences(
    before: ty.Iterable[Aggregate], after: ty.Iterable[Aggregate]
) -> list[tuple[list[str], Changed]]:
    """What the scheduler reads otherwise after than before.

    :returns: hosts for which the same changes, and what changes for them.
    """
    then, now = _by_host(before), _by_host(after)
    found: dict[ty.Any, list[str]] = {}
    for host in sorted(then.keys() | now.keys()):
        old, new = facts_in(then.get(host, ())), facts_in(now.get(host, ()))
        changed = tuple(
            (key, (old.get(key), new.get(key)))
            for key in BY_KEY
            if old.get(key) != new.get(key)
        )
        if changed:
            found.setdefault(changed, []).append(host)
    return [(hosts, dict(changed)) for changed, hosts in found.items()]


def overrides(
    desired: ByHost, after: ty.Iterable[Aggregate]
) -> list[tuple[str, str, str, list[str]]]:
    """Where the scheduler reads another value than the one published.

    :returns: the host, the key, the lower value, and the names of the
        aggregates that aren't ours and have it.
    """
    now = _by_host(after)
    found = []
    for host, metadata in sorted(desired.items()):
        foreign = [each for each in now.get(host, ()) if not each.owned]
        in_force = facts_in(now[host]) if foreign else {}
        for key, value in in_force.items():
            if key == OBSERVED_AT or metadata.get(key, value) == value:
                continue
            names = [
                each.name
                for each in foreign
                if facts_in([each]).get(key) == value
            ]
            if names:
                found.append((host, key, value, names))
    return found


def others(
    known: ty.Collection[str], aggregates: ty.Iterable[Aggregate]
) -> list[str]:
    """The hosts in our aggregates but for those of which facts are known."""
    hosts = {host for each in aggregates if each.owned for host in each.hosts}
    return sorted(hosts.difference(known))
