# SPDX-License-Identifier: Apache-2.0

"""Who chooses: nova's weighers, with ours or without, and a greedy rule."""

from __future__ import annotations

import typing as ty
import uuid

from tools.simulation import world

NOVA = "nova's default weighers"
UNKNOWN = '+ headroom, mix unknown'
KNOWN = '+ headroom, mix known'
GREEDY = 'greedy that knows all'
POLICIES = (NOVA, UNKNOWN, KNOWN, GREEDY)

_GUEST_TYPES = (('x86_64', 'xen', 'xen'), ('x86_64', 'xen', 'hvm'))
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
        from nova import objects
        import nova.conf
        from nova.scheduler import weights

        objects.register_all()
        conf = nova.conf.CONF
        classes = ['nova.scheduler.weights.all_weighers']
        if ours:
            classes.append('nova_xen_sched.weights.all_weighers')
        self._handler = weights.HostWeightHandler()
        self._weighers = [
            weigher()
            for weigher in self._handler.get_matching_classes(classes)
        ]
        if ours and multiplier is not None:
            conf.set_override(
                'dom0_headroom_weight_multiplier',
                multiplier,
                'xen_scheduler',
            )
        if ours and full_spread is not None:
            from nova_xen_sched import weights as our_weights

            our_weights.FULL_SPREAD = full_spread
        conf.set_override('track_instance_changes', known, 'filter_scheduler')
        self._known = known
        self._states = [
            _state('xen-%03d' % i, host.size) for i, host in enumerate(hosts)
        ]
        self._index = {id(state): i for i, state in enumerate(self._states)}
        self._specs: dict[tuple[str, world.Flavor], ty.Any] = {}

    def choose(self, guest: world.Guest, offered: ty.Sequence[int]) -> int:
        """What nova takes with its default host_subset_size of 1."""
        weighed = self._handler.get_weighed_objects(
            self._weighers,
            [self._states[i] for i in offered],
            self._spec(guest),
        )
        return self._index[id(weighed[0].obj)]

    def came(self, index: int, guest: world.Guest) -> None:
        from nova import objects

        state = self._states[index]
        state.consume_from_request(self._spec(guest))
        if self._known:
            key = _uuid(guest)
            state.instances[key] = objects.Instance(
                uuid=key, vm_mode=_VM_MODES[guest.mode]
            )
        self._report(state)

    def went(self, index: int, guest: world.Guest) -> None:
        state = self._states[index]
        flavor = guest.flavor
        state.free_ram_mb += flavor.memory_mb
        state.free_disk_mb += flavor.disk_gb * 1024
        state.vcpus_used -= flavor.vcpus
        state.num_instances -= 1
        state.instances.pop(_uuid(guest), None)
        self._report(state)

    def _report(self, state: ty.Any) -> None:
        """The guest is built, and the compute has reported since."""
        state.stats['num_instances'] = str(state.num_instances)
        state.num_io_ops = 0

    def _spec(self, guest: world.Guest) -> ty.Any:
        key = (guest.mode, guest.flavor)
        if key not in self._specs:
            self._specs[key] = _spec(*key)
        return self._specs[key]


def _uuid(guest: world.Guest) -> str:
    return str(uuid.UUID(int=guest.number))


def _state(name: str, size: world.Size) -> ty.Any:
    """What nova has of a Xen host without guests."""
    from nova import objects
    from nova.scheduler import host_manager

    state = host_manager.HostState(name, name, None)
    state.total_usable_ram_mb = size.memory_mb
    state.free_ram_mb = size.memory_mb - world.RESERVED_MB
    state.total_usable_disk_gb = size.disk_gb
    state.free_disk_mb = size.disk_gb * 1024
    state.vcpus_total = size.vcpus
    state.cpu_allocation_ratio = world.CPU_RATIO
    state.ram_allocation_ratio = state.disk_allocation_ratio = 1.0
    state.hypervisor_type = 'Xen'
    state.hypervisor_version = 4017000
    state.supported_instances = [list(each) for each in _GUEST_TYPES]
    state.metrics = objects.MonitorMetricList(objects=[])
    # Facts as a compute publishes them: text, in its stats.
    state.stats = {
        'num_instances': '0',
        'xen_dom0_memory_mb': str(size.dom0_memory_mb),
        'xen_dom0_vcpus': str(size.dom0_vcpus),
    }
    return state


def _spec(mode: str, flavor: world.Flavor) -> ty.Any:
    from nova import objects

    return objects.RequestSpec(
        instance_uuid=str(uuid.UUID(int=2**127)),
        num_instances=1,
        image=objects.ImageMeta(
            disk_format='raw',
            properties=objects.ImageMetaProps(hw_vm_mode=_VM_MODES[mode]),
        ),
        flavor=objects.Flavor(
            name=flavor.name,
            memory_mb=flavor.memory_mb,
            vcpus=flavor.vcpus,
            root_gb=flavor.disk_gb,
            ephemeral_gb=0,
            swap=0,
            extra_specs={},
        ),
        instance_group=None,
        numa_topology=None,
        pci_requests=None,
        requested_destination=None,
        scheduler_hints={},
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
