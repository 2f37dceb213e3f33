# SPDX-License-Identifier: Apache-2.0

"""reserved_host_memory_mb as placement has it, put to a host's facts.

A nova-compute writes to placement what it reserves: no other place has it as
it is in force. So it counts before whatever is told of the host.
"""

from __future__ import annotations

import dataclasses
import typing as ty

from nova_xen_sched import facts
from nova_xen_sched.cmd.facts import aggregates as content
from nova_xen_sched.cmd.facts import apply
from nova_xen_sched.cmd.facts import desired as wanting

if ty.TYPE_CHECKING:
    from nova_xen_sched.cmd.facts import nova_api as api

KEY = facts.BY_NAME['reserved_host_memory_mb'].metadata_key


@dataclasses.dataclass
class Reserves:
    """What placement has.

    :ivar mb: by host, MiB.
    :ivar lacking: the hosts of whose memory placement has nothing.
    :ivar unread: those that it wasn't asked of, for the error.
    :ivar error: why not, in one line; None if it could be asked of all.
    """

    mb: ty.Dict[str, int] = dataclasses.field(default_factory=dict)
    lacking: ty.List[str] = dataclasses.field(default_factory=list)
    unread: ty.List[str] = dataclasses.field(default_factory=list)
    error: ty.Optional[str] = None


def read(
    cloud: api.Nova, hosts: ty.List[api.Host], step: ty.Callable[[], None]
) -> Reserves:
    """Ask placement, one call a host.

    :param step: called after each.
    """
    found = Reserves()
    for number, host in enumerate(hosts):
        try:
            reserved_mb = cloud.reserved_mb(host)
        except apply.StoppedError as e:
            found.error = str(e)
            found.unread = [each.name for each in hosts[number:]]
            break
        if reserved_mb is None:
            found.lacking.append(host.name)
        else:
            found.mb[host.name] = reserved_mb
        step()
    return found


def put(
    wanted: wanting.Wanted,
    found: Reserves,
    published: ty.Mapping[str, content.Metadata],
) -> ty.Tuple[wanting.Wanted, ty.Dict[ty.Tuple[str, str], ty.List[str]]]:
    """The facts with the reserves.

    A host of which placement doesn't tell keeps what is told of it, else what
    was published before.

    :param published: by host, what our aggregates have.
    :returns: the facts; and the hosts of which something else is told, by
        what that is and what placement has.
    """
    told = wanted.facts
    reserved = {host: str(mb) for host, mb in found.mb.items()}
    others: ty.Dict[ty.Tuple[str, str], ty.List[str]] = {}
    for host, value in reserved.items():
        other = told[host].get(KEY, value)
        if other != value:
            others.setdefault((other, value), []).append(host)
    for host in (*found.lacking, *found.unread):
        known = {**published.get(host, {}), **told[host]}
        if KEY in known:
            reserved[host] = known[KEY]
    return dataclasses.replace(
        wanted,
        facts={
            host: {**metadata, KEY: reserved[host]}
            if host in reserved
            else metadata
            for host, metadata in told.items()
        },
    ), others
