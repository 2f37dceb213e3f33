# SPDX-License-Identifier: Apache-2.0

"""What has to change so that each host has its facts: no API in here.

The order of the changes is such that they can end after any of them:

1. aggregates are made, and get their metadata in one call, while they have no
   hosts. Facts of an aggregate that has hosts are only lowered yet.
2. hosts are added to the aggregates with their facts. A host is in the old
   and the new one then, and the scheduler takes the lowest value of both.
3. hosts are removed from the aggregates that they left.
4. facts are raised to what they shall be; that is observed_at, and what
   someone else edited.
5. aggregates that are empty are deleted.

So a host is never without its facts in between, and a value is never better
than both the old and the new one. A fact that is not known any more goes with
the old aggregate; of a host that an interrupted run left in two, the higher
of their values may show until it has left the second.
"""

from __future__ import annotations

import dataclasses
import typing as ty

from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd.facts import aggregates

CREATE = 'create'
SET = 'set'
ADD_HOST = 'add_host'
REMOVE_HOST = 'remove_host'
DELETE = 'delete'


@dataclasses.dataclass(frozen=True)
class Change:
    """One call of nova's API.

    :ivar id: of the aggregate; None where it is made in this plan. It makes
        no other change of it.
    :ivar metadata: what is set, None for a key that is removed.
    """

    action: str
    aggregate: str
    id: ty.Optional[int] = dataclasses.field(default=None, compare=False)
    host: str = ''
    metadata: ty.Tuple[ty.Tuple[str, ty.Optional[str]], ...] = ()


@dataclasses.dataclass(frozen=True)
class Plan:
    """What has to change, and what can't.

    :ivar changes: in the order in which they have to be made.
    :ivar blocked: by the name of an aggregate that isn't ours and stands in
        the way, the hosts whose facts need it; they are left as they are.
    :ivar kept: aggregates of ours that would be deleted, but for metadata in
        them that isn't ours.
    """

    changes: ty.List[Change]
    blocked: ty.Dict[str, ty.List[str]]
    kept: ty.List[str]


@dataclasses.dataclass
class Group:
    """Hosts with equal facts.

    :ivar name: of the aggregate that they are to be in.
    :ivar metadata: that it is to have; of several times the oldest.
    """

    name: str
    metadata: ty.Dict[str, str]
    hosts: ty.List[str]


def group_hosts(desired: aggregates.ByHost) -> list[Group]:
    """The hosts of which facts are known, those with equal facts together.

    :raises errors.Failure: where different facts have the same name.
    """
    groups: dict[str, Group] = {}
    for host, metadata in sorted(desired.items()):
        if not metadata:
            continue
        mine = {**metadata, aggregates.MANAGED_BY: aggregates.OWNER}
        name = aggregates.name_of(metadata)
        group = groups.setdefault(name, Group(name, mine, []))
        _lower(group.metadata, mine, aggregates.OBSERVED_AT)
        _lower(mine, group.metadata, aggregates.OBSERVED_AT)
        if mine != group.metadata:
            raise errors.Failure(
                'The facts of %s and %s have the same hash by accident: '
                'publish one of them by hand.' % (group.hosts[0], host)
            )
        group.hosts.append(host)
    return list(groups.values())


def _lower(
    metadata: dict[str, str], other: aggregates.Metadata, *keys: str
) -> None:
    """Take the lower value of two, where both are known."""
    for key in metadata.keys() & keys:
        metadata[key] = aggregates.lower(key, metadata[key], other.get(key))


def plan(
    desired: aggregates.ByHost,
    existing: ty.Iterable[aggregates.Aggregate],
    prune: bool = False,
    spared: ty.Collection[str] = (),
) -> Plan:
    """What has to change.

    :param desired: the facts of hosts, by nova's name.
    :param existing: all aggregates that nova has.
    :param prune: take all other hosts out of our aggregates.
    :param spared: hosts that are left as they are even then.
    :raises errors.Failure: where different facts have the same name.
    """
    existing = sorted(existing, key=lambda each: each.id)
    owned = [each for each in existing if each.owned]
    homes: list[tuple[Group, aggregates.Aggregate]] = []
    blocked = {}
    for group in group_hosts(desired):
        home = _home(group, existing)
        if home is None:
            blocked[group.name] = group.hosts
        else:
            homes.append((group, home))
    stay = {*spared, *(host for hosts in blocked.values() for host in hosts)}
    home_of = {host: home.id for group, home in homes for host in group.hosts}

    def leaves(host: str, aggregate: aggregates.Aggregate) -> bool:
        if host in stay:
            return False
        if host in desired:
            return home_of.get(host) != aggregate.id
        return prune

    leaving = {
        each.id: [host for host in sorted(each.hosts) if leaves(host, each)]
        for each in owned
    }
    made: ty.List[Change] = []
    added: ty.List[Change] = []
    raised: ty.List[Change] = []
    for group, home in homes:
        before = {key: home.metadata[key] for key in _our_keys(home)}
        goal = dict(group.metadata)
        if home.hosts.difference(group.hosts, leaving.get(home.id, ())):
            # Of these hosts nothing newer is known.
            _lower(goal, before, aggregates.OBSERVED_AT)
        lowered = dict(goal)
        _lower(lowered, before, *aggregates.BY_KEY)
        if not home.id:
            made.append(Change(CREATE, home.name))
        made += _set(home, before, lowered)
        raised += _set(home, lowered, goal)
        added += [
            Change(ADD_HOST, home.name, home.id or None, host)
            for host in group.hosts
            if host not in home.hosts
        ]
    removed = [
        Change(REMOVE_HOST, each.name, each.id, host)
        for each in owned
        for host in leaving[each.id]
    ]
    used = set(home_of.values())
    kept, deleted = [], []
    for each in owned:
        if each.id not in used and len(leaving[each.id]) == len(each.hosts):
            if _our_keys(each) == each.metadata.keys():
                deleted.append(Change(DELETE, each.name, each.id))
            else:
                kept.append(each.name)
    return Plan(made + added + removed + raised + deleted, blocked, kept)


def _home(
    group: Group, existing: list[aggregates.Aggregate]
) -> aggregates.Aggregate | None:
    """The aggregate for a group; None if another is in the way."""
    named = [each for each in existing if each.name == group.name]
    if not named:
        return aggregates.Aggregate(0, group.name)
    usable = [each for each in named if each.owned]
    usable += [each for each in named if each.bare]
    return usable[0] if usable else None


def _our_keys(aggregate: aggregates.Aggregate) -> set[str]:
    ours = {aggregates.MANAGED_BY, *aggregates.BY_KEY}
    return ours.intersection(aggregate.metadata)


def _set(
    home: aggregates.Aggregate,
    before: aggregates.Metadata,
    after: aggregates.Metadata,
) -> list[Change]:
    changed = tuple(
        (key, after.get(key))
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    )
    if not changed:
        return []
    return [Change(SET, home.name, home.id or None, metadata=changed)]


def applied(
    existing: ty.Iterable[aggregates.Aggregate], changes: ty.Iterable[Change]
) -> list[aggregates.Aggregate]:
    """The aggregates as they are after some changes.

    What is made gets an id that no other has.
    """
    now = {each.id: each for each in existing}
    made: dict[str, int] = {}
    for change in changes:
        name = change.aggregate
        if change.action == CREATE:
            made[name] = max(now, default=0) + 1
            now[made[name]] = aggregates.Aggregate(made[name], name)
            continue
        number = made[name] if change.id is None else change.id
        if change.action == DELETE:
            del now[number]
        else:
            now[number] = _changed(now[number], change)
    return list(now.values())


def _changed(
    aggregate: aggregates.Aggregate, change: Change
) -> aggregates.Aggregate:
    """An aggregate with a host more or less, or other metadata."""
    hosts = set(aggregate.hosts)
    if change.action == ADD_HOST:
        hosts.add(change.host)
    elif change.action == REMOVE_HOST:
        hosts.discard(change.host)
    metadata = {**aggregate.metadata, **dict(change.metadata)}
    return dataclasses.replace(
        aggregate,
        hosts=frozenset(hosts),
        metadata={
            key: value for key, value in metadata.items() if value is not None
        },
    )
