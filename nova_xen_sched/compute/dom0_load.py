# SPDX-License-Identifier: Apache-2.0

"""The guests of this compute by nova's count, and what its dom0 serves."""

from __future__ import annotations

import collections
import typing as ty

from nova import objects

from nova_xen_sched import conf
from nova_xen_sched import dom0
from nova_xen_sched import provider
from nova_xen_sched.facts.gather import HostFacts
from nova_xen_sched.load import mode_of


def on_host(context: ty.Any, name: str) -> list[ty.Any]:
    """The nova Instances of a host, with their flavors, from the database.

    Those that are being built here are among them, since nova claimed for
    them.

    :param context: a nova RequestContext of an administrator.
    :param name: of this nova-compute.
    """
    return list(
        objects.InstanceList.get_by_host(
            context, name, expected_attrs=['flavor']
        )
    )


def slots_of(guest: ty.Any) -> int:
    """How many slots a guest's flavor asks for, as nova embedded it.

    :param guest: a nova Instance.
    """
    return provider.slots_asked(guest.flavor.get('extra_specs', {}))


def load(
    guests: ty.Iterable[ty.Any],
    known: HostFacts,
    memory_mb: float,
    settings: conf.Settings,
) -> dom0.Load:
    """What a dom0 serves.

    :param guests: nova Instances.
    :param known: the host's facts; for those that are missing the options
        count.
    :param memory_mb: the whole machine's RAM, MiB.
    """
    guests = list(guests)
    modes = collections.Counter(
        mode_of(guest.vm_mode, settings) for guest in guests
    )
    return dom0.Load(
        memory_mb=memory_mb,
        dom0_memory_mb=known.value('dom0_memory_mb', settings.dom0_memory_mb),
        dom0_vcpus=known.value('dom0_vcpus', settings.dom0_vcpus),
        hvm=modes['hvm'],
        pv=modes['pv'],
        pvh=modes['pvh'],
        guests_memory_mb=sum(guest.memory_mb for guest in guests),
        guests_vcpus=sum(guest.vcpus for guest in guests),
    )
