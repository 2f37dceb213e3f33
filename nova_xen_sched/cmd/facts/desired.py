# SPDX-License-Identifier: Apache-2.0

"""Which facts each of nova's hosts shall have.

They come from a facts file, from the hosts, or from what was published. To
them comes reserved_host_memory_mb as placement has it. A nova-compute writes
there what it reserves, and no other place has it as it is in force. So it
counts before whatever else is known of the host.
"""

from __future__ import annotations

import dataclasses
import typing as ty

from nova_xen_sched import facts
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd.facts import aggregates
from nova_xen_sched.cmd.progress import Progress
from nova_xen_sched.facts import parse_file

if ty.TYPE_CHECKING:
    from nova_xen_sched.cmd.facts import nova_api
    from nova_xen_sched.cmd.facts import read_hosts

RESERVED = facts.BY_NAME['reserved_host_memory_mb'].metadata_key


@dataclasses.dataclass(frozen=True)
class Desired:
    """What shall be.

    :ivar facts: by nova's name of the host, as metadata; empty where it is
        known that nothing is known.
    :ivar unknown: the names that nova doesn't know.
    :ivar spared: hosts of nova that are left as they are.
    """

    facts: ty.Dict[str, ty.Dict[str, str]]
    unknown: ty.List[str] = dataclasses.field(default_factory=list)
    spared: ty.FrozenSet[str] = frozenset()


def of_file(
    table: parse_file.Table, hosts: ty.Iterable[nova_api.Host]
) -> Desired:
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
            found[host.name] = aggregates.metadata_of(raw)
    return Desired(found, sorted(set(table.hosts) - names))


def of_hosts(
    results: ty.Iterable[read_hosts.Result],
    reported: ty.Mapping[str, facts.Raw],
    hosts: ty.Collection[nova_api.Host],
) -> Desired:
    """What hosts report of themselves.

    :param results: the hosts that were read.
    :param reported: by their names, their facts; without those that did not
        answer, or not in full, or run no Xen.
    :param hosts: all that nova has.
    """
    by_name = {host.name.lower(): host.name for host in hosts}
    # nova has libvirt's name of a host as its node's.
    by_node = {host.node.lower(): host.name for host in hosts}
    found: ty.Dict[str, ty.Dict[str, str]] = {}
    unknown = []
    spared = set()
    for each in results:
        name = each.name.lower()
        known = by_name.get(name)
        if known is None and each.nova_name is None:
            known = by_node.get(name)
        if known is None:
            unknown.append(each.name)
        elif each.name in reported:
            found[known] = aggregates.metadata_of(reported[each.name])
        else:
            spared.add(known)
    return Desired(found, sorted(unknown), frozenset(spared))


def of_published(
    published: aggregates.ByHost, hosts: ty.Iterable[nova_api.Host]
) -> Desired:
    """What was published of each Xen host, but for its reserve.

    :param published: by host, what our aggregates have.
    :param hosts: all that nova has.
    """
    return Desired(
        {
            host.name: {
                key: value
                for key, value in published.get(host.name, {}).items()
                if key != RESERVED
            }
            for host in hosts
            if host.xen
        }
    )


@dataclasses.dataclass
class Reserves:
    """reserved_host_memory_mb as placement has it.

    :ivar mb: by host, MiB, as text.
    :ivar lacking: the hosts of whose memory placement has nothing.
    :ivar unread: those of which it couldn't be asked, for the error.
    :ivar error: why not, in one line; None if it could be asked of all.
    """

    mb: ty.Dict[str, str] = dataclasses.field(default_factory=dict)
    lacking: ty.List[str] = dataclasses.field(default_factory=list)
    unread: ty.List[str] = dataclasses.field(default_factory=list)
    error: ty.Optional[str] = None


def read_reserves(
    cloud: nova_api.Nova, hosts: ty.List[nova_api.Host]
) -> Reserves:
    """Ask placement, one call a host."""
    found = Reserves()
    with Progress('Asking placement', len(hosts)) as progress:
        for number, host in enumerate(hosts):
            try:
                reserved_mb = cloud.reserved_mb(host)
            except errors.Failure as e:
                found.error = str(e)
                found.unread = [each.name for each in hosts[number:]]
                break
            if reserved_mb is None:
                found.lacking.append(host.name)
            else:
                found.mb[host.name] = str(reserved_mb)
            progress.step()
    return found


def with_reserves(
    desired: Desired, reserves: Reserves, published: aggregates.ByHost
) -> Desired:
    """The facts with the reserves.

    A host whose reserve placement doesn't have keeps the one that it shall
    have without placement, else the one that was published before.

    :param published: by host, what our aggregates have.
    """
    found = dict(desired.facts)
    for host in (*reserves.mb, *reserves.lacking, *reserves.unread):
        known = {**published.get(host, {}), **found[host]}
        reserved_mb = reserves.mb.get(host, known.get(RESERVED))
        if reserved_mb is not None:
            found[host] = {**found[host], RESERVED: reserved_mb}
    return dataclasses.replace(desired, facts=found)


def remarks(desired: Desired, reserves: Reserves) -> ty.Iterator[str]:
    """Where placement has something else, or nothing.

    :param desired: without the reserves.
    """
    others: ty.Dict[ty.Tuple[str, str], ty.List[str]] = {}
    for host, value in reserves.mb.items():
        other = desired.facts[host].get(RESERVED, value)
        if other != value:
            others.setdefault((other, value), []).append(host)
    for (other, value), hosts in sorted(others.items()):
        yield (
            '%s: %s is %s, as placement has it, and not %s, as was given.'
            % (tables.listed(hosts), RESERVED, value, other)
        )
    for why, hosts in (
        (reserves.error, reserves.unread),
        ('Placement has no inventory of MEMORY_MB:', reserves.lacking),
    ):
        if hosts:
            yield (
                '%s %s of %s stays as it was given, or else as it was '
                'published.' % (why, RESERVED, tables.listed(hosts))
            )
