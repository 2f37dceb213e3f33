# SPDX-License-Identifier: Apache-2.0

"""Does the site want this image on its Xen hosts?"""

from __future__ import annotations

from nova_xen_sched import conf
from nova_xen_sched.host import Host
from nova_xen_sched.refusal import Code
from nova_xen_sched.refusal import listed
from nova_xen_sched.refusal import Refusal
from nova_xen_sched.request import GuestRequest


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
        % (guest.disk_format, listed(settings.disk_formats)),
        'convert the image (qemu-img convert), or boot from a volume',
    )
