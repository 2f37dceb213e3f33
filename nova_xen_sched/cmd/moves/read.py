# SPDX-License-Identifier: Apache-2.0

"""From the arguments of a command to a cloud for its plan."""

from __future__ import annotations

import argparse
import typing as ty

from nova_xen_sched.cmd import base
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd import nova
from nova_xen_sched.cmd import tables
from nova_xen_sched.nearest import nearest
from nova_xen_sched.planner.cloud import Cloud
from nova_xen_sched.planner.cloud import Guest
from nova_xen_sched.planner.cloud import Operation


class Planned(ty.NamedTuple):
    """What a command plans with.

    :ivar cloud: as nova-scheduler sees it.
    :ivar found: its Xen hosts and their guests.
    :ivar operations: how guests may be moved.
    :ivar allowed: which of them may be.
    """

    cloud: ty.Any
    found: ty.Any
    operations: ty.Tuple[Operation, ...]
    allowed: ty.Callable[[Guest], bool]


def read(command: base.Command, args: argparse.Namespace) -> Planned:
    """The cloud, and which guests may be moved.

    :raises errors.Failure: if nova's databases or placement are out of reach,
        or a server that is named is not on a Xen host.
    """
    cloud = nova.open_cloud(command.app.options)
    # It imports nova, whose configuration had to be loaded first.
    from nova_xen_sched.cmd.nova import guests

    operations: ty.Tuple[Operation, ...] = (Operation.LIVE, Operation.COLD)
    if args.live_only:
        operations = (Operation.LIVE,)
    found = guests.read(
        cloud,
        guests.Wanted(operations, args.shared_storage, args.include_locked),
    )
    command.say_missing(cloud.unreachable)
    excluded = _named(found.cloud, args.exclude)

    def allowed(guest: Guest) -> bool:
        return guest.uuid not in excluded

    return Planned(cloud, found, operations, allowed)


def _named(cloud: Cloud, names: ty.Sequence[str]) -> set[str]:
    """The UUIDs of the guests of these names or UUIDs."""
    excluded = set()
    for name in names:
        found = [g.uuid for g in cloud.guests if name in (g.uuid, g.name)]
        if not found:
            near = nearest(name, (each.name for each in cloud.guests))
            raise errors.Failure(
                'There is no server %s on a Xen host%s.'
                % (name, ' (nearest: %s)' % near if near else '')
            )
        excluded.update(found)
    return excluded


def host(found: ty.Any, name: str) -> str:
    """The name of a Xen host, in its own case.

    :param found: the guests.Guests.
    :raises errors.Failure: if there is none.
    """
    from nova_xen_sched.cmd.nova import xen_hosts

    hosts = xen_hosts.named(list(found.hosts.values()), [name])
    if len(hosts) > 1:
        raise errors.Failure(
            '%s matches more than one host: name one of %s.'
            % (name, tables.listed(each.name for each in hosts))
        )
    return str(hosts[0].name)
