# SPDX-License-Identifier: Apache-2.0

"""Clouds to plan for: at random, the same for the same seed, or by hand."""

from __future__ import annotations

from collections import Counter
import random
import typing as ty

from nova_xen_sched import conf
from nova_xen_sched import dom0
from nova_xen_sched.planner.cloud import Cloud
from nova_xen_sched.planner.cloud import Destinations
from nova_xen_sched.planner.cloud import Group
from nova_xen_sched.planner.cloud import Guest
from nova_xen_sched.planner.cloud import Host
from nova_xen_sched.planner.cloud import Operation
from nova_xen_sched.planner.state import State

MODEL = conf.defaults().dom0_model
#: Memory (MiB) and vCPUs.
FLAVORS = ((512, 1), (2048, 1), (4096, 2), (8192, 4))


def cloud(
    seed: int, most_hosts: int = 8, most_guests: int = 24, full: float = 0.85
) -> Cloud:
    """Uneven hosts, of which some take PV guests only; uneven guests.

    dom0s are small, so that about as many guests as there are fill them to a
    share of ``full``, without regard to which host has how many.
    """
    rng = random.Random('cloud %d' % seed)
    names = ['xen%d' % i for i in range(rng.randint(2, most_hosts))]
    hvm_hosts = {name for name in names if rng.random() < 0.7} or {names[0]}
    count = rng.randint(len(names), most_guests)
    modes = ['hvm' if rng.random() < 0.6 else 'pv' for _ in range(count)]
    flavors = [rng.choice(FLAVORS) for _ in range(count)]
    places = [
        rng.choice(sorted(hvm_hosts) if mode == 'hvm' else names)
        for mode in modes
    ]
    guests_here = dict.fromkeys(names, 0)
    for place in places:
        guests_here[place] += 1
    loads, hosts = {}, {}
    share = count / len(names) / full
    for name in names:
        slots = max(share * rng.uniform(0.6, 1.4), 1)
        loads[name] = dom0.Load(
            rng.choice((16384, 32768, 65536)),
            MODEL.base_memory_mb + slots * MODEL.hvm_memory_mb,
            MODEL.base_vcpus + slots * rng.uniform(0.9, 1.5) / 20,
        )
    destinations = {
        'pv': Destinations({name: [{}] for name in names}, {}),
        'hvm': Destinations(
            {name: [{}] for name in sorted(hvm_hosts)},
            {n: 'it runs no HVM' for n in names if n not in hvm_hosts},
        ),
    }
    guests = []
    for i, (mode, flavor, place) in enumerate(zip(modes, flavors, places)):
        loads[place] = MODEL.plus(loads[place], mode, *flavor)
        guests.append(
            Guest(
                'uuid-%03d' % i,
                'guest%d' % i,
                place,
                mode,
                *flavor,
                holds={},
                destinations={Operation.LIVE: destinations[mode]},
            )
        )
    for name, load in loads.items():
        hosts[name] = Host(name, load)
    return Cloud(MODEL, hosts, guests, {})


def rich(seed: int, full: float = 0.85) -> Cloud:
    """The like, with whatever else there is: by what the seed says.

    Server groups, guests that can be moved cold only or not at all, hosts
    whose hypervisor is older, or that take none; placement's amounts of each
    host, of storage that hosts share, and a provider that is over-full.
    """
    rng = random.Random('rich %d' % seed)
    plain = cloud(seed, most_hosts=5, most_guests=15, full=full)
    names = list(plain.hosts)
    hosts = {
        name: host._replace(
            version=rng.choice((4014000, 4014000, 4017000)),
        )
        for name, host in plain.hosts.items()
    }
    groups = [Group('apart', 1), Group('two', 2), Group('together', None)]
    free = {
        name: {'VCPU': rng.choice((0, 8, 64)), 'DISK_GB': rng.choice((0, 90))}
        for name in names
    }
    free['shared'] = {'DISK_GB': rng.choice((-10, 5, 500))}
    guests, members = [], Counter()
    known: dict[ty.Any, Destinations] = {}
    for guest in plain.guests:
        group = rng.choice([None, None, *groups])
        if group and members[group, guest.host] >= (group.most or 99):
            group = None
        if group and not group.most:
            # These are together from the beginning.
            at = {host for (g, host), n in members.items() if g is group}
            group = None if at - {guest.host} else group
        members[group, guest.host] += 1
        disk = rng.choice(('local', 'shared', 'volume'))

        def takes(name: str, disk: str = disk, guest: Guest = guest) -> ty.Any:
            found = {name: {'VCPU': guest.vcpus}}
            if disk == 'local':
                found[name]['DISK_GB'] = 10
            elif disk == 'shared':
                found['shared'] = {'DISK_GB': 10}
            return found

        (destinations,) = guest.destinations.values()
        kind = guest.mode, guest.memory_mb, guest.vcpus, disk
        if kind not in known:
            known[kind] = Destinations(
                {name: [takes(name)] for name in destinations.ways},
                destinations.refused,
            )
        operations = {Operation.COLD, Operation.EVACUATE}
        if disk != 'local':
            operations.add(Operation.LIVE)
        if rng.random() < 0.1:
            operations = {Operation.EVACUATE}
        guests.append(
            guest._replace(
                group=group,
                holds=takes(guest.host),
                destinations={
                    each: known[kind]
                    for each in Operation
                    if each in operations
                },
            )
        )
    return Cloud(MODEL, hosts, guests, free, rng.random() < 0.5)


#: Each guest takes 1 of a host's slots, and nothing else counts.
ONE_EACH = dom0.Model(0, 0, 1, 1, 1, 1000, 1, dom0.OVERHEADS['none'])


def small(slots: ty.Mapping[str, int], guests: str, **hosts: ty.Any) -> Cloud:
    """A cloud for a case: a1 and a2 are guests on host a.

    :param slots: by host, for how many guests its dom0 is large enough.
    :param guests: their names, with spaces between; each may go anywhere.
    :param hosts: by name, what else they are.
    """
    anywhere = Destinations({name: [{}] for name in slots}, {})
    return Cloud(
        ONE_EACH,
        {
            name: Host(
                name,
                dom0.Load(
                    0, most, 8, hvm=[g[0] for g in guests.split()].count(name)
                ),
            )._replace(**hosts.get(name, {}))
            for name, most in slots.items()
        },
        [
            Guest(
                name,
                name,
                name[0],
                'hvm',
                1024,
                1,
                holds={},
                destinations=dict.fromkeys(Operation, anywhere),
            )
            for name in guests.split()
        ],
        {},
    )


def changed(cloud: Cloud, name: str, **changes: ty.Any) -> Cloud:
    """A cloud with one of its guests changed."""
    return cloud._replace(
        guests=[
            guest._replace(**changes) if guest.name == name else guest
            for guest in cloud.guests
        ]
    )


def to(*hosts: str) -> Destinations:
    """These and no others."""
    return Destinations({name: [{}] for name in hosts}, {})


def steps(state: State) -> list[str]:
    """The moves of a plan: a1>b, and the operation if it isn't live."""
    return [
        '%s>%s%s'
        % (
            move.guest.name,
            move.target,
            '' if move.operation is Operation.LIVE else ' %s' % move.operation,
        )
        for move in state.moves
    ]


def anyone(guest: Guest) -> bool:
    """Each guest may be moved."""
    return True
