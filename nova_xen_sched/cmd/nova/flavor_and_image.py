# SPDX-License-Identifier: Apache-2.0

"""What nova's API wants of a flavor and an image before it looks for a host.

nova's own checks are run; what they say without figures is said with them.
"""

from __future__ import annotations

import typing as ty

from nova import context as nova_context
from nova import exception
from nova import objects
from nova import utils as nova_utils
from nova.compute import utils as compute_utils

from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd.nova import failures
from nova_xen_sched.cmd.nova import preconditions
from nova_xen_sched.cmd.nova import private
from nova_xen_sched.cmd.nova.scheduler import Cloud
from nova_xen_sched.cmd.nova.scheduler import Server
from nova_xen_sched.cmd.tables import Coded

#: By nova's exceptions: our codes, and clauses with the figures.
_KINDS: ty.Mapping[type, ty.Tuple[str, str]] = {
    exception.FlavorMemoryTooSmall: (
        'min_ram',
        "the flavor has %(memory_mb)d MiB of memory, and the image's min_ram "
        'is %(min_ram)d MiB',
    ),
    exception.FlavorDiskSmallerThanMinDisk: (
        'min_disk',
        "the flavor has a disk of %(root_gb)d GiB, and the image's min_disk "
        'is %(min_disk)d GiB',
    ),
    exception.FlavorDiskSmallerThanImage: (
        'image_size',
        'the flavor has a disk of %(root_gb)d GiB, and the image is of '
        '%(size).1f GiB',
    ),
}
_GIB = 1 << 30


def refuses_boot(
    cloud: Cloud,
    image: ty.Mapping[str, ty.Any],
    flavor: ty.Any,
    root_volume: ty.Any,
) -> list[Coded]:
    """Why nova's API refuses to boot a server.

    :param image: as nova's API has it.
    :param flavor: a nova Flavor.
    :param root_volume: the nova BlockDeviceMapping of its root disk; None if
        that is no volume.
    """
    found = _image_status('boot', image)
    if flavor.disabled:
        found.append(_disabled('boot', flavor))
    # Whether a flavor may be without a disk is up to the policy of nova's
    # API, and to who asks.
    if root_volume is None and not flavor.root_gb:
        root_volume = volume()
    return found + _unfit(cloud.context, 'boot', image, flavor, root_volume)


def refuses_resize(
    cloud: Cloud, server: Server, flavor: ty.Any
) -> list[Coded]:
    """Why nova's API refuses to resize a server.

    :param flavor: the nova Flavor that it is to have.
    """
    instance = server.instance
    refuses = preconditions.refuses_to('resize')
    now = instance.flavor
    # One that need not exist has no id.
    if flavor.flavorid and flavor.flavorid == now.flavorid:
        return [
            Coded(
                'same_flavor',
                '%s, as the server has the flavor %s already.'
                % (refuses, flavor.name),
            )
        ]
    found = []
    if flavor.disabled:
        found.append(_disabled('resize', flavor))
    is_bfv = is_volume_backed(cloud, server)
    image = nova_utils.get_image_from_system_metadata(instance.system_metadata)
    if is_bfv:
        # Older novas don't look at it then.
        image = dict(image, min_ram=0)
    elif not flavor.root_gb and now.root_gb:
        return [
            *found,
            Coded(
                'zero_disk',
                '%s, as the flavor has no disk, and the root disk of the '
                'server is no volume.' % refuses,
            ),
        ]
    return found + _unfit(
        cloud.context, 'resize', image, flavor, volume() if is_bfv else None
    )


def resize_remarks(
    cloud: Cloud, server: Server, flavor: ty.Any
) -> list[Coded]:
    """What nova refuses of a resize only on the host."""
    now = server.instance.flavor
    is_less = flavor.ephemeral_gb < now.ephemeral_gb
    # A root disk of 0 nova's API refuses.
    if 0 < flavor.root_gb < now.root_gb and not is_volume_backed(
        cloud, server
    ):
        is_less = True
    if not is_less:
        return []
    return [
        Coded(
            'smaller_disk',
            'The flavor has a smaller disk (%d GiB) than the server has now '
            "(%d GiB): nova's libvirt driver makes no disk smaller, so that "
            'the resize fails on the host of the server.'
            % (
                flavor.root_gb + flavor.ephemeral_gb,
                now.root_gb + now.ephemeral_gb,
            ),
        )
    ]


def refuses_rebuild(
    cloud: Cloud, server: Server, image: ty.Mapping[str, ty.Any]
) -> list[Coded]:
    """Why nova's API refuses to rebuild a server with another image.

    :param image: as nova's API has it.
    """
    instance = server.instance
    refuses = preconditions.refuses_to('rebuild')
    found = _image_status('rebuild', image)
    is_bfv = is_volume_backed(cloud, server)
    if is_bfv and not private.rebuilds_volumes():
        found.append(
            Coded(
                'volume_backed',
                '%s with another image, as its root disk is a volume.'
                % refuses,
            )
        )
    found += _unfit(
        cloud.context,
        'rebuild',
        image,
        instance.flavor,
        volume() if is_bfv else None,
    )
    if not found:
        try:
            private.check_rebuild(instance, dict(image))
        except (exception.NovaException, ValueError) as e:
            found.append(
                Coded('numa', '%s: %s.' % (refuses, errors.one_line(e)))
            )
    return found


def rebuild_remarks(cloud: Cloud, server: Server) -> list[Coded]:
    """What a rebuild with another image needs of who asks for it."""
    if not (private.rebuilds_volumes() and is_volume_backed(cloud, server)):
        return []
    return [
        Coded(
            'volume_backed',
            'The root disk of the server is a volume: nova gives it another '
            'image only from microversion 2.93 on, and if it is asked to.',
            'openstack --os-compute-api-version 2.93 server rebuild '
            '--reimage-boot-volume --image IMAGE %s' % server.instance.uuid,
        )
    ]


def is_volume_backed(cloud: Cloud, server: Server) -> bool:
    """Whether the root disk of a server is a volume.

    :raises errors.Failure: if nova's databases can't be read.
    """
    with failures.reading("nova's databases"), nova_context.target_cell(
        cloud.context, server.cell
    ) as context:
        found: bool = compute_utils.is_volume_backed_instance(
            context, server.instance
        )
    return found


def volume() -> ty.Any:
    """A nova BlockDeviceMapping of a volume whose size is not known here."""
    return objects.BlockDeviceMapping(
        source_type='volume', destination_type='volume', volume_size=None
    )


def _image_status(
    operation: str, image: ty.Mapping[str, ty.Any]
) -> list[Coded]:
    if image['status'] == 'active':
        return []
    return [
        Coded(
            'image_not_active',
            '%s, as the status of the image is %s; it has to be active.'
            % (preconditions.refuses_to(operation), image['status']),
        )
    ]


def _disabled(operation: str, flavor: ty.Any) -> Coded:
    return Coded(
        'flavor_disabled',
        '%s, as the flavor %s is disabled.'
        % (preconditions.refuses_to(operation), flavor.name),
    )


def _unfit(
    context: ty.Any,
    operation: str,
    image: ty.Mapping[str, ty.Any],
    flavor: ty.Any,
    root_volume: ty.Any,
) -> list[Coded]:
    """Why an image can't be had with a flavor."""
    try:
        private.check_image(context, image, flavor, root_volume)
    except (exception.NovaException, ValueError, TypeError) as e:
        code, clause = _KINDS.get(type(e), ('image_and_flavor', ''))
        figures = {
            'memory_mb': flavor.memory_mb,
            'root_gb': flavor.root_gb,
            'min_ram': int(image.get('min_ram') or 0),
            'min_disk': int(image.get('min_disk') or 0),
            'size': int(image.get('size') or 0) / _GIB,
        }
        why = (
            ', as ' + clause % figures
            if clause
            else ': ' + (errors.one_line(e).rstrip('.'))
        )
        refuses = preconditions.refuses_to(operation)
        return [Coded(code, '%s%s.' % (refuses, why))]
    return []
