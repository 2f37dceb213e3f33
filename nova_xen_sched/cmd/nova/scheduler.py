# SPDX-License-Identifier: Apache-2.0

"""The cloud as nova-scheduler sees it: hosts, plugins, flavors, servers."""

from __future__ import annotations

import dataclasses
import typing as ty

from nova import context as nova_context
from nova import exception
from nova import objects
import nova.conf
from nova.scheduler import filters
from nova.scheduler import weights
from oslo_utils import uuidutils

from nova_xen_sched import log
from nova_xen_sched import versions
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd.nova import failures
from nova_xen_sched.cmd.nova import private
from nova_xen_sched.cmd.nova import servers

CONF = nova.conf.CONF


_Plugin = ty.TypeVar('_Plugin')


@dataclasses.dataclass(frozen=True)
class Server:
    """A server as nova's databases have it.

    :ivar instance: its nova Instance, read from its cell.
    :ivar request_spec: the nova RequestSpec that is stored for it.
    :ivar cell: the nova CellMapping of its cell.
    """

    instance: ty.Any
    request_spec: ty.Any
    cell: ty.Any


class Cloud:
    """What the nova-scheduler that is configured here sees now.

    :ivar context: nova's admin context.
    :ivar host_manager: nova's own, with its enabled filters and weighers.
    :ivar unreachable: by the name of each cell that could not be read, why.
    :raises errors.Failure: if nova's API database can't be read, no cell is
        mapped, or nova-scheduler would not start.
    """

    def __init__(self) -> None:
        self.context = nova_context.get_admin_context()
        plugins = list(_plugins())
        with failures.reading(failures.API_DATABASE):
            # The first of nova's queries: what fails here is the database.
            objects.CellMappingList.get_all(self.context)
            self.host_manager = _make_host_manager(plugins)
        if not self.host_manager.cells:
            raise errors.Failure(
                'No cell is mapped in %s, so that there are no hosts: see '
                'nova-manage cell_v2 list_cells and discover_hosts.'
                % failures.API_DATABASE
            )
        self.unreachable: dict[str, str] = {}

    @property
    def filters(self) -> list[ty.Any]:
        """The enabled filters, in the order in which nova runs them."""
        return list(self.host_manager.enabled_filters)

    @property
    def weighers(self) -> list[ty.Any]:
        """The weighers, in nova's order."""
        return list(self.host_manager.weighers)

    def plugin(self, kind: type[_Plugin]) -> _Plugin:
        """The enabled filter or weigher of a class, or one as it would be.

        :raises errors.Failure: if none is enabled, and an option of ours is
            wrong.
        """
        for each in (*self.filters, *self.weighers):
            if isinstance(each, kind):
                return each
        with failures.starting():
            return kind()

    def host_states(self, spec: ty.Any = None) -> list[ty.Any]:
        """nova HostStates of all hosts of all enabled cells, by name.

        Each call reads the databases anew. Cells that can't be read are
        noted in ``unreachable``.

        :param spec: a nova RequestSpec; the cell that it must stay in is read
            even if it is disabled, as nova does.
        :raises errors.Failure: if no cell can be read.
        """
        manager = self.host_manager
        specs = [None]
        destination = spec.requested_destination if spec else None
        if destination and 'cell' in destination and destination.cell:
            enabled = {cell.uuid for cell in manager.enabled_cells}
            if destination.cell.uuid not in enabled:
                specs.append(spec)
        found: list[ty.Any] = []
        unreachable: list[ty.Any] = []
        with failures.reading("nova's cell databases"):
            for each in specs:
                found += manager.get_host_states_by_uuids(
                    self.context, None, each
                )
                unreachable += manager.unreachable
        self.unreachable = {
            cell.name or cell.uuid: self._why_unreachable(cell)
            for cell in unreachable
        }
        if self.unreachable and not found:
            raise errors.Failure(next(iter(self.unreachable.values())))
        _check_versions(found)
        return sorted(found, key=lambda state: (state.host, state.nodename))

    def _why_unreachable(self, cell: ty.Any) -> str:
        """What reading a cell fails with."""
        what = 'The database of cell %s' % (cell.name or cell.uuid)
        try:
            with failures.reading(what), nova_context.target_cell(
                self.context, cell
            ) as cell_context:
                objects.ServiceList.get_by_binary(cell_context, 'nova-compute')
        except errors.Failure as e:
            return str(e)
        return "%s didn't answer in time." % what

    def flavor(self, name_or_id: str) -> ty.Any:
        """The nova Flavor of a name or an id.

        :raises errors.Failure: if there is none.
        """
        with failures.reading(failures.API_DATABASE):
            for get in (
                objects.Flavor.get_by_name,
                objects.Flavor.get_by_flavor_id,
            ):
                try:
                    return get(self.context, name_or_id)
                except (
                    exception.FlavorNotFound,
                    exception.FlavorNotFoundByName,
                ):
                    continue
        raise errors.Failure(
            'There is no flavor with the name or id %s: see openstack flavor '
            'list --all.' % name_or_id
        )

    def server(self, name_or_id: str) -> Server:
        """A server, with the request that is stored for it.

        :param name_or_id: or a pattern of names with * and ?.
        :raises errors.Failure: if there is none, more than one has the name,
            or it has no stored request.
        """
        uuid = name_or_id
        if not uuidutils.is_uuid_like(uuid):
            uuid = servers.named(self.context, name_or_id)
        with failures.reading(failures.API_DATABASE):
            try:
                mapping = objects.InstanceMapping.get_by_instance_uuid(
                    self.context, uuid
                )
                spec = objects.RequestSpec.get_by_instance_uuid(
                    self.context, uuid
                )
            except exception.InstanceMappingNotFound as e:
                raise errors.Failure(
                    'There is no server %s: see openstack server list '
                    '--all-projects.' % uuid
                ) from e
            except exception.RequestSpecNotFound as e:
                raise errors.Failure(
                    'nova has no stored request of server %s.' % uuid
                ) from e
        cell = mapping.cell_mapping
        if cell is None:
            raise errors.Failure(
                'Server %s is not in a cell yet: it is still being scheduled.'
                % uuid
            )
        with failures.reading(
            'The database of cell %s' % cell.name
        ), nova_context.target_cell(self.context, cell) as cell_context:
            try:
                instance = objects.Instance.get_by_uuid(cell_context, uuid)
            except exception.InstanceNotFound as e:
                raise errors.Failure(
                    'Server %s was deleted, or is not in cell %s.'
                    % (uuid, cell.name)
                ) from e
        return Server(instance, spec, cell)


def _check_versions(states: list[ty.Any]) -> None:
    """Take out what nova's own filters would never return from."""
    noticed = log.Noticed()
    for state in states:
        version = state.hypervisor_version
        if version and versions.from_nova_int(version) is None:
            noticed.add(
                "Hypervisor versions that are none, and on which nova's "
                'ImagePropertiesFilter hangs',
                state.host,
                '%s reports %s' % (state.host, log.shown(version)),
            )
            state.hypervisor_version = None
    noticed.warn()


def _make_host_manager(plugins: list[tuple[str, str, type]]) -> ty.Any:
    try:
        with failures.starting():
            return private.HostManager()
    except exception.SchedulerHostFilterNotFound as e:
        raise errors.Failure(
            'nova-scheduler would not start: [filter_scheduler] '
            'enabled_filters names what available_filters has not: %s'
            % errors.one_line(e)
        ) from e
    except Exception:
        # Either one of these, or a database.
        for option, name, kind in plugins:
            if option == 'weight_classes' or (
                kind.__name__ in CONF.filter_scheduler.enabled_filters
            ):
                with failures.loading(
                    "%s names %s, of which %s can't be started"
                    % (option, name, kind.__name__)
                ):
                    kind()
        raise


def _plugins() -> ty.Iterator[tuple[str, str, type]]:
    """The filters and weighers of nova-scheduler: option, name, class.

    :raises errors.Failure: if one can't be loaded.
    """
    for option, handler in (
        ('available_filters', filters.HostFilterHandler()),
        ('weight_classes', weights.HostWeightHandler()),
    ):
        for name in CONF.filter_scheduler[option]:
            with failures.loading(
                "%s names %s, which can't be loaded" % (option, name)
            ):
                kinds = handler.get_matching_classes([name])
            yield from ((option, name, kind) for kind in kinds)
