# SPDX-License-Identifier: Apache-2.0

"""The hosts of a cloud, as nova-scheduler has them: nova's own objects.

HostStates are made by their own update(), from ComputeNode, Service,
Aggregate and Instance objects.
"""

from __future__ import annotations

import dataclasses
import json
import random
import uuid

from nova import objects
from nova.scheduler import host_manager

from nova_xen_sched import facts
from tests.unit import builders
from tools import nova_objects

#: What an x86 KVM host reports.
KVM_TYPES = (
    ('i686', 'qemu', 'hvm'),
    ('i686', 'kvm', 'hvm'),
    ('x86_64', 'qemu', 'hvm'),
    ('x86_64', 'kvm', 'hvm'),
)
KVM_SHARE = 0.3
KEYS = 5
#: What is known of the Xen hosts: kinds of hosts that were installed alike.
KINDS = 16
GIB = 1024

NONE = 'none'
AGGREGATES = 'aggregates'
FILE = 'file'
STATS = 'stats'
FACTS = (NONE, AGGREGATES, FILE, STATS)


@dataclasses.dataclass(frozen=True)
class Shape:
    """A cloud to be measured.

    :ivar aggregates: how many each host is in, of KEYS keys each.
    :ivar guests: how many of each host's guests are known one by one; there
        are as many of unknown mode otherwise.
    :ivar facts: where the facts about Xen hosts are, one of FACTS.
    :ivar stating: in how many aggregates with facts each Xen host is, if
        they are there.
    """

    hosts: int = 1000
    aggregates: int = 5
    guests: int = 0
    facts: str = AGGREGATES
    stating: int = 1

    def __str__(self) -> str:
        return '%d hosts, %dx%d' % (self.hosts, self.aggregates, KEYS)


def known(kind: int, number: int = 0) -> dict[str, str]:
    """The facts about Xen hosts of one kind.

    :param number: of the host, if it says itself when they were observed.
    """
    return {
        'libvirt_version': '9.%d.0' % (kind % 4),
        'xen_version': '4.17.%d' % (kind % 3),
        'dom0_memory_mb': str((2048, 4096)[kind % 2]),
        'dom0_vcpus': str((4, 8)[kind // 2 % 2]),
        'observed_at': '2026-11-%02dT%02d:%02d:%02dZ'
        % (kind + 1, number // 3600 % 24, number // 60 % 60, number % 60),
    }


def is_kvm(number: int) -> bool:
    """30 % of any ten hosts."""
    return number % 10 >= 10 - KVM_SHARE * 10


def service_version(number: int) -> int:
    """Of nova-compute: 22 on the Xen hosts, 34 on the others."""
    return 68 if is_kvm(number) else 53


def name(number: int) -> str:
    return 'host-%05d.example.org' % number


def compute_node(
    number: int, shape: Shape, kvm: bool | None = None
) -> objects.ComputeNode:
    """A compute node that has reported.

    :param kvm: what it is, if it isn't as is_kvm() says.
    """
    rng = random.Random(number)
    if kvm is None:
        kvm = is_kvm(number)
    types = KVM_TYPES if kvm else builders.XEN_HVM
    guests = shape.guests or rng.randrange(10, 20)
    memory_mb = rng.choice((64, 128, 256, 512)) * GIB
    stats = {
        'num_instances': str(guests),
        'num_vm_active': str(guests),
        'num_task_None': str(guests),
        'num_os_type_None': str(guests),
        'io_workload': '0',
        'failed_builds': '0',
    }
    for _project in range(5):
        owner = uuid.UUID(int=rng.randrange(200))
        stats['num_proj_%s' % owner.hex] = str(guests // 5)
    if shape.facts == STATS and not kvm:
        for key, fact in known(number % KINDS, number).items():
            stats[facts.BY_NAME[key].stats_key] = fact
    return objects.ComputeNode(
        uuid=str(uuid.UUID(int=number)),
        host=name(number),
        hypervisor_hostname=name(number),
        memory_mb=memory_mb,
        free_ram_mb=memory_mb - 512 - guests * GIB - rng.randrange(4096),
        memory_mb_used=512 + guests * GIB,
        vcpus=rng.choice((16, 32, 48, 64)),
        vcpus_used=guests,
        local_gb=4000,
        local_gb_used=20 * guests,
        free_disk_gb=4000 - 20 * guests - rng.randrange(100),
        disk_available_least=None,
        hypervisor_type='QEMU' if kvm else 'Xen',
        hypervisor_version=8002000 if kvm else 4017000,
        cpu_info=json.dumps({'arch': 'x86_64', 'model': 'EPYC'}),
        # By way of JSON as in the database, so that no host shares strings
        # with another.
        supported_hv_specs=[
            objects.HVSpec.from_list(each)
            for each in json.loads(json.dumps(types))
        ],
        stats=json.loads(json.dumps(stats)),
        metrics='[]',
        numa_topology=None,
        pci_device_pools=None,
        host_ip='192.0.2.1',
        cpu_allocation_ratio=16.0,
        ram_allocation_ratio=1.5,
        disk_allocation_ratio=1.0,
        current_workload=0,
        running_vms=guests,
        updated_at=None,
    )


def _aggregate(number: int, metadata: dict[str, str]) -> objects.Aggregate:
    return objects.Aggregate(
        id=number,
        uuid=str(uuid.UUID(int=number)),
        name='aggregate-%d' % number,
        hosts=[],
        metadata=metadata,
    )


def ordinary(number: int) -> objects.Aggregate:
    """An aggregate that says nothing to this plugin."""
    return _aggregate(
        number,
        {'key%d' % key: 'value-%d-%d' % (number, key) for key in range(KEYS)},
    )


def stating(number: int, kind: int) -> objects.Aggregate:
    """An aggregate with the facts about one kind of Xen hosts."""
    return _aggregate(
        number,
        {
            facts.BY_NAME[key].metadata_key: fact
            for key, fact in known(kind).items()
        },
    )


def aggregates_of(shape: Shape) -> list[list[objects.Aggregate]]:
    """Each host's aggregates; nearly every host has another set.

    With one aggregate a host there are as many aggregates as hosts; with
    more there are a fifth as many. Where the facts are in aggregates, a
    Xen host has one with facts among its own: one a kind where it has
    others too.
    """
    rng = random.Random(shape.hosts)
    count = shape.aggregates
    if not count:
        return [[] for _ in range(shape.hosts)]
    has_facts = shape.facts == AGGREGATES
    if count == 1:
        return [
            [
                stating(number, number % KINDS)
                if has_facts and not is_kvm(number)
                else ordinary(number)
            ]
            for number in range(shape.hosts)
        ]
    pool = [ordinary(number) for number in range(max(shape.hosts // 5, 20))]
    kinds = [stating(len(pool) + kind, kind) for kind in range(KINDS)]
    found = []
    for number in range(shape.hosts):
        if has_facts and not is_kvm(number):
            mine = rng.sample(pool, count - shape.stating)
            for n in range(shape.stating):
                kind = kinds[(number + n) % KINDS]
                mine.insert(rng.randrange(len(mine) + 1), kind)
        else:
            mine = rng.sample(pool, count)
        found.append(mine)
    return found


def instances(number: int, count: int) -> dict[str, objects.Instance]:
    """A host's guests, as instance tracking knows them: 60 % HVM."""
    found = {}
    for guest in range(count):
        identity = str(uuid.UUID(int=number * 1000 + guest))
        found[identity] = objects.Instance(
            uuid=identity,
            host=name(number),
            vm_mode='hvm' if guest % 5 < 3 else 'xen',
            memory_mb=GIB,
            vcpus=1,
            task_state=None,
            vm_state='active',
            project_id='p',
            user_id='u',
        )
    return found


def host_state(
    number: int, shape: Shape, aggregates: list[objects.Aggregate]
) -> host_manager.HostState:
    """A host as HostManager makes it."""
    state = host_manager.HostState(name(number), name(number), None)
    service = objects.Service(id=number, host=name(number), disabled=False)
    service.version = service_version(number)
    state.update(
        compute_node(number, shape),
        # As HostManager does.
        dict(service),
        aggregates,
        instances(number, shape.guests),
    )
    return state


def host_states(shape: Shape) -> list[host_manager.HostState]:
    """All hosts of a cloud."""
    return [
        host_state(number, shape, aggregates)
        for number, aggregates in enumerate(aggregates_of(shape))
    ]


def facts_file(shape: Shape) -> str:
    """A facts file about the Xen hosts, as JSON, which is YAML."""
    entries = {
        name(number): known(number % KINDS, number)
        for number in range(shape.hosts)
        if not is_kvm(number)
    }
    for entry in entries.values():
        for key in ('dom0_memory_mb', 'dom0_vcpus'):
            entry[key] = int(entry[key])  # type: ignore[assignment]
    return json.dumps({'version': 1, 'hosts': entries})


def move() -> objects.RequestSpec:
    """A live migration of such a guest, or another move: it can't be told."""
    found = request()
    found.ignore_hosts = [name(0)]
    found.requested_destination = objects.Destination(
        cell=objects.CellMapping(uuid=str(uuid.UUID(int=7)))
    )
    return found


def request(**properties: str) -> objects.RequestSpec:
    """A boot of an HVM guest for Xen.

    :param properties: more of them, of its image.
    """
    return nova_objects.request(
        GIB,
        properties={'hypervisor_type': 'xen', 'vm_mode': 'hvm', **properties},
    )
