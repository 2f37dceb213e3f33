# SPDX-License-Identifier: Apache-2.0

"""What a fake compute host reports: no nova in here."""

from __future__ import annotations

import dataclasses
import os
import re
import typing as ty

from nova_xen_sched.xenhost import reader

CAPTURES = os.path.join(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
    'fixtures',
    'captures',
)

#: What nova's libvirt driver reports of an ordinary KVM host.
KVM_TRIPLES = (
    ('i686', 'qemu', 'hvm'),
    ('i686', 'kvm', 'hvm'),
    ('x86_64', 'qemu', 'hvm'),
    ('x86_64', 'kvm', 'hvm'),
)


def _cpu_info() -> ty.Dict[str, ty.Any]:
    return {
        'arch': 'x86_64',
        'model': 'Nehalem',
        'vendor': 'Intel',
        'features': ['clflush', 'pge'],
        'topology': {'cores': 4, 'threads': 1, 'sockets': 1},
    }


@dataclasses.dataclass(frozen=True)
class HostProfile:
    """A compute host, as its nova-compute reports it.

    ``service_version`` is what the record of its nova-compute service says;
    None leaves the version of the nova that runs.
    """

    name: str
    supported_instances: ty.Tuple[ty.Tuple[str, str, str], ...]
    hypervisor_type: str
    hypervisor_version: int
    memory_mb: int = 32768
    vcpus: int = 16
    local_gb: int = 500
    stats: ty.Dict[str, ty.Any] = dataclasses.field(default_factory=dict)
    cpu_info: ty.Dict[str, ty.Any] = dataclasses.field(
        default_factory=_cpu_info
    )
    service_version: ty.Optional[int] = None

    def but(self, **changes: ty.Any) -> HostProfile:
        """This host with some of its fields changed."""
        return dataclasses.replace(self, **changes)


def read_capture(name: str, filename: str) -> str:
    """A file of what was once read from a real Xen host."""
    with open(os.path.join(CAPTURES, name, filename), encoding='utf-8') as f:
        return f.read()


def xen(
    name: str, capture: str = 'xen-4.17-hvm', **fields: ty.Any
) -> HostProfile:
    """A host that reports what a real Xen host was seen to have.

    Its ``xenpvh`` guest types are left out, as nova cannot read them: one
    such entry, and the scheduler drops every compute of the cell.

    :param capture: the folder under tests/fixtures/captures
    :param fields: other fields of HostProfile: sizes, stats
    """
    triples = tuple(
        triple
        for triple in reader.guest_types(
            read_capture(capture, 'capabilities.xml')
        )
        if triple[2] != 'xenpvh'
    )
    version = re.search(
        r'^conn\.getVersion\(\) = (\d+)$',
        read_capture(capture, 'python-libvirt-api.txt'),
        re.MULTILINE,
    )
    if version is None:
        raise ValueError('no getVersion() in capture %s' % capture)
    return HostProfile(name, triples, 'Xen', int(version.group(1))).but(
        **fields
    )


def kvm(name: str, **fields: ty.Any) -> HostProfile:
    """An ordinary KVM host with QEMU 8.2."""
    return HostProfile(name, KVM_TRIPLES, 'QEMU', 8002000).but(**fields)
