# SPDX-License-Identifier: Apache-2.0

"""A Xen host as libvirt, and dom0 itself, describe it.

reader.py reads one host through an open libvirt connection, local.py what
only dom0 itself can say, sizing.py what dom0's sizes mean. These need neither
nova nor oslo, and libvirt only where a connection is opened: a virt driver
uses the same ones. The facts for the scheduler are in stated.py.
"""

from __future__ import annotations

import dataclasses
import typing as ty

from nova_xen_sched.xenhost.capabilities import GuestType

#: What libvirt's Xen driver calls itself.
XEN = 'Xen'

FIXED = 'fixed'
BALLOONING = 'ballooning'
UNKNOWN = 'unknown'


@dataclasses.dataclass(frozen=True)
class Dom0:
    """The privileged guest.

    :ivar memory_mb: what it has now, MiB.
    :ivar maximum_mb: what it may have, MiB; all of the machine where Xen's
        command line names no maximum.
    :ivar sizing: FIXED if its memory is a size, BALLOONING if it gives memory
        to each guest that starts, UNKNOWN where it can't be told.
    :ivar vcpus: its vCPUs.
    :ivar pinned: whether they are pinned to CPUs; only dom0 itself can say.
    :ivar total_mb: what its kernel sees, MiB; only dom0 itself can say.
    :ivar available_mb: what is left for new programs in it, MiB; likewise.
    """

    memory_mb: ty.Optional[int] = None
    maximum_mb: ty.Optional[int] = None
    sizing: str = UNKNOWN
    vcpus: ty.Optional[int] = None
    pinned: ty.Optional[bool] = None
    total_mb: ty.Optional[int] = None
    available_mb: ty.Optional[int] = None


@dataclasses.dataclass(frozen=True)
class Guests:
    """The running guests, dom0 left out.

    :ivar hvm: how many HVM guests there are; pv, pvh and unknown likewise.
    :ivar memory_mb: of all, MiB.
    :ivar vcpus: of all.
    """

    hvm: int = 0
    pv: int = 0
    pvh: int = 0
    unknown: int = 0
    memory_mb: int = 0
    vcpus: int = 0

    @property
    def count(self) -> int:
        """All of them."""
        return self.hvm + self.pv + self.pvh + self.unknown


@dataclasses.dataclass(frozen=True)
class DeviceModel:
    """A QEMU in dom0 that serves a guest, or dom0 itself.

    :ivar domain_id: Xen's number of the guest; 0 is dom0.
    :ivar mode: of the guest: hvm, pv, pvh or unknown; dom0 for dom0's own.
    :ivar resident_kb: its resident memory, KiB; the program's text, which
        all of them share, counts in each.
    :ivar anonymous_kb: the part that is its own, KiB.
    """

    domain_id: int
    mode: str
    resident_kb: int
    anonymous_kb: ty.Optional[int] = None


@dataclasses.dataclass(frozen=True)
class XenHost:
    """What a host says of itself; None is what it didn't say.

    :ivar uri: by which libvirt was asked.
    :ivar hostname: libvirt's name of it, which may be fully qualified.
    :ivar hypervisor: the driver's own name: XEN, or that of another.
    :ivar libvirt_version: of libvirt on the host, '9.0.0'.
    :ivar xen_version: '4.17.5', or '4.17' where the patch level is not
        known: it is never in libvirt's answer, only dom0 itself knows it.
    :ivar guest_types: (architecture, type, os type), as in capabilities.py.
    :ivar live_migration: whether the capabilities name live migration.
    :ivar memory_mb: of the whole machine, MiB.
    :ivar free_memory_mb: what Xen has left for guests, MiB.
    :ivar cpus: of the whole machine.
    :ivar command_line: Xen's own; only dom0 itself knows it.
    :ivar dom0: None if this host has none, or hides it.
    :ivar device_models: what runs in dom0 for the guests; only dom0 itself
        knows it.
    :ivar qemu_driver: whether libvirt's QEMU driver is there too.
    :ivar problems: what could not be read: part -> why, one line each.
    """

    uri: str = ''
    hostname: ty.Optional[str] = None
    hypervisor: ty.Optional[str] = None
    libvirt_version: ty.Optional[str] = None
    xen_version: ty.Optional[str] = None
    guest_types: ty.Optional[ty.Tuple[GuestType, ...]] = None
    live_migration: ty.Optional[bool] = None
    memory_mb: ty.Optional[int] = None
    free_memory_mb: ty.Optional[int] = None
    cpus: ty.Optional[int] = None
    command_line: ty.Optional[str] = None
    dom0: ty.Optional[Dom0] = None
    guests: ty.Optional[Guests] = None
    device_models: ty.Optional[ty.Tuple[DeviceModel, ...]] = None
    qemu_driver: ty.Optional[bool] = None
    problems: ty.Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def is_xen(self) -> bool:
        """Whether this is libvirt's Xen driver."""
        return self.hypervisor == XEN

    def as_dict(self) -> dict[str, ty.Any]:
        """It as what JSON can hold; from_dict() reads it."""
        return dataclasses.asdict(self)


def from_dict(data: ty.Mapping[str, ty.Any]) -> XenHost:
    """The host of which as_dict() made this.

    :raises ValueError: if it is something else.
    """
    try:
        fields = dict(data.items())
        if fields.get('guest_types') is not None:
            fields['guest_types'] = tuple(
                (str(arch), str(kind), str(mode))
                for arch, kind, mode in fields['guest_types']
            )
        if fields.get('dom0') is not None:
            fields['dom0'] = Dom0(**fields['dom0'])
        if fields.get('guests') is not None:
            fields['guests'] = Guests(**fields['guests'])
        if fields.get('device_models') is not None:
            fields['device_models'] = tuple(
                DeviceModel(**each) for each in fields['device_models']
            )
        return XenHost(**fields)
    except (AttributeError, TypeError, ValueError) as e:
        raise ValueError('not a description of a host: %s' % e) from e
