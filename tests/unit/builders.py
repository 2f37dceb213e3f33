# SPDX-License-Identifier: Apache-2.0

"""nova objects as the unit tests need them, real ones."""

from __future__ import annotations

import pathlib
import typing as ty

from nova import objects
from nova.scheduler import host_manager
from nova.scheduler import weights

from nova_xen_sched.host import Host
from nova_xen_sched.host import is_xen
from nova_xen_sched.xenhost import reader

objects.register_all()

CAPTURES = pathlib.Path(__file__).parents[1] / 'fixtures' / 'captures'
UUID = 'f6a9c9a6-7a0d-4d2b-9d1a-6c3c6d3a0b11'

KVM = (('x86_64', 'qemu', 'hvm'), ('x86_64', 'kvm', 'hvm'))
XEN_PV = (('x86_64', 'xen', 'xen'),)


def captured(name: str) -> tuple:
    """The guest types of a captured host, as nova can hold them."""
    text = (CAPTURES / name / 'capabilities.xml').read_text()
    return tuple(
        triple for triple in reader.guest_types(text) if triple[2] != 'xenpvh'
    )


XEN_HVM = captured('xen-4.17-hvm')
#: Xen built without PV; READ in libvirt's source, no capture.
XEN_HVM_ONLY = tuple(t for t in XEN_HVM if t[2] == 'hvm')


def state(
    name: str = 'host1',
    types: ty.Any = XEN_HVM,
    hypervisor_type: ty.Any = 'Xen',
    **attributes: ty.Any,
) -> host_manager.HostState:
    """A nova HostState."""
    result = host_manager.HostState(name, name, None)
    result.supported_instances = types and [list(t) for t in types]
    result.hypervisor_type = hypervisor_type
    result.hypervisor_version = 4017000
    for key, value in attributes.items():
        setattr(result, key, value)
    return result


def kvm_state(name: str = 'kvm1', **attributes: ty.Any) -> ty.Any:
    return state(name, KVM, 'QEMU', hypervisor_version=8002000, **attributes)


def host(
    types: ty.Any = (),
    hypervisor_type: ty.Any = None,
    hypervisor_version: ty.Any = None,
    **values: ty.Any,
) -> Host:
    """What the rules see of a host."""
    state_of_it = state('h', types, hypervisor_type)
    return Host(
        types,
        hypervisor_type,
        hypervisor_version,
        is_xen=is_xen(state_of_it),
        **values,
    )


def instance(**fields: ty.Any) -> objects.Instance:
    """A nova Instance; without fields a stub, which would load them."""
    return objects.Instance(uuid=UUID, **fields)


def aggregate(name: str = 'a', **metadata: str) -> objects.Aggregate:
    """A nova Aggregate.

    :param metadata: facts, without the xen: before their names.
    """
    return objects.Aggregate(
        name=name,
        metadata={'xen:' + key: value for key, value in metadata.items()},
    )


def multiplying(multiplier: str) -> objects.Aggregate:
    """A nova Aggregate with another multiplier for Dom0HeadroomWeigher."""
    return objects.Aggregate(
        name='m', metadata={'dom0_headroom_weight_multiplier': multiplier}
    )


def weighed(*states: ty.Any) -> list[weights.WeighedHost]:
    """Hosts as nova's handler gives them to a weigher."""
    return [weights.WeighedHost(each, 0) for each in states]


def spec(
    properties: ty.Any = (), image: ty.Any = None, **values: ty.Any
) -> objects.RequestSpec:
    """A nova RequestSpec of an image with these Glance properties."""
    values.setdefault('instance_uuid', UUID)
    return objects.RequestSpec(
        image=objects.ImageMeta(
            properties=objects.ImageMetaProps.from_dict(dict(properties)),
            **(image or {}),
        ),
        **values,
    )


def moved(properties: ty.Any = (), **values: ty.Any) -> objects.RequestSpec:
    """The RequestSpec of a guest that exists and is to be moved."""
    values.setdefault('ignore_hosts', ['source'])
    return spec(
        properties,
        requested_destination=objects.Destination(
            cell=objects.CellMapping(uuid=UUID)
        ),
        **values,
    )


def rebuilt(properties: ty.Any = (), **values: ty.Any) -> objects.RequestSpec:
    """The RequestSpec of a rebuild, as nova's API makes it."""
    values.setdefault('force_hosts', ['host1'])
    return spec(
        properties,
        scheduler_hints={'_nova_check_type': ['rebuild']},
        **values,
    )
