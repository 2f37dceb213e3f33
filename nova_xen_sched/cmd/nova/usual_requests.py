# SPDX-License-Identifier: Apache-2.0

"""Requests that stand for those of users and operators."""

from __future__ import annotations

import typing as ty

from nova_xen_sched import request
from nova_xen_sched.cmd.nova import request_spec
from nova_xen_sched.request import Kind

if ty.TYPE_CHECKING:
    from nova_xen_sched.cmd.nova.scheduler import Cloud

#: The smallest guest that is usual: what it is refused for isn't its size.
_RAM, _VCPUS, _DISK = 512, 1, 1
#: By vm_mode: the properties of the image.
_PROPERTIES: ty.Mapping[str, ty.Mapping[str, str]] = {
    'hvm': {'hypervisor_type': 'xen', 'vm_mode': 'hvm'},
    'pv': {'hypervisor_type': 'xen', 'vm_mode': 'xen'},
    '': {},
}


class Usual(ty.NamedTuple):
    """One of them.

    :ivar title: what it is called in a sentence.
    :ivar kind: what it does.
    :ivar vm_mode: hvm, pv, or '' where the image names no part of its type.
    """

    title: str
    kind: Kind
    vm_mode: str


REQUESTS = (
    Usual('HVM boot', Kind.BOOT, 'hvm'),
    Usual('PV boot', Kind.BOOT, 'pv'),
    Usual('boot of an untyped image', Kind.BOOT, ''),
    Usual('HVM live migration', Kind.LIVE_MIGRATION, 'hvm'),
    Usual('PV live migration', Kind.LIVE_MIGRATION, 'pv'),
)


def spec(cloud: Cloud, usual: Usual) -> ty.Any:
    """The nova RequestSpec of one of them.

    :raises errors.Failure: if nova's databases can't be read.
    """
    image = request_spec.image_of(_PROPERTIES[usual.vm_mode], 'raw')
    flavor = request_spec.flavor_of(_RAM, _VCPUS, _DISK)
    found = request_spec.boot(cloud, image, flavor)
    request.set_kind(found, usual.kind)
    return found
