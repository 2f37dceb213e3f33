# SPDX-License-Identifier: Apache-2.0

"""``python -m tools.simulation.mixed``: untyped guests in mixed clouds.

An image that names no hypervisor_type may go to Xen hosts and to others.
nova's own handler and all of its default weighers place such guests one after
the other. All hosts have one hypervisor version, so that
HypervisorVersionWeigher has nothing to say.
"""

from __future__ import annotations

import typing as ty
import uuid

from nova import objects
import nova.conf

from nova_xen_sched import weights
from tools import nova_objects
from tools import printing
from tools.simulation import world

CONF = nova.conf.CONF
MULTIPLIER = 'dom0_headroom_weight_multiplier'
_DISK_GB = 20000
_FLOORS = (0.0, 0.05, 0.10, 0.15, 0.20)

#: MiB of dom0 that serve 60 HVM guests, by the defaults.
DOM0_OF_60 = 400 + 60 * 24


#: RAM (GiB) and dom0's size (MiB) of five Xen hosts; KVM hosts have the RAM.
CLOUDS = {
    'even': ((256,) * 5, (4096,) * 5),
    'uneven dom0s': ((256,) * 5, (1024, 1536, 2048, 3072, 4096)),
    'uneven RAM': ((64, 128, 192, 256, 384), (2048,) * 5),
}
#: Of the guests: MiB.
_SMALL_MB = 1024
_SIZES_MB = (512, 1024, 2048, 4096, 8192)


def host(name: str, ram_gb: int, dom0_mb: int | None = None) -> ty.Any:
    """A nova HostState without guests.

    :param dom0_mb: the size of dom0, MiB; None for a KVM host.
    """
    state = nova_objects.host_state(
        name,
        memory_mb=ram_gb * 1024,
        vcpus=64,
        disk_gb=_DISK_GB,
        cpu_ratio=16.0,
        reserved_mb=world.RESERVED_MB,
        dom0=None if dom0_mb is None else (dom0_mb, 16),
    )
    state.hypervisor_version = 8002000
    return state


def hosts(
    ram_gb: ty.Sequence[int],
    dom0_mb: ty.Sequence[int],
    kvm_ram_gb: ty.Sequence[int] | None = None,
) -> list[ty.Any]:
    """Xen hosts of these sizes, and as many KVM hosts."""
    xen = [
        host('xen%d' % i, *sizes)
        for i, sizes in enumerate(zip(ram_gb, dom0_mb))
    ]
    return xen + [
        host('kvm%d' % i, size) for i, size in enumerate(kvm_ram_gb or ram_gb)
    ]


def is_xen(state: ty.Any) -> bool:
    """Whether it is one of the Xen hosts here."""
    return bool(state.hypervisor_type == 'Xen')


def place(state: ty.Any, memory_mb: int, count: int = 1) -> None:
    """Guests are built there, and the compute has reported since."""
    for _ in range(count):
        spec = _request(memory_mb)
        state.consume_from_request(spec)
        state.instances[spec.instance_uuid] = objects.Instance(
            uuid=spec.instance_uuid,
            vm_mode='hvm',
            memory_mb=memory_mb,
            vcpus=1,
        )
    nova_objects.reported(state)


def run(
    states: ty.Sequence[ty.Any],
    memory_mb: int = _SMALL_MB,
    ours: bool = True,
    guests: int = 200,
) -> int:
    """Place guests one after the other.

    :param memory_mb: what each takes, and one vCPU.
    :param ours: whether Dom0HeadroomWeigher is one of the weighers.
    :returns: how many of them went to Xen hosts.
    """
    weighing = nova_objects.Weighing(ours)
    to_xen = 0
    for _ in range(guests):
        offered = [s for s in states if s.free_ram_mb >= memory_mb]
        chosen = weighing.best(offered, _request(memory_mb))
        to_xen += is_xen(chosen)
        place(chosen, memory_mb)
    return to_xen


def _request(memory_mb: int) -> ty.Any:
    return nova_objects.request(memory_mb, uuid=str(uuid.uuid4()))


def nearly_full(kvm_ram_gb: int, guests: int = 55) -> list[ty.Any]:
    """Xen hosts whose dom0 has so many of 60 guests, and empty KVM hosts.

    The less RAM these have, the more nova's own weighers send to Xen.
    """
    states = hosts([512] * 5, [DOM0_OF_60] * 5, [kvm_ram_gb] * 5)
    for state in filter(is_xen, states):
        place(state, _SMALL_MB, guests)
    return states


def _shares() -> list[tuple[str, ...]]:
    """Guests to Xen, by the cloud and the guests' size."""
    rows = []
    for name, sizes in CLOUDS.items():
        for ours in (False, True):
            found = [
                run(hosts(*sizes), memory_mb, ours) for memory_mb in _SIZES_MB
            ]
            rows.append((name, 'yes' if ours else 'no', *map(str, found)))
    return rows


def _floors() -> list[tuple[str, ...]]:
    """NEARLY_FULL with other values: guests to Xen, and the fullest dom0."""
    rows = []
    for multiplier in (10, -10):
        CONF.set_override(MULTIPLIER, multiplier, 'xen_scheduler')
        for floor in _FLOORS:
            weights.NEARLY_FULL = floor
            row = ['%g' % multiplier, '%.2f' % floor]
            for guests in (50, 55):
                states = nearly_full(64, guests)
                to_xen = run(states)
                most = max(s.num_instances for s in states if is_xen(s))
                row += ['%d' % to_xen, '%d of 60' % most]
            rows.append(tuple(row))
    return rows


def main() -> None:
    CONF([], project='nova', default_config_files=[])
    print('Of 200 untyped guests, how many go to five Xen hosts beside five')
    print('KVM hosts, by the size of the guests in MiB; with the weigher or')
    print('without.')
    print()
    sizes = map(str, _SIZES_MB)
    printing.table(('hosts', 'weigher', *sizes), _shares())
    print()
    print('200 untyped guests of 1024 MiB; five Xen hosts of 512 GiB whose')
    print(
        'dom0 serves 60 guests and has 50 or 55, and five empty KVM hosts of'
    )
    print('64 GiB; nova alone sends all of them to Xen.')
    print()
    head = ('multiplier', 'NEARLY_FULL', '50: to Xen', 'fullest dom0')
    printing.table((*head, '55: to Xen', 'fullest dom0'), _floors())


if __name__ == '__main__':
    main()
