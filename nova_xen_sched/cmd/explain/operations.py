# SPDX-License-Identifier: Apache-2.0

"""What nova asks its scheduler for a server that exists.

Each operation does to the stored RequestSpec what nova's API and conductor
do, in memory only. Ports that ask for bandwidth are left out: they are known
to Neutron, not to nova.
"""

from __future__ import annotations

import typing as ty

from nova import context as nova_context
from nova import exception
from nova import objects
from nova.compute import utils as compute_utils
import nova.conf
from nova.scheduler import utils
from nova.virt import hardware

from nova_xen_sched import request as guest
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd.nova import failures
from nova_xen_sched.cmd.nova import request_spec
from nova_xen_sched.cmd.nova.scheduler import Server
from nova_xen_sched.cmd.nova.scheduler import View
from nova_xen_sched.request import Kind

CONF = nova.conf.CONF


def spec_for(
    operation: str,
    view: View,
    server: Server,
    *,
    image: ty.Mapping[str, ty.Any] | None = None,
    flavor: ty.Any = None,
) -> ty.Any:
    """The nova RequestSpec that nova's scheduler would be asked with.

    :param operation: one of OPERATIONS.
    :param image: rebuild with this image, as nova's API has it.
    :param flavor: resize to this nova Flavor.
    :raises errors.Failure: if nova would not ask its scheduler.
    """
    spec = server.request_spec
    prepare, kind = _OPERATIONS[operation]
    if server.instance.host is None and operation != 'boot':
        raise errors.Failure(
            'Server %s is on no host (vm_state %s), so that nova refuses to '
            '%s it.'
            % (server.instance.uuid, server.instance.vm_state, operation)
        )
    # None of this is stored with it, whatever nova it is from.
    for name in ('ignore_hosts', 'requested_destination'):
        setattr(spec, name, None)
    with failures.reading("nova's databases"), nova_context.target_cell(
        view.context, server.cell
    ) as context:
        try:
            if flavor is not None:
                _resize(spec, server, flavor)
            if image is not None:
                request_spec.check_properties(image['properties'])
                spec.image = objects.ImageMeta.from_dict(dict(image))
            prepare(context, spec, server)
            if operation != 'boot':
                spec.ensure_project_and_user_id(server.instance)
                # nova 22 has it not.
                if hasattr(spec, 'ensure_network_information'):
                    spec.ensure_network_information(server.instance)
            if 'is_bfv' not in spec:
                spec.is_bfv = compute_utils.is_volume_backed_instance(
                    context, server.instance
                )
            utils.setup_instance_group(context, spec)
        except (ValueError, exception.NovaException) as e:
            raise errors.Failure(
                'nova refuses to %s server %s: %s.'
                % (operation, server.instance.uuid, errors.one_line(e))
            ) from e
    guest.tell(spec, kind)
    return spec


def _boot(context: ty.Any, spec: ty.Any, server: Server) -> None:
    """As it was booted once; force_hosts and hints are stored."""


def _leave(context: ty.Any, spec: ty.Any, server: Server) -> None:
    """Away from its host, within its cell."""
    # What was forced when it was booted counts no more.
    spec.reset_forced_destinations()
    spec.ignore_hosts = [server.instance.host]
    spec.requested_destination = objects.Destination(
        cell=server.cell, allow_cross_cell_move=False
    )
    # From nova 26 on.
    if hasattr(spec, 'generate_request_groups_from_pci_requests'):
        spec.requested_resources = []
        spec.generate_request_groups_from_pci_requests()


def _migrate(context: ty.Any, spec: ty.Any, server: Server) -> None:
    _leave(context, spec, server)
    resized = spec.flavor.flavorid != server.instance.flavor.flavorid
    # libvirt never migrates a server cold to where it is.
    if resized and CONF.allow_resize_to_same_host:
        spec.ignore_hosts = []


def _rebuild(context: ty.Any, spec: ty.Any, server: Server) -> None:
    """Where it is; nova asks only whether the new image fits there."""
    hints = dict(spec.scheduler_hints or {})
    spec.scheduler_hints = dict(hints, _nova_check_type=['rebuild'])
    spec.force_hosts = [server.instance.host]
    spec.force_nodes = [server.instance.node]
    spec.requested_destination = objects.Destination(cell=server.cell)


def _resize(spec: ty.Any, server: Server, flavor: ty.Any) -> None:
    spec.flavor = flavor
    spec.numa_topology = hardware.numa_get_constraints(
        flavor, server.instance.image_meta
    )


_Prepare = ty.Callable[[ty.Any, ty.Any, Server], None]

_OPERATIONS: dict[str, tuple[_Prepare, Kind]] = {
    'boot': (_boot, Kind.BOOT),
    'live-migrate': (_leave, Kind.LIVE_MIGRATION),
    'cold-migrate': (_migrate, Kind.MOVE),
    'evacuate': (_leave, Kind.EVACUATION),
    'rebuild': (_rebuild, Kind.REBUILD),
}

OPERATIONS = tuple(_OPERATIONS)
