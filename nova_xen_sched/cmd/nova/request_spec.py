# SPDX-License-Identifier: Apache-2.0

"""A RequestSpec for an image and a flavor, as nova's API would make it."""

from __future__ import annotations

import typing as ty

from nova import availability_zones
from nova import exception
from nova import objects
from nova.compute import api as compute_api
import nova.conf
from nova.objects import image_meta
from nova.pci import request as pci_request
from nova.scheduler import utils
from nova.virt import hardware
from oslo_utils import uuidutils

from nova_xen_sched import request
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd.nova import failures
from nova_xen_sched.cmd.nova.scheduler import View

CONF = nova.conf.CONF


def image_of(properties: ty.Mapping[str, str], disk_format: str) -> ty.Any:
    """An image of these properties, as nova's API reads one from Glance."""
    return {
        'id': uuidutils.generate_uuid(),
        'name': '',
        'status': 'active',
        'container_format': 'bare',
        'disk_format': disk_format,
        'min_ram': 0,
        'min_disk': 0,
        'size': 0,
        'properties': dict(properties),
    }


def flavor_of(ram: int, vcpus: int, disk: int) -> ty.Any:
    """A nova Flavor of this size: MiB, vCPUs, GiB."""
    name = '%d MiB, %d vCPUs, %d GiB' % (ram, vcpus, disk)
    return objects.Flavor(
        id=0,
        flavorid='',
        name=name,
        memory_mb=ram,
        vcpus=vcpus,
        root_gb=disk,
        ephemeral_gb=0,
        swap=0,
        rxtx_factor=1.0,
        vcpu_weight=0,
        disabled=False,
        is_public=True,
        extra_specs={},
        projects=[],
    )


def check_properties(properties: ty.Mapping[str, ty.Any]) -> list[str]:
    """Look at an image's properties as nova's API would.

    :returns: the names that mean nothing to nova.
    :raises errors.Failure: if nova's API would refuse a value.
    """
    unknown = []
    for name, value in sorted(properties.items()):
        try:
            read = image_meta.ImageMetaProps.from_dict({name: value})
        except (ValueError, TypeError, exception.NovaException) as e:
            raise errors.Failure(
                'nova refuses the image property %s=%s: %s.'
                % (name, value, errors.one_line(e))
            ) from e
        if not read.obj_what_changed():
            unknown.append(name)
    return unknown


def boot(
    view: View,
    image: ty.Mapping[str, ty.Any],
    flavor: ty.Any,
    *,
    zone: str | None = None,
    hints: ty.Mapping[str, list[str]] | None = None,
    project_id: str | None = None,
    boot_from_volume: bool = False,
) -> ty.Any:
    """The nova RequestSpec of a boot, as nova's API and conductor make it.

    :param image: the image as nova's API has it.
    :param flavor: a nova Flavor.
    :param zone: the availability zone asked for, ZONE:HOST to force a host.
    :param hints: the scheduler hints.
    :param project_id: whose server it is to be.
    :raises errors.Failure: if nova would refuse it before it asks its
        scheduler.
    """
    check_properties(image['properties'])
    hints = dict(hints or {})
    with failures.reading("nova's API database"):
        try:
            compute_api.API._validate_flavor_image_nostatus(
                view.context,
                image,
                flavor,
                # Whether a flavor may be without a disk is up to the policy
                # of nova's API, and to who asks.
                _volume() if boot_from_volume or not flavor.root_gb else None,
            )
            meta = objects.ImageMeta.from_dict(dict(image))
            zone, *forced = _zone(view, zone)
            spec = objects.RequestSpec.from_components(
                view.context,
                uuidutils.generate_uuid(),
                meta,
                flavor,
                hardware.numa_get_constraints(flavor, meta),
                pci_request.get_pci_requests_from_flavor(flavor),
                utils.build_filter_properties(hints, *forced, flavor),
                _group(view, hints),
                zone,
                project_id=project_id,
            )
            spec.is_bfv = boot_from_volume
            utils.setup_instance_group(view.context, spec)
        except (ValueError, exception.NovaException) as e:
            raise errors.Failure(
                'nova refuses this request: %s.' % errors.one_line(e)
            ) from e
    request.tell(spec, request.Kind.BOOT)
    return spec


def _volume() -> ty.Any:
    """A root disk that is a volume, whose size is not known here."""
    return objects.BlockDeviceMapping(
        source_type='volume', destination_type='volume', volume_size=None
    )


def _zone(
    view: View, asked: str | None
) -> tuple[str | None, str | None, str | None]:
    """The zone, host and node of a request, as nova's API reads them.

    :raises errors.Failure: if nova's API would refuse the zone.
    """
    zone, host, node = compute_api.API.parse_availability_zone(
        view.context, asked
    )
    if zone and host is None:
        # nova's own reads the databases alone; it would connect to the bus.
        api = compute_api.HostAPI(rpcapi=object())
        zones = availability_zones.get_availability_zones(
            view.context, api, get_only_available=True
        )
        if zone not in zones:
            raise errors.Failure(
                'nova refuses the availability zone %s, in which no host is '
                'enabled: see openstack availability zone list.' % zone
            )
    return zone, host, node


def _group(view: View, hints: ty.Mapping[str, list[str]]) -> ty.Any:
    if 'group' not in hints:
        return None
    return objects.InstanceGroup.get_by_uuid(view.context, hints['group'][0])
