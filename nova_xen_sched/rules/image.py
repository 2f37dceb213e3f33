# SPDX-License-Identifier: Apache-2.0

"""Does the host run the image, and does the site want it there?"""

from __future__ import annotations

import typing as ty

from nova_xen_sched import conf
from nova_xen_sched import versions
from nova_xen_sched.host import GuestType
from nova_xen_sched.host import Host
from nova_xen_sched.refusal import Code
from nova_xen_sched.refusal import each_once
from nova_xen_sched.refusal import Refusal
from nova_xen_sched.request import GuestRequest

#: vm_mode 'xen' is what everybody but nova calls PV.
_MODE_NAMES = {'xen': 'xen (PV)', 'hvm': 'hvm (HVM)'}


#: The parts of a guest type, and the image properties that name them.
_PROPERTIES = {
    Code.ARCHITECTURE: 'hw_architecture',
    Code.HYPERVISOR_TYPE: 'img_hv_type',
    Code.VM_MODE: 'hw_vm_mode',
}
_PARTS = tuple(_PROPERTIES)


def _mode(vm_mode: str) -> str:
    return _MODE_NAMES.get(vm_mode, vm_mode)


def _matching(
    guest: GuestRequest, host: Host, vm_mode: str | None
) -> list[GuestType]:
    """The host's guest types that fit, position by position."""
    return [
        (arch, hv_type, mode)
        for arch, hv_type, mode in host.guest_types
        if guest.architecture in (None, arch)
        and guest.hypervisor_type in (None, hv_type)
        and vm_mode in (None, mode)
    ]


def part(
    code: Code, guest: GuestRequest, host: Host, settings: conf.Settings
) -> Refusal | None:
    """The host must offer this part of a guest type, if the image names it.

    :param code: of the part: ARCHITECTURE, HYPERVISOR_TYPE or VM_MODE.
    """
    wanted = getattr(guest, code.value)
    offered = [each[_PARTS.index(code)] for each in host.guest_types]
    if wanted is None or wanted in offered:
        return None
    name: ty.Callable[[str], str] = str
    remedy = "correct the image's %s (or %s) if it is wrong"
    remedy %= (_PROPERTIES[code], code)
    if code is Code.VM_MODE:
        name = _mode
        if host.is_xen and wanted == 'hvm':
            remedy = (
                "enable hardware virtualization (VT-x, AMD-V) in the host's "
                'firmware, or use an image that can run as PV'
            )
    return Refusal(
        code,
        "the image's %s is %s, the host offers %s"
        % (code, name(wanted), each_once(map(name, offered))),
        remedy,
    )


def guest_type(
    guest: GuestRequest, host: Host, settings: conf.Settings
) -> Refusal | None:
    """One guest type of the host must fit in all three positions."""
    if not guest.names_a_type or _matching(guest, host, guest.vm_mode):
        return None
    if any(part(code, guest, host, settings) for code in _PARTS):
        return None
    return Refusal(
        Code.GUEST_TYPE,
        'the image asks for %s together, the host offers %s'
        % (
            '/'.join(getattr(guest, code.value) or '*' for code in _PARTS),
            each_once('/'.join(triple) for triple in host.guest_types),
        ),
        "correct the image's hw_architecture, img_hv_type or hw_vm_mode if "
        'one is wrong',
    )


def pv_by_default(
    guest: GuestRequest, host: Host, settings: conf.Settings
) -> Refusal | None:
    """An image without vm_mode must find the mode it will be built in."""
    if not host.is_xen or guest.vm_mode is not None:
        return None
    if settings.default_vm_mode == 'any':
        return None
    types = _matching(guest, host, None)
    modes = [mode for _, _, mode in types]
    # Where nothing fits, another rule says so.
    if not types or settings.default_vm_mode in modes:
        return None
    return Refusal(
        Code.PV_BY_DEFAULT,
        'the image names no vm_mode, so a Xen host builds it as %s, and the '
        'host offers %s'
        % (_mode(settings.default_vm_mode), each_once(map(_mode, modes))),
        "set the image's vm_mode to %s if it can run so"
        % ' or '.join(sorted(set(modes))),
    )


def hypervisor_version(
    guest: GuestRequest, host: Host, settings: conf.Settings
) -> Refusal | None:
    """The hypervisor's version must satisfy the image's predicate.

    Just as in nova's ImagePropertiesFilter: only where the image names a
    part of a guest type, and an unreported version passes.
    """
    required = guest.hypervisor_version_requires
    if not (guest.names_a_type and required):
        return None
    version = versions.from_nova_int(host.hypervisor_version)
    if version is None or versions.satisfies(version, required):
        return None
    return Refusal(
        Code.HYPERVISOR_VERSION,
        'the image requires hypervisor version %s, the host reports %s'
        % (required, version),
        "correct the image's img_hv_requested_version (or "
        'hypervisor_version_requires), or upgrade the host; of Xen nova '
        'knows no patch level, so 4.14.6 counts as 4.14.0',
    )


def maxphysaddr_bits(
    guest: GuestRequest, host: Host, settings: conf.Settings
) -> Refusal | None:
    """The host must have the physical address bits that the image asks for.

    Where nova has the property (27 and later) just as there: unknown bits
    pass.
    """
    required, offered = guest.maxphysaddr_bits, host.maxphysaddr_bits
    if not (guest.names_a_type and required and offered):
        return None
    if offered >= required:
        return None
    return Refusal(
        Code.MAXPHYSADDR_BITS,
        "the image's hw_maxphysaddr_bits is %d, the host has %d"
        % (required, offered),
        "lower the image's hw_maxphysaddr_bits if the guest can do with less",
    )


def hypervisor_type_required(
    guest: GuestRequest, host: Host, settings: conf.Settings
) -> Refusal | None:
    """Where the site wants it, an untyped image goes to no Xen host."""
    if not (host.is_xen and settings.require_hypervisor_type):
        return None
    if guest.hypervisor_type is not None:
        return None
    return Refusal(
        Code.HYPERVISOR_TYPE_REQUIRED,
        'the image names no hypervisor_type, and [xen_scheduler] '
        'require_hypervisor_type is set',
        'set hypervisor_type=xen on the image if it is meant for Xen',
    )


def disk_format(
    guest: GuestRequest, host: Host, settings: conf.Settings
) -> Refusal | None:
    """A Xen host must accept the image's format, if the site lists them."""
    if not (host.is_xen and settings.disk_formats and guest.disk_format):
        return None
    if guest.boot_from_volume or guest.disk_format in settings.disk_formats:
        return None
    return Refusal(
        Code.DISK_FORMAT,
        "the image's disk_format is %s, [xen_scheduler] disk_formats lists %s"
        % (guest.disk_format, each_once(settings.disk_formats)),
        'convert the image (qemu-img convert), or boot from a volume',
    )
