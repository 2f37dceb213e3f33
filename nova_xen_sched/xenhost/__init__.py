# SPDX-License-Identifier: Apache-2.0

"""A Xen host as libvirt and its dom0 report it.

reader.py reads one host through an open libvirt connection, local.py what
only dom0 itself knows, read_many.py many hosts at once. Reading needs neither
nova nor oslo, and libvirt only where a connection is opened: a virt driver
reads the same way. dom0_mem.py says whether a dom0 balloons, dom0_size.py
how large it should be; findings.py compares a host with the guide,
to_facts.py says what of it the scheduler reads.
"""

from __future__ import annotations

import dataclasses
import typing as ty

#: What libvirt's Xen driver calls itself.
XEN = 'Xen'

FIXED = 'fixed'
BALLOONING = 'ballooning'
UNKNOWN = 'unknown'

#: What libvirt's libxl.conf says of ballooning: autoballoon is set to 1 or 0
#: in it, or left to Xen's command line; or there is no such file.
ON = 'on'
OFF = 'off'
AUTO = 'auto'
NO_FILE = 'no file'


@dataclasses.dataclass(frozen=True)
class Dom0:
    """The privileged guest.

    :ivar memory_mb: what it has now, MiB.
    :ivar maximum_mb: what it may have, MiB; all of the machine where Xen's
        command line names no maximum.
    :ivar sizing: FIXED if its memory is a size, BALLOONING if it gives memory
        to each guest that starts, UNKNOWN where neither is certain.
    :ivar sizing_reason: which program decides that, and by what.
    :ivar vcpus: its vCPUs.
    :ivar pinned: whether they are pinned to CPUs; read in dom0 only.
    :ivar total_mb: what its kernel has, MiB; read in dom0 only.
    :ivar available_mb: what is left for new programs in it, MiB; likewise.
    """

    memory_mb: ty.Optional[int] = None
    maximum_mb: ty.Optional[int] = None
    sizing: str = UNKNOWN
    vcpus: ty.Optional[int] = None
    pinned: ty.Optional[bool] = None
    total_mb: ty.Optional[int] = None
    available_mb: ty.Optional[int] = None
    sizing_reason: str = ''


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
class Setup:
    """What of dom0 nova and Neutron rest on; None is what can't be told.

    :ivar linuxbridge: whether that agent of Neutron's is configured.
    :ivar ovs_firewall: of Neutron's Open vSwitch agent, firewall_driver; ''
        where it is not set, None where there is no such agent, too.
    :ivar ebtables_nft: whether ebtables is the one that speaks nftables.
    :ivar hvmloaders: where Xen's firmware of HVM guests is.
    :ivar compute_user: by whom its service runs nova-compute.
    :ivar ssh_key: whether that user has one; root or nova where none is known.
    :ivar libguestfs: whether nova can import it.
    :ivar libguestfs_backend: by which it starts its guest: direct, libvirt.
    :ivar tls: whether libvirt's certificates and keys are where it looks for
        them by default.
    """

    linuxbridge: bool = False
    ebtables_nft: ty.Optional[bool] = None
    ovs_firewall: ty.Optional[str] = None
    hvmloaders: ty.Tuple[str, ...] = ()
    compute_user: ty.Optional[str] = None
    ssh_key: ty.Optional[bool] = None
    libguestfs: ty.Optional[bool] = None
    libguestfs_backend: ty.Optional[str] = None
    tls: ty.Optional[bool] = None


@dataclasses.dataclass(frozen=True)
class XenHost:
    """What a host reports of itself; None is what it doesn't report.

    :ivar uri: by which its libvirt was reached.
    :ivar hostname: libvirt's name of it, which may be fully qualified.
    :ivar hypervisor: the driver's own name: XEN, or that of another.
    :ivar libvirt_version: of libvirt on the host, '9.0.0'.
    :ivar xen_version: '4.17.5', or '4.17' where the patch level is not
        known: libvirt never reports it, it is read in dom0 only.
    :ivar guest_types: (architecture, type, os type), as libvirt spells them:
        see reader.guest_types().
    :ivar live_migration: whether the capabilities name live migration.
    :ivar memory_mb: of the whole machine, MiB.
    :ivar free_memory_mb: what Xen has left for guests, MiB.
    :ivar cpus: of the whole machine.
    :ivar command_line: Xen's own; read in dom0 only.
    :ivar autoballoon: what libvirt's libxl.conf says of it: ON, OFF, AUTO or
        NO_FILE; read in dom0 only.
    :ivar dom0: None if this host has none, or hides it.
    :ivar guest_names: of all guests, those that are shut off too; dom0 left
        out.
    :ivar device_models: what runs in dom0 for the guests; read in dom0 only.
    :ivar qemu_driver: whether libvirt's QEMU driver is there too.
    :ivar setup: what nova and Neutron rest on; read in dom0 only.
    :ivar problems: what could not be read: part -> why, one line each.
    """

    uri: str = ''
    hostname: ty.Optional[str] = None
    hypervisor: ty.Optional[str] = None
    libvirt_version: ty.Optional[str] = None
    xen_version: ty.Optional[str] = None
    guest_types: ty.Optional[ty.Tuple[ty.Tuple[str, str, str], ...]] = None
    live_migration: ty.Optional[bool] = None
    memory_mb: ty.Optional[int] = None
    free_memory_mb: ty.Optional[int] = None
    cpus: ty.Optional[int] = None
    command_line: ty.Optional[str] = None
    autoballoon: ty.Optional[str] = None
    dom0: ty.Optional[Dom0] = None
    guests: ty.Optional[Guests] = None
    guest_names: ty.Optional[ty.Tuple[str, ...]] = None
    device_models: ty.Optional[ty.Tuple[DeviceModel, ...]] = None
    qemu_driver: ty.Optional[bool] = None
    setup: ty.Optional[Setup] = None
    problems: ty.Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def is_xen(self) -> bool:
        """Whether this is libvirt's Xen driver."""
        return self.hypervisor == XEN

    def as_dict(self) -> dict[str, ty.Any]:
        """It as what JSON can hold; from_dict() reads it."""
        return dataclasses.asdict(self)


#: Field -> how it is made again of what JSON holds.
_FROM_DICT: ty.Mapping[str, ty.Callable[[ty.Any], ty.Any]] = {
    'guest_types': lambda found: tuple(
        (str(arch), str(kind), str(mode)) for arch, kind, mode in found
    ),
    'dom0': lambda found: Dom0(**found),
    'guests': lambda found: Guests(**found),
    'guest_names': lambda found: tuple(map(str, found)),
    'device_models': lambda found: tuple(
        DeviceModel(**each) for each in found
    ),
    'setup': lambda found: Setup(
        **{**found, 'hvmloaders': tuple(found.get('hvmloaders', ()))}
    ),
}


def from_dict(data: ty.Mapping[str, ty.Any]) -> XenHost:
    """The host of which as_dict() made this.

    :raises ValueError: if it is something else.
    """
    try:
        fields = dict(data.items())
        for name, made in _FROM_DICT.items():
            if fields.get(name) is not None:
                fields[name] = made(fields[name])
        return XenHost(**fields)
    except (AttributeError, TypeError, ValueError) as e:
        raise ValueError('not a description of a host: %s' % e) from e
