# SPDX-License-Identifier: Apache-2.0

"""A plan as it is printed: its moves with their effects, and its totals."""

from __future__ import annotations

import datetime
import hashlib
import json
import shlex
import typing as ty

from nova_xen_sched import dom0
from nova_xen_sched.cmd import tables
from nova_xen_sched.planner.cloud import Cloud
from nova_xen_sched.planner.cloud import Move
from nova_xen_sched.planner.cloud import Operation
from nova_xen_sched.planner.state import State

#: From 2.30 nova asks its filters of a host that is named, and from 2.56 of
#: that of a cold migration. Neither forces.
_LIVE = (
    'openstack --os-compute-api-version 2.30 server migrate '
    '--live-migration --host {host} --wait {uuid}'
)
_COLD = (
    'openstack --os-compute-api-version 2.56 server migrate --host {host} '
    '--wait {uuid} && openstack server resize confirm {uuid}'
)


class Step(ty.NamedTuple):
    """A move, and what it does to the headroom of both hosts.

    :ivar resource: the scarcest of the host that the guest leaves.
    :ivar source: its headroom before and after; of the destination likewise.
    """

    move: Move
    resource: dom0.Resource
    source: ty.Tuple[float, float]
    target: ty.Tuple[float, float]


def steps(cloud: Cloud, moves: ty.Iterable[Move]) -> list[Step]:
    """The moves one after the other."""
    state, found = State(cloud), []
    for move in moves:
        usage = dom0.scarcest(
            dom0.resources(cloud.model, state.loads[move.source])
        )
        hosts = move.source, move.target
        before = [state.headroom(host) for host in hosts]
        state.make(move)
        after = [state.headroom(host) for host in hosts]
        source, target = zip(before, after)
        found.append(Step(move, usage.resource, source, target))
    return found


def overcommitted(state: State) -> list[str]:
    """The hosts whose dom0 is overcommitted."""
    return sorted(filter(state.overcommitted, state.loads))


def command(move: Move, host: str) -> str:
    """What carries a move out, and waits for its end but for paused guests.

    :param host: of the nova-compute of the destination.
    """
    text = _LIVE if move.operation is Operation.LIVE else _COLD
    if move.guest.paused:
        # openstack waits until a server is active, which this one never is.
        text = text.replace(' --wait', '')
    return text.format(host=shlex.quote(host), uuid=move.guest.uuid)


def rows(found: ty.Any, moves: ty.Iterable[Move]) -> list[tuple[ty.Any, ...]]:
    """The rows of moves, one after the other.

    :param found: the guests.Guests.
    """
    return [
        # A host's name has its node's in it where that is another.
        row(each, str(found.hosts[each.move.target].state.host))
        for each in steps(found.cloud, moves)
    ]


def row(step: Step, host: str) -> tuple[ty.Any, ...]:
    """The row of a move, in the order of fields.COLUMNS.

    :param host: of the nova-compute of the destination.
    """
    guest = step.move.guest
    return (
        guest.name,
        guest.uuid,
        step.move.source,
        step.move.target,
        str(step.move.operation),
        tables.Structured(
            str(step.resource), str(step.resource).replace('_', ' ')
        ),
        _headroom(*step.source),
        _headroom(*step.target),
        tables.Cell(guest.memory_mb, '%d MiB' % guest.memory_mb),
        command(step.move, host),
    )


def _headroom(before: float, after: float) -> tables.Structured:
    return tables.Structured(
        {'before': round(before, 4), 'after': round(after, 4)},
        '%.0f -> %.0f %%' % (before * 100, after * 100),
        bad=after < 0,
        order=after,
    )


def outcome(
    cloud: Cloud,
    flags: ty.Mapping[str, bool],
    before: ty.Sequence[str],
    after: State,
    stays: ty.Any,
) -> dict[str, ty.Any]:
    """What is said of all moves together.

    :param flags: by the names of fields.FLAGS, those that were given.
    :param before: the hosts whose dom0 is overcommitted now.
    :param after: the cloud with the moves made.
    :param stays: which guests stay and why, by the command's own rows.
    """
    now = datetime.datetime.now(datetime.timezone.utc)
    return {
        'made_at': now.strftime('%Y-%m-%dT%H:%M:%SZ'),
        'digest': digest(cloud),
        'flags': flags,
        'moves': len(after.moves),
        'live': sum(m.operation is Operation.LIVE for m in after.moves),
        'ram_mb': sum(m.guest.memory_mb for m in after.moves),
        'overcommitted_before': list(before),
        'overcommitted_after': overcommitted(after),
        'stays': stays,
    }


def digest(cloud: Cloud, sources: ty.Mapping[str, str] | None = None) -> str:
    """A digest of what a plan is made of: hosts, guests, and where they are.

    What hosts serve is left out, as it follows from their guests, later; and
    so are sentences, as another version may have others.

    :param sources: by the UUIDs of guests that the plan itself has moved
        since, where they were.
    """
    sources = sources or {}
    whole = [
        cloud.model,
        [
            [name, host.version, load.memory_mb]
            + [load.dom0_memory_mb, load.dom0_vcpus]
            for name, host in sorted(cloud.hosts.items())
            for load in [host.load]
        ],
        sorted(
            [
                each.uuid,
                sources.get(each.uuid, each.host),
                each.mode,
                each.memory_mb,
                each.vcpus,
                sorted(each.refused),
            ]
            for each in cloud.guests
        ),
    ]
    text = json.dumps(whole, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
