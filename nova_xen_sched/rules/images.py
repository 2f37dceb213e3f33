# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

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
