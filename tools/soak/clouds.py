# SPDX-License-Identifier: Apache-2.0

"""Hostile clouds: nova's own objects, several attributes of each bad.

Half of them hold only what nova can hold: a ComputeNode, an Aggregate or an
Image takes any text and any whole number, and leaves much unset. In the other
half hosts, or requests, hold what nova's objects would have refused.
"""

from __future__ import annotations

import copy
import random
import typing as ty
import uuid

from nova import objects

from nova_xen_sched import facts
from tests.unit import builders
from tools.soak import mutations

HOSTS = 16
REQUESTS = 8

#: What is of types that nova can't hold.
NOTHING, ITS_HOSTS, ITS_REQUESTS = 'nothing', 'hosts', 'requests'

_TYPES = (
    *(builders.captured(each.name) for each in builders.CAPTURES.iterdir()),
    builders.XEN_PV,
    builders.XEN_HVM_ONLY,
    builders.KVM,
    (),
)
_ARCHITECTURES = (None, 'x86_64', 'i686', 'aarch64')
_HV_TYPES = (None, 'xen', 'kvm', 'qemu')
_MODES = (None, 'hvm', 'xen', 'exe', 'uml')
_PREDICATES = (None, '>=4.14', '<4', '>=4.0,<5', '==4.17.0')
_MULTIPLIER = 'dom0_headroom_weight_multiplier'

_OPTIONS: ty.Mapping[str, tuple[ty.Any, ...]] = {
    'default_vm_mode': ('xen', 'hvm', 'any'),
    'require_hypervisor_type': (True, False),
    'disk_formats': ([], ['raw', 'qcow2']),
    'live_migration_check': ('never', 'live_migration', 'always'),
    'min_libvirt_version': ('0', '1.2.15', '9.0.0'),
    'min_xen_version': ('0', '4.5.1', '4.14.2'),
    'unknown_version': ('accept', 'refuse'),
    'live_migration_unknown': ('accept', 'refuse'),
    'facts_max_age': (0, 0.001, 36500),
    'dom0_memory_mb': (1, 4096, 1e6),
    'dom0_vcpus': (0.1, 4),
    'dom0_base_memory_mb': (0, 1e6),
    'dom0_guests_per_vcpu': (0.01, 10),
    'guest_memory_overhead': ('none', 'xenapi', 'libxl'),
    _MULTIPLIER: (2.0, -2.0, 0, 1e6),
    'refuse_dom0_overcommit': (True, False),
    'report_only': ([], ['all'], ['vm_mode', 'dom0_memory']),
}


class Case(ty.NamedTuple):
    """A cloud, and what is asked of it.

    :ivar impossible: what has types that nova can't hold.
    """

    seed: int
    impossible: str
    states: list[ty.Any]
    requests: list[ty.Any]
    options: dict[str, ty.Any]


def _instances() -> list[objects.Instance]:
    """Guests; nothing changes them, so that all clouds may share them."""
    rng = random.Random(0)
    found = []
    for number in range(200):
        fields: dict[str, ty.Any] = {}
        if rng.random() < 0.9:
            fields['vm_mode'] = rng.choice(
                (*_MODES, 'hv', 'PV', 'xenpvh', rng.choice(mutations.TEXTS))
            )
        for name in ('memory_mb', 'vcpus'):
            if rng.random() < 0.9:
                fields[name] = rng.choice((1, 512, *mutations.INTEGERS))
        found.append(
            objects.Instance(uuid=str(uuid.UUID(int=number)), **fields)
        )
    return found


_INSTANCES = _instances()


def build(seed: int) -> Case:
    """The cloud of a seed."""
    rng = random.Random(seed)
    impossible = (NOTHING, ITS_HOSTS, NOTHING, ITS_REQUESTS)[seed % 4]
    aggregates = [_aggregate(rng, number) for number in range(6)]
    states = [_state(rng, number, aggregates) for number in range(HOSTS)]
    requests = [_request(rng) for _ in range(REQUESTS)]
    if impossible == ITS_HOSTS:
        # Some are as they should be: their verdicts must stay.
        for state in rng.sample(states, HOSTS * 3 // 4):
            _spoil_host(rng, state)
    elif impossible == ITS_REQUESTS:
        for spec in requests:
            _spoil_request(rng, spec)
    options = {
        name: rng.choice(choices)
        for name, choices in _OPTIONS.items()
        if rng.random() < 0.5
    }
    return Case(seed, impossible, states, requests, options)


def _stated(rng: random.Random) -> str:
    """A fact's value, good or bad."""
    return rng.choice(
        ('4.17.3', '9.0.0', '1.2.5', '4096', '4', 'true', *mutations.TEXTS)
    )


def _aggregate(rng: random.Random, number: int) -> objects.Aggregate:
    metadata = {
        each.metadata_key: _stated(rng)
        for each in facts.NAMES
        if rng.random() < 0.4
    }
    if rng.random() < 0.3:
        metadata[_MULTIPLIER] = _stated(rng)
    metadata[rng.choice(mutations.TEXTS)] = rng.choice(mutations.TEXTS)
    return objects.Aggregate(
        id=number, name=rng.choice(mutations.TEXTS), metadata=metadata
    )


def _state(
    rng: random.Random, number: int, aggregates: list[objects.Aggregate]
) -> ty.Any:
    instances = rng.sample(_INSTANCES, rng.choice((0, 0, 3, 20)))
    types = rng.choice(_TYPES)
    state = builders.state(
        rng.choice(mutations.TEXTS) + str(number),
        types,
        rng.choice(('Xen', 'Xen', 'xen', 'QEMU')),
        total_usable_ram_mb=65536,
        free_ram_mb=32768,
        vcpus_total=32,
        vcpus_used=8,
        num_instances=len(instances),
        instances={each.uuid: each for each in instances},
        aggregates=rng.sample(aggregates, rng.randrange(4)),
        cpu_info='{}',
        stats={
            'num_instances': str(rng.choice((len(instances), 0, 10**6, -3)))
        },
        service={'version': rng.choice((0, 21, 53, 68, 10**9))},
    )
    for name in (
        'hypervisor_version',
        'total_usable_ram_mb',
        'free_ram_mb',
        'vcpus_total',
        'vcpus_used',
        'num_instances',
    ):
        if rng.random() < 0.2:
            setattr(state, name, rng.choice(mutations.INTEGERS))
    for name in ('hypervisor_type', 'cpu_info'):
        if rng.random() < 0.2:
            setattr(state, name, rng.choice((None, *mutations.TEXTS)))
    for each in facts.NAMES:
        if rng.random() < 0.2:
            state.stats[each.stats_key] = rng.choice((None, _stated(rng)))
    if rng.random() < 0.2:
        state.stats[facts.FREE_MEMORY] = _stated(rng)
    # As HostStates are before their first update.
    for name in ('stats', 'service'):
        if rng.random() < 0.1:
            delattr(state, name)
    return state


def _request(rng: random.Random) -> objects.RequestSpec:
    properties = {
        name: value
        for name, value in (
            ('hw_architecture', rng.choice(_ARCHITECTURES)),
            ('img_hv_type', rng.choice(_HV_TYPES)),
            ('hw_vm_mode', rng.choice(_MODES)),
            ('img_hv_requested_version', rng.choice(_PREDICATES)),
            # Glance has it as text, of any length.
            (
                'hw_maxphysaddr_bits',
                rng.choice((42, 52, *mutations.INTEGERS, *mutations.ENORMOUS)),
            ),
        )
        if value is not None and rng.random() < 0.6
    }
    image = {}
    if rng.random() < 0.5:
        image['disk_format'] = rng.choice(('raw', 'vhd', *mutations.TEXTS))
    values: dict[str, ty.Any] = {}
    if rng.random() < 0.9:
        values['flavor'] = objects.Flavor(
            **{
                name: rng.choice((1, 512, *mutations.INTEGERS))
                for name in ('memory_mb', 'vcpus')
                if rng.random() < 0.9
            }
        )
    if rng.random() < 0.2:
        # Before placement was asked, nova has none.
        values['instance_uuid'] = str(uuid.UUID(int=rng.randrange(200)))
    if rng.random() < 0.3:
        values['is_bfv'] = rng.random() < 0.5
    make = rng.choice((builders.spec, builders.moved, builders.rebuilt))
    spec = make(properties, image=image, **values)
    if rng.random() < 0.2:
        spec.scheduler_hints = {
            rng.choice(('_nova_check_type', *mutations.TEXTS)): [
                rng.choice(('rebuild', 'live_migrate', *mutations.TEXTS))
            ]
        }
    if rng.random() < 0.1:
        spec.image = None
    return spec


def _spoil_host(rng: random.Random, state: ty.Any) -> None:
    """Several attributes become what nova never has there, or go missing."""
    names = (
        'supported_instances',
        'hypervisor_type',
        'hypervisor_version',
        'cpu_info',
        'stats',
        'service',
        'aggregates',
        'instances',
        'num_instances',
        'total_usable_ram_mb',
        'free_ram_mb',
        'vcpus_used',
    )
    for name in rng.sample(names, rng.randrange(1, 5)):
        if rng.random() < 0.2:
            vars(state).pop(name, None)
        else:
            setattr(state, name, mutations.wrong(rng))
    within = rng.randrange(4)
    if within == 0:
        state.stats = {
            rng.choice(('num_instances', facts.FREE_MEMORY, 'xen_version')): (
                mutations.wrong(rng)
            )
        }
    elif within == 1:
        state.instances = {'a': mutations.wrong(rng), 'b': _INSTANCES[0]}
    elif within == 2:
        garbage = copy.copy(builders.aggregate())
        garbage._obj_metadata = mutations.wrong(rng)
        state.aggregates = [garbage, mutations.wrong(rng)]


def _spoil_request(rng: random.Random, spec: ty.Any) -> None:
    """Several fields, past nova's own checks."""
    names = (
        'image',
        'flavor',
        'instance_uuid',
        'is_bfv',
        'scheduler_hints',
        'requested_destination',
        'ignore_hosts',
        'force_hosts',
    )
    for name in rng.sample(names, rng.randrange(1, 4)):
        setattr(spec, '_obj_' + name, mutations.wrong(rng))
    image = spec.image if isinstance(spec.image, objects.ImageMeta) else None
    if image is not None and 'properties' in image:
        name = rng.choice(
            ('hw_vm_mode', 'img_hv_type', 'img_hv_requested_version')
        )
        setattr(image.properties, '_obj_' + name, mutations.wrong(rng))
    if isinstance(vars(spec).get('_obj_flavor'), objects.Flavor):
        spec.flavor._obj_memory_mb = mutations.wrong(rng)
