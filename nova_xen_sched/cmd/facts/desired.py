# SPDX-License-Identifier: Apache-2.0

"""Which facts each of nova's hosts shall have."""

from __future__ import annotations

import dataclasses
import typing as ty

from nova_xen_sched import facts
from nova_xen_sched.cmd.facts import aggregates as content
from nova_xen_sched.facts import parse_file as tables

if ty.TYPE_CHECKING:
    from nova_xen_sched.cmd.facts import nova_api as api


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What shall be.

    :ivar facts: by nova's name of the host, as metadata; empty where it is
        said that nothing is known.
    :ivar unknown: the names that nova doesn't know.
    :ivar spared: hosts of nova that are left as they are.
    """

    facts: ty.Dict[str, ty.Dict[str, str]]
    unknown: ty.List[str]
    spared: ty.FrozenSet[str] = frozenset()


class Stated(ty.NamedTuple):
    """What one host says of itself.

    :ivar name: of the host.
    :ivar by_nova: whether the name is nova's; else it is libvirt's.
    :ivar raw: its facts; none where it did not answer, or runs no Xen.
    """

    name: str
    by_nova: bool
    raw: facts.Raw


def of_file(table: tables.Table, hosts: ty.Iterable[api.Host]) -> Wanted:
    """What a facts file says, as the scheduler would read it from there.

    That is of every Xen host, by name, by pattern and by default; and of
    others that it names.

    :param hosts: all that nova has.
    """
    found = {}
    names = set()
    for host in hosts:
        own = {host.name.lower(), host.node.lower()}
        names |= own
        raw = table.of(host.name, host.node)
        # An empty entry is one, too: it says that nothing is known.
        if not own.isdisjoint(table.hosts) or (host.xen and raw):
            found[host.name] = content.metadata_of(raw)
    return Wanted(found, sorted(set(table.hosts) - names))


def of_hosts(
    stated: ty.Iterable[Stated], hosts: ty.Iterable[api.Host]
) -> Wanted:
    """What hosts say of themselves.

    :param hosts: all that nova has.
    """
    hosts = list(hosts)
    by_name = {host.name.lower(): host.name for host in hosts}
    by_node = {host.node.lower(): host.name for host in hosts}
    found: ty.Dict[str, ty.Dict[str, str]] = {}
    unknown = []
    spared = set()
    for each in stated:
        name = each.name.lower()
        known = by_name.get(name)
        if known is None and not each.by_nova:
            # nova has libvirt's name of the host as its node's.
            known = by_node.get(name)
        if known is None:
            unknown.append(each.name)
        elif each.raw:
            found[known] = content.metadata_of(each.raw)
        else:
            spared.add(known)
    return Wanted(found, sorted(unknown), frozenset(spared))


def of_published(
    published: ty.Mapping[str, content.Metadata], hosts: ty.Iterable[api.Host]
) -> Wanted:
    """What was published of each Xen host, so that some of it can change.

    :param published: by host, what our aggregates have.
    :param hosts: all that nova has.
    """
    return Wanted(
        {
            host.name: dict(published.get(host.name, {}))
            for host in hosts
            if host.xen
        },
        [],
    )
