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

from nova_xen_sched.cmd.facts import aggregates as content

CREATE = 'create'
SET = 'set'
ADD_HOST = 'add_host'
REMOVE_HOST = 'remove_host'
DELETE = 'delete'

#: By host the metadata that it shall have; none where nothing is known.
Wanted = ty.Mapping[str, content.Metadata]


class CollisionError(ValueError):
    """Different facts have the same name; says which hosts they are of."""


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
class _Group:
    """Hosts with equal facts, and the aggregate that they are to be in."""

    name: str
    metadata: ty.Dict[str, str]
    hosts: ty.List[str]
    home: ty.Optional[content.Aggregate] = None

    @property
    def id(self) -> int | None:
        return None if self.home is None else self.home.id


def plan(
    wanted: Wanted,
    aggregates: ty.Iterable[content.Aggregate],
    prune: bool = False,
    spared: ty.Collection[str] = (),
) -> Plan:
    """What has to change.

    :param wanted: the hosts that are told of, by nova's name.
    :param aggregates: all that nova has.
    :param prune: take all other hosts out of our aggregates.
    :param spared: hosts that are left as they are even then.
    :raises CollisionError: where two contents have the same name.
    """
    aggregates = sorted(aggregates, key=lambda each: each.id)
    owned = [each for each in aggregates if each.owned]
    groups, blocked = _groups(wanted, aggregates)
    left = {host for hosts in blocked.values() for host in hosts}
    home_of = {host: each.id for each in groups for host in each.hosts}

    def goes(host: str, aggregate: content.Aggregate) -> bool:
        if host in left or host in spared:
            return False
        if host in wanted:
            return home_of.get(host) != aggregate.id
        return prune

    leaving = {
        each.id: [host for host in sorted(each.hosts) if goes(host, each)]
        for each in owned
    }
    made: ty.List[Change] = []
    added: ty.List[Change] = []
    raised: ty.List[Change] = []
    for group in groups:
        before, lowered, goal = _metadata(group, wanted, leaving)
        if group.home is None:
            made.append(Change(CREATE, group.name))
        made += _set(group, before, lowered)
        raised += _set(group, lowered, goal)
        there = frozenset() if group.home is None else group.home.hosts
        added += [
            Change(ADD_HOST, group.name, group.id, host)
            for host in group.hosts
            if host not in there
        ]
    removed = [
        Change(REMOVE_HOST, each.name, each.id, host)
        for each in owned
        for host in leaving[each.id]
    ]
    homes = {group.id for group in groups}
    empty = [
        each
        for each in owned
        if each.id not in homes and len(leaving[each.id]) == len(each.hosts)
    ]
    kept = [each.name for each in empty if _foreign_keys(each)]
    deleted = [
        Change(DELETE, each.name, each.id)
        for each in empty
        if not _foreign_keys(each)
    ]
    return Plan(made + added + removed + raised + deleted, blocked, kept)


def _groups(
    wanted: Wanted, aggregates: list[content.Aggregate]
) -> tuple[list[_Group], dict[str, list[str]]]:
    """The groups of hosts with equal facts, and those that are blocked."""
    groups: dict[str, _Group] = {}
    for host in sorted(wanted):
        metadata = dict(wanted[host])
        if not metadata:
            continue
        name = content.name_of(metadata)
        group = groups.get(name)
        if group is None:
            groups[name] = _Group(name, metadata, [host])
            continue
        observed = metadata.pop(content.OBSERVED_AT, None)
        if observed is not None:
            oldest = group.metadata[content.OBSERVED_AT]
            metadata[content.OBSERVED_AT] = content.lowest(
                content.OBSERVED_AT, [oldest, observed]
            )
        if metadata.keys() != group.metadata.keys() or any(
            metadata[key] != group.metadata[key]
            for key in metadata
            if key != content.OBSERVED_AT
        ):
            raise CollisionError('%s and %s' % (group.hosts[0], host))
        group.metadata = metadata
        group.hosts.append(host)
    blocked = {}
    for group in groups.values():
        named = [each for each in aggregates if each.name == group.name]
        usable = [each for each in named if each.owned] or [
            each for each in named if each.bare
        ]
        if usable:
            group.home = usable[0]
        elif named:
            blocked[group.name] = group.hosts
    return [
        group for name, group in groups.items() if name not in blocked
    ], blocked


def _metadata(
    group: _Group, wanted: Wanted, leaving: ty.Mapping[int, list[str]]
) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """The metadata of a group's aggregate before, lowered, and as it shall be.

    Of metadata that isn't ours none of them has anything.
    """
    goal = dict(group.metadata)
    goal[content.MANAGED_BY] = content.OWNER
    if group.home is None:
        return {}, goal, goal
    before = {
        key: value
        for key, value in group.home.metadata.items()
        if key in content.BY_KEY or key == content.MANAGED_BY
    }
    observed = before.get(content.OBSERVED_AT)
    going = leaving.get(group.home.id, [])
    if (
        group.home.hosts.difference(group.hosts, going)
        and content.OBSERVED_AT in goal
        and observed is not None
        and content.readable(content.OBSERVED_AT, observed)
    ):
        # Of these hosts nothing newer is known.
        goal[content.OBSERVED_AT] = content.lowest(
            content.OBSERVED_AT, [goal[content.OBSERVED_AT], observed]
        )
    lowered = dict(goal)
    for key in goal:
        if key in content.BY_KEY and content.readable(key, before.get(key)):
            lowered[key] = content.lowest(key, [before[key], goal[key]])
    return before, lowered, goal


def _set(
    group: _Group, before: ty.Mapping[str, str], after: ty.Mapping[str, str]
) -> list[Change]:
    changed: dict[str, str | None] = {
        key: value for key, value in after.items() if before.get(key) != value
    }
    changed.update((key, None) for key in before if key not in after)
    if not changed:
        return []
    return [
        Change(
            SET,
            group.name,
            group.id,
            metadata=tuple(sorted(changed.items())),
        )
    ]


def _foreign_keys(aggregate: content.Aggregate) -> ty.FrozenSet[str]:
    return frozenset(
        key
        for key in aggregate.metadata
        if key not in content.BY_KEY and key != content.MANAGED_BY
    )


def applied(
    aggregates: ty.Iterable[content.Aggregate], changes: ty.Iterable[Change]
) -> list[content.Aggregate]:
    """The aggregates as they are after some changes.

    What is made gets an id that no other has.
    """
    now = {each.id: each for each in aggregates}
    made: dict[str, int] = {}
    for change in changes:
        if change.action == CREATE:
            made[change.aggregate] = max(now, default=0) + 1
            now[made[change.aggregate]] = content.Aggregate(
                made[change.aggregate], change.aggregate
            )
            continue
        key = made[change.aggregate] if change.id is None else change.id
        if change.action == DELETE:
            del now[key]
        else:
            now[key] = _changed(now[key], change)
    return list(now.values())


def _changed(
    aggregate: content.Aggregate, change: Change
) -> content.Aggregate:
    if change.action == ADD_HOST:
        return dataclasses.replace(
            aggregate, hosts=aggregate.hosts | {change.host}
        )
    if change.action == REMOVE_HOST:
        return dataclasses.replace(
            aggregate, hosts=aggregate.hosts - {change.host}
        )
    metadata = dict(aggregate.metadata)
    for key, value in change.metadata:
        if value is None:
            metadata.pop(key, None)
        else:
            metadata[key] = value
    return dataclasses.replace(aggregate, metadata=metadata)
