# SPDX-License-Identifier: Apache-2.0

"""Who chooses: nova's weighers, with ours or without, and a greedy rule."""

from __future__ import annotations

import typing as ty
import uuid

from nova import objects
import nova.conf

from nova_xen_sched import weights
from tools import nova_objects
from tools.simulation import world

CONF = nova.conf.CONF

NOVA = "nova's default weighers"
UNKNOWN = '+ headroom, mix unknown'
KNOWN = '+ headroom, mix known'
GREEDY = 'greedy that knows all'
POLICIES = (NOVA, UNKNOWN, KNOWN, GREEDY)

_VM_MODES = {'hvm': 'hvm', 'pv': 'xen'}


class Greedy:
    """Takes the host whose fullest room is least full with the guest."""

    def __init__(self, hosts: ty.Sequence[world.Host]) -> None:
        self._hosts = hosts

    def choose(self, guest: world.Guest, offered: ty.Sequence[int]) -> int:
        hosts = self._hosts
        return max(
            offered,
            key=lambda i: world.headroom(hosts[i].with_one(guest)),
        )

    def came(self, index: int, guest: world.Guest) -> None:
        """It looks at the hosts themselves."""

    def went(self, index: int, guest: world.Guest) -> None:
        """It looks at the hosts themselves."""


class Nova:
    """nova's handler and HostStates, as HostManager uses them.

    :param ours: whether Dom0HeadroomWeigher is one of the weighers.
    :param known: whether nova-scheduler tracks instances, so that it knows
        which guest has which mode.
    :param multiplier: for ours; None leaves its default.
    :param full_spread: instead of the weigher's FULL_SPREAD, likewise.
    """

    def __init__(
        self,
        hosts: ty.Sequence[world.Host],
        ours: bool,
        known: bool,
        multiplier: float | None,
        full_spread: float | None,
    ) -> None:
        self._weighing = nova_objects.Weighing(ours)
        if ours and multiplier is not None:
            CONF.set_override(
                'dom0_headroom_weight_multiplier',
                multiplier,
                'xen_scheduler',
            )
        if ours and full_spread is not None:
            weights.FULL_SPREAD = full_spread
        CONF.set_override('track_instance_changes', known, 'filter_scheduler')
        self._known = known
        self._states = [
            _state('xen-%03d' % i, host.size) for i, host in enumerate(hosts)
        ]
        self._index = {id(state): i for i, state in enumerate(self._states)}
        self._specs: dict[tuple[str, world.Flavor], ty.Any] = {}

    def choose(self, guest: world.Guest, offered: ty.Sequence[int]) -> int:
        chosen = self._weighing.best(
            [self._states[i] for i in offered], self._spec(guest)
        )
        return self._index[id(chosen)]

    def came(self, index: int, guest: world.Guest) -> None:
        state = self._states[index]
        state.consume_from_request(self._spec(guest))
        if self._known:
            key = _uuid(guest)
            state.instances[key] = objects.Instance(
                uuid=key, vm_mode=_VM_MODES[guest.mode]
            )
        nova_objects.reported(state)

    def went(self, index: int, guest: world.Guest) -> None:
        state = self._states[index]
        flavor = guest.flavor
        state.free_ram_mb += flavor.memory_mb
        state.free_disk_mb += flavor.disk_gb * 1024
        state.vcpus_used -= flavor.vcpus
        state.num_instances -= 1
        state.instances.pop(_uuid(guest), None)
        nova_objects.reported(state)

    def _spec(self, guest: world.Guest) -> ty.Any:
        key = (guest.mode, guest.flavor)
        if key not in self._specs:
            self._specs[key] = _spec(*key)
        return self._specs[key]


def _uuid(guest: world.Guest) -> str:
    return str(uuid.UUID(int=guest.number))


def _state(name: str, size: world.Size) -> ty.Any:
    """What nova has of a Xen host without guests."""
    return nova_objects.host_state(
        name,
        size.memory_mb,
        size.vcpus,
        size.disk_gb,
        world.CPU_RATIO,
        world.RESERVED_MB,
        (size.dom0_memory_mb, size.dom0_vcpus),
    )


def _spec(mode: str, flavor: world.Flavor) -> ty.Any:
    return nova_objects.request(
        flavor.memory_mb,
        flavor.vcpus,
        flavor.disk_gb,
        {'vm_mode': _VM_MODES[mode]},
    )


def make(
    policy: str,
    hosts: ty.Sequence[world.Host],
    multiplier: float | None = None,
    full_spread: float | None = None,
) -> Greedy | Nova:
    """The chooser of one of POLICIES."""
    makers: dict[str, ty.Callable[[], Greedy | Nova]] = {
        NOVA: lambda: Nova(hosts, False, True, None, None),
        UNKNOWN: lambda: Nova(hosts, True, False, multiplier, full_spread),
        KNOWN: lambda: Nova(hosts, True, True, multiplier, full_spread),
        GREEDY: lambda: Greedy(hosts),
    }
    return makers[policy]()
