# SPDX-License-Identifier: Apache-2.0

"""The requests of a simulation, and what placement has for each kind."""

from __future__ import annotations

import argparse
import dataclasses
import functools
import typing as ty

from nova_xen_sched import request
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd import guest_arguments
from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd.nova import flavor_and_image
from nova_xen_sched.cmd.nova import images
from nova_xen_sched.cmd.nova import placement
from nova_xen_sched.cmd.nova import request_spec
from nova_xen_sched.cmd.nova import xen_hosts
from nova_xen_sched.cmd.nova.scheduler import Cloud
from nova_xen_sched.cmd.progress import Progress
from nova_xen_sched.cmd.simulate.mix import Guests
from nova_xen_sched.load import mode_of

#: nova's vm_mode for --vm-mode; it has none for PVH.
_VM_MODES = {'hvm': 'hvm', 'pv': 'xen', 'xen': 'xen'}


@dataclasses.dataclass(frozen=True)
class Kind:
    """Guests of one kind.

    :ivar count: how many of them are booted.
    :ivar label: what they are called.
    :ivar spec: the nova RequestSpec, with what nova's request filters add.
    :ivar vm_mode: that of the guests once they are there; None if the image
        names none.
    :ivar candidates: placement's, before any of them is booted.
    """

    count: int
    label: tables.Structured
    spec: ty.Any
    vm_mode: str | None
    candidates: placement.Candidates


def read(cloud: Cloud, mix: ty.Iterable[Guests]) -> list[Kind]:
    """The kinds of a mix.

    :raises errors.Failure: if a flavor or an image isn't there, nova refuses
        to boot it, or placement can't be asked.
    """
    glance = functools.lru_cache(maxsize=None)(images.connect)
    return [_kind(cloud, each, glance) for each in mix]


def _kind(
    cloud: Cloud, guests: Guests, glance: ty.Callable[[], ty.Any]
) -> Kind:
    flavor = guest_arguments.flavor(
        cloud, argparse.Namespace(**dataclasses.asdict(guests))
    )
    image = _image(guests, glance)
    # nova wants a volume where the flavor has no disk.
    from_volume = not flavor.root_gb
    root_volume = request_spec.root_volume(image, flavor)
    if from_volume:
        root_volume = flavor_and_image.volume()
    refusals = flavor_and_image.refuses_boot(cloud, image, flavor, root_volume)
    if refusals:
        raise errors.Failure(str(refusals[0]))
    spec = request_spec.boot(
        cloud, image, flavor, boot_from_volume=from_volume
    )
    with Progress('Asking placement'):
        candidates = placement.candidates(
            cloud.context, spec, cloud.host_manager, every=True
        )
    vm_mode = request.from_spec(spec).vm_mode
    if not guests.image and guests.vm_mode == 'pvh':
        vm_mode = 'pvh'
    label = guest_arguments.kind(
        flavor, mode_of(vm_mode, xen_hosts.settings())
    )
    named = {**label.machine_readable(), 'image': guests.image}
    text = tables.text(label)
    if vm_mode is None:
        # Of an image that names none, the host decides.
        text = text.replace(named['mode'].upper() + ' guests', 'guests', 1)
        named['mode'] = None
    if guests.image:
        text += ', image %s' % guests.image
    return Kind(
        guests.count,
        tables.Structured(named, text),
        spec,
        vm_mode,
        candidates,
    )


def _image(
    guests: Guests, glance: ty.Callable[[], ty.Any]
) -> ty.Mapping[str, ty.Any]:
    if guests.image:
        with Progress('Reading the image in Glance'):
            return images.find(glance(), guests.image)
    properties = {'hypervisor_type': 'xen'}
    if guests.vm_mode in _VM_MODES:
        properties['vm_mode'] = _VM_MODES[guests.vm_mode]
    image: ty.Mapping[str, ty.Any] = request_spec.image_of(properties, 'raw')
    return image
