# SPDX-License-Identifier: Apache-2.0

"""Hosts, their guests, and moves of these: what plans are made of."""

from __future__ import annotations

import enum
import typing as ty

from nova_xen_sched import dom0

#: Of placement's providers, by UUID and resource class: amounts.
Amounts = ty.Mapping[str, ty.Mapping[str, float]]


class Operation(str, enum.Enum):
    """How a guest is moved."""

    #: It runs on.
    LIVE = 'live'
    #: It is shut down, copied and started, and the move is confirmed.
    COLD = 'cold'
    #: Its host has failed: it is started anew elsewhere.
    EVACUATE = 'evacuate'

    def __str__(self) -> str:
        return self.value


class Group(ty.NamedTuple):
    """A server group that nova enforces.

    :ivar most: how many members may be on one host; None if they have to be
        together.
    """

    uuid: str
    most: ty.Optional[int]


class Host(ty.NamedTuple):
    """A Xen host.

    :ivar load: what it serves now.
    :ivar version: of its hypervisor, as nova has it: 4014000.
    """

    name: str
    load: dom0.Load
    version: int = 0


class Destinations(ty.NamedTuple):
    """Where guests whose requests are alike may go, as nova judges now.

    :ivar ways: by host, what placement would book for one, in one of these
        ways; those of hosts that are full now among them.
    :ivar refused: by host, why nova refuses it.
    """

    ways: ty.Mapping[str, ty.Sequence[Amounts]]
    refused: ty.Mapping[str, str]


class Guest(ty.NamedTuple):
    """A guest.

    :ivar uuid: of nova's server; its name is beside it.
    :ivar host: where it is now.
    :ivar mode: as the host's load counts it: one of dom0.MODES, None where
        that isn't known.
    :ivar memory_mb: its memory, MiB.
    :ivar holds: what it has booked of placement's providers.
    :ivar destinations: by the operations that nova would start with it.
    :ivar refused: by the others, why not.
    :ivar paused: whether it is, and stays so when it is moved.
    """

    uuid: str
    name: str
    host: str
    mode: ty.Optional[str]
    memory_mb: int
    vcpus: int
    holds: Amounts
    destinations: ty.Mapping[Operation, Destinations]
    refused: ty.Mapping[Operation, str] = {}
    group: ty.Optional[Group] = None
    paused: bool = False


class Move(ty.NamedTuple):
    """A guest that goes from one host to another."""

    guest: Guest
    operation: Operation
    source: str
    target: str


class Cloud(ty.NamedTuple):
    """What a plan is made for.

    :ivar hosts: the Xen hosts, by name.
    :ivar guests: all of theirs.
    :ivar free: what placement's providers have left, below 0 where they are
        over-full.
    :ivar lets_go: whether placement lets a guest go that holds something of
        an over-full provider.
    """

    model: dom0.Model
    hosts: ty.Mapping[str, Host]
    guests: ty.Sequence[Guest]
    free: Amounts
    lets_go: bool = True


#: Whether a guest may be moved at all.
Allowed = ty.Callable[[Guest], bool]
