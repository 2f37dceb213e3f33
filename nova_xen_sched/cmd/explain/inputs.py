# SPDX-License-Identifier: Apache-2.0

"""From the arguments of explain to its result."""

from __future__ import annotations

import argparse
import typing as ty

from nova.scheduler import utils

from nova_xen_sched import dom0
from nova_xen_sched import host
from nova_xen_sched.cmd import guest_arguments
from nova_xen_sched.cmd.explain import OPERATIONS
from nova_xen_sched.cmd.explain import steps
from nova_xen_sched.cmd.explain.result import HostResult
from nova_xen_sched.cmd.explain.result import Result
from nova_xen_sched.cmd.nova import filtering
from nova_xen_sched.cmd.nova import flavor_and_image
from nova_xen_sched.cmd.nova import images
from nova_xen_sched.cmd.nova import preconditions
from nova_xen_sched.cmd.nova import request_spec
from nova_xen_sched.cmd.nova.scheduler import Cloud
from nova_xen_sched.cmd.progress import Progress
from nova_xen_sched.cmd.tables import Coded
from nova_xen_sched.weights import Dom0HeadroomWeigher

_OF_THE_VOLUME = Coded(
    'volume_properties',
    'For a volume that exists already, nova reads the properties of the '
    'volume, not those of the image that the volume was made of. This changes '
    'them:',
    'openstack volume set --image-property NAME=VALUE VOLUME',
)


def explain(cloud: Cloud, args: argparse.Namespace) -> tuple[Result, ty.Any]:
    """What would happen to the request that the arguments describe.

    :param args: of the command explain.
    :returns: with the nova RequestSpec; None if nova makes none.
    :raises errors.Failure: if anything of it is wrong or out of reach.
    """
    if args.server:
        return _of_server(cloud, args)
    image = _image(args)
    flavor = guest_arguments.flavor(cloud, args)
    spec = request_spec.boot(
        cloud,
        image,
        flavor,
        zone=args.availability_zone,
        hints=_pairs(args.hint),
        project_id=args.project,
        boot_from_volume=args.boot_from_volume,
    )
    result = steps.explain(cloud, spec)
    root_volume = request_spec.root_volume(image, flavor)
    if args.boot_from_volume:
        root_volume = flavor_and_image.volume()
    result.nova_refuses += flavor_and_image.refuses_boot(
        cloud, image, flavor, root_volume
    )
    unknown = request_spec.check_properties(image['properties'])
    # Of an image in Glance, what means nothing to nova is no news.
    if unknown and not args.image:
        result.notes.append(
            Coded(
                'unknown_properties',
                'These image properties mean nothing to nova: %s.'
                % ', '.join(unknown),
            )
        )
    if args.boot_from_volume:
        result.notes.append(_OF_THE_VOLUME)
    if not flavor.root_gb and not spec.is_bfv:
        result.notes.append(
            Coded(
                'zero_disk_flavor',
                "The flavor has no disk: nova's API lets only those boot from "
                'an image with it whom its policy '
                'os_compute_api:servers:create:zero_disk_flavor names.',
            )
        )
    return result, spec


def resources(
    cloud: Cloud, spec: ty.Any, of: HostResult
) -> tuple[dom0.Usage, ...]:
    """Those of a Xen host once the guest is there; none of any other.

    A host that the request itself rules out, or where the server is rebuilt,
    has the server already.
    """
    ruled_out = of.step is not None and of.step.name == filtering.REQUEST
    if (
        ruled_out
        or utils.request_is_rebuild(spec)
        or not host.is_xen(of.state)
    ):
        return ()
    return cloud.plugin(Dom0HeadroomWeigher).resources(of.state, spec)


def _of_server(
    cloud: Cloud, args: argparse.Namespace
) -> tuple[Result, ty.Any]:
    operation = args.operation or 'boot'
    server = cloud.server(args.server)
    remarks = preconditions.remarks(
        server.instance, operation, server.request_spec.image
    )
    without_host = preconditions.without_host(server, operation)
    if without_host:
        return Result([], [], {}, remarks, nova_refuses=without_host), None
    image = _image(args) if args.image or args.property else None
    flavor = None
    refusals: list[Coded] = []
    if guest_arguments.named(args):
        flavor = guest_arguments.flavor(cloud, args)
        operation = 'resize'
        refusals = flavor_and_image.refuses_resize(cloud, server, flavor)
        remarks += flavor_and_image.resize_remarks(cloud, server, flavor)
    if image is not None:
        refusals = flavor_and_image.refuses_rebuild(cloud, server, image)
        remarks += flavor_and_image.rebuild_remarks(cloud, server)
    spec = request_spec.of_server(
        cloud,
        server,
        operation,
        OPERATIONS[operation],
        image=image,
        flavor=flavor,
    )
    host_name = server.instance.host
    result = steps.explain(
        cloud, spec, host_name if operation == 'live-migrate' else None
    )
    states = {each.host: each.state for each in result.hosts}
    result.nova_refuses[:0] = (
        preconditions.refusals(
            server.instance, operation, states.get(host_name)
        )
        + refusals
    )
    result.notes += remarks
    if operation == 'boot' and host_name is not None:
        result.notes.append(
            Coded(
                'counted_twice',
                'The server that exists still takes its resources where it is '
                'now.',
            )
        )
    if operation == 'rebuild' and (
        image is None or image['id'] == server.instance.image_ref
    ):
        result.notes.append(
            Coded(
                'same_image',
                'nova does not ask its scheduler for a rebuild with the image '
                'that the server has.',
            )
        )
    return result, spec


def _image(args: argparse.Namespace) -> dict[str, ty.Any]:
    properties = images.as_nova_reads(
        {name: values[-1] for name, values in _pairs(args.property).items()}
    )
    if not args.image:
        return request_spec.image_of(properties, args.disk_format)
    with Progress('Reading the image in Glance'):
        image = images.find(images.connect(), args.image)
    image['properties'].update(properties)
    return image


def _pairs(texts: ty.Iterable[str]) -> dict[str, list[str]]:
    """What is given as KEY=VALUE: the values of each key."""
    pairs: dict[str, list[str]] = {}
    for text in texts:
        name, _, value = text.partition('=')
        pairs.setdefault(name, []).append(value)
    return pairs
