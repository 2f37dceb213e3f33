# SPDX-License-Identifier: Apache-2.0

"""A RequestSpec as nova's API and conductor hand it to the scheduler.

That of a server that exists is the stored one, to which is done what they do
for each operation, in memory only. Ports that ask for bandwidth are left out:
they are known to Neutron, not to nova.
"""

from __future__ import annotations

import typing as ty

from nova import context as nova_context
from nova import objects
from nova.compute import api as compute_api
from nova.compute import utils as compute_utils
import nova.conf
from nova.objects import image_meta
from nova.pci import request as pci_request
from nova.scheduler import utils
from nova.virt import hardware
from oslo_utils import uuidutils

from nova_xen_sched import request
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd.nova import failures
from nova_xen_sched.cmd.nova import private
from nova_xen_sched.cmd.nova.scheduler import Cloud
from nova_xen_sched.cmd.nova.scheduler import Server
from nova_xen_sched.request import Kind

CONF = nova.conf.CONF


def image_of(properties: ty.Mapping[str, ty.Any], disk_format: str) -> ty.Any:
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
        with failures.refusing('the image property %s=%s' % (name, value)):
            read = image_meta.ImageMetaProps.from_dict({name: value})
        if not read.obj_what_changed():
            unknown.append(name)
    return unknown


def root_volume(image: ty.Mapping[str, ty.Any], flavor: ty.Any) -> ty.Any:
    """The volume that an image has nova make for the root disk.

    :param image: as nova's API has it.
    :returns: a nova BlockDeviceMapping; None if there is none.
    :raises errors.Failure: if nova would refuse the image's mappings.
    """
    with failures.refusing('this request'):
        return private.volume_of_image(image, flavor)


def boot(
    cloud: Cloud,
    image: ty.Mapping[str, ty.Any],
    flavor: ty.Any,
    *,
    zone: str | None = None,
    hints: ty.Mapping[str, list[str]] | None = None,
    project_id: str | None = None,
    boot_from_volume: bool = False,
) -> ty.Any:
    """The nova RequestSpec of a boot.

    :param image: the image as nova's API has it.
    :param flavor: a nova Flavor.
    :param zone: the availability zone asked for, ZONE:HOST to force a host.
    :param hints: the scheduler hints.
    :param project_id: whose server it is to be.
    :param boot_from_volume: from a volume of its own; an image may name one,
        too, as that of a volume-backed server's snapshot does.
    :raises errors.Failure: if nova would refuse it before it asks its
        scheduler.
    """
    check_properties(image['properties'])
    hints = dict(hints or {})
    is_bfv = boot_from_volume or root_volume(image, flavor) is not None
    with failures.reading("nova's API database"), failures.refusing(
        'this request'
    ):
        meta = objects.ImageMeta.from_dict(dict(image))
        zone, *forced = compute_api.API.parse_availability_zone(
            cloud.context, zone
        )
        if (
            zone
            and forced[0] is None
            and zone not in private.available_zones(cloud.context)
        ):
            raise errors.Failure(
                'nova refuses the availability zone %s, in which no host is '
                'enabled: see openstack availability zone list.' % zone
            )
        group = None
        if 'group' in hints:
            group = objects.InstanceGroup.get_by_uuid(
                cloud.context, hints['group'][0]
            )
        spec = objects.RequestSpec.from_components(
            cloud.context,
            uuidutils.generate_uuid(),
            meta,
            flavor,
            hardware.numa_get_constraints(flavor, meta),
            pci_request.get_pci_requests_from_flavor(flavor),
            utils.build_filter_properties(hints, *forced, flavor),
            group,
            zone,
            project_id=project_id,
        )
        spec.is_bfv = is_bfv
        utils.setup_instance_group(cloud.context, spec)
    request.set_kind(spec, Kind.BOOT)
    return spec


def of_server(
    cloud: Cloud,
    server: Server,
    operation: str,
    kind: Kind,
    *,
    image: ty.Mapping[str, ty.Any] | None = None,
    flavor: ty.Any = None,
) -> ty.Any:
    """The nova RequestSpec of an operation on a server that exists.

    :param operation: what is to be done with it, for reading.
    :param kind: of a request that is; a boot is as it was booted once.
    :param image: rebuild with this image, as nova's API has it.
    :param flavor: resize to this nova Flavor.
    :raises errors.Failure: if nova can make no request of it.
    """
    spec, instance = server.request_spec, server.instance
    what = 'to %s server %s' % (operation, instance.uuid)
    # None of this is stored with it, whatever nova it is from.
    spec.ignore_hosts = spec.requested_destination = None
    with failures.reading("nova's databases"), nova_context.target_cell(
        cloud.context, server.cell
    ) as context, failures.refusing(what):
        if flavor is not None:
            _resize(spec, instance, flavor)
        if image is not None:
            check_properties(image['properties'])
            spec.image = objects.ImageMeta.from_dict(dict(image))
        if kind is Kind.REBUILD:
            _stay(spec, server)
        elif operation == 'unshelve':
            _anywhere(spec, server)
        elif kind is not Kind.BOOT:
            _leave(spec, server, kind)
        if kind is not Kind.BOOT:
            spec.ensure_project_and_user_id(instance)
            # nova 22 has it not.
            if hasattr(spec, 'ensure_network_information'):
                spec.ensure_network_information(instance)
        if 'is_bfv' not in spec:
            spec.is_bfv = compute_utils.is_volume_backed_instance(
                context, instance
            )
        utils.setup_instance_group(context, spec)
    request.set_kind(spec, kind)
    return spec


def _resize(spec: ty.Any, instance: ty.Any, flavor: ty.Any) -> None:
    """To another flavor."""
    spec.flavor = flavor
    spec.numa_topology = hardware.numa_get_constraints(
        flavor, instance.image_meta
    )
    wanted = pci_request.get_pci_requests_from_flavor(flavor)
    wanted.instance_uuid = instance.uuid
    known = spec.pci_requests.requests if spec.pci_requests else ()
    # Those of ports stay.
    wanted.requests += [
        each
        for each in known
        if each.source == objects.InstancePCIRequest.NEUTRON_PORT
    ]
    spec.pci_requests = wanted


def _anywhere(spec: ty.Any, server: Server) -> None:
    """Within its cell."""
    # What was forced when it was booted counts no more.
    spec.reset_forced_destinations()
    spec.requested_destination = objects.Destination(
        cell=server.cell, allow_cross_cell_move=False
    )
    # From nova 26 on.
    if hasattr(spec, 'generate_request_groups_from_pci_requests'):
        spec.requested_resources = []
        spec.generate_request_groups_from_pci_requests()


def _leave(spec: ty.Any, server: Server, kind: Kind) -> None:
    """Away from its host, within its cell."""
    _anywhere(spec, server)
    spec.ignore_hosts = [server.instance.host]
    resized = spec.flavor.flavorid != server.instance.flavor.flavorid
    # libvirt never migrates a server cold to where it is.
    if kind is Kind.MOVE and resized and CONF.allow_resize_to_same_host:
        spec.ignore_hosts = []


def _stay(spec: ty.Any, server: Server) -> None:
    """Where it is; nova asks only whether the new image fits there."""
    hints = dict(spec.scheduler_hints or {})
    spec.scheduler_hints = dict(hints, _nova_check_type=['rebuild'])
    spec.force_hosts = [server.instance.host]
    spec.force_nodes = [server.instance.node]
    spec.requested_destination = objects.Destination(cell=server.cell)
