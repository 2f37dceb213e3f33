# SPDX-License-Identifier: Apache-2.0

"""The View: hosts, plugins, flavors and servers as nova-scheduler has them."""

from __future__ import annotations

import dataclasses
import typing as ty

from nova import context as nova_context
from nova import exception
from nova import objects
import nova.conf
from nova.scheduler import host_manager
from oslo_utils import importutils

from nova_xen_sched import log
from nova_xen_sched import versions
from nova_xen_sched.cmd import base
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd.nova import failures
from nova_xen_sched.filters import XenHostFilter
from nova_xen_sched.weights import Dom0HeadroomWeigher

CONF = nova.conf.CONF

_API_DATABASE = "nova's API database ([api_database])"
#: Hosts whose instances are read by one query.
_BATCH = 50


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


class View:
    """What the nova-scheduler that is configured here sees now.

    :ivar context: nova's admin context.
    :ivar host_manager: nova's own, with its enabled filters and weighers.
    :ivar silent: by the name of each cell that could not be read, why.
    :raises errors.Failure: if nova's API database can't be read, no cell is
        mapped, or nova-scheduler would not start.
    """

    def __init__(self) -> None:
        self.context = nova_context.get_admin_context()
        with failures.reading(_API_DATABASE):
            # The first of nova's queries: what fails here is the database.
            objects.CellMappingList.get_all(self.context)
            self.host_manager = _make_host_manager()
        if not self.host_manager.cells:
            raise errors.Failure(
                'No cell is mapped in %s, so that there are no hosts: see '
                'nova-manage cell_v2 list_cells and discover_hosts.'
                % _API_DATABASE
            )
        self.silent: dict[str, str] = {}

    @property
    def filters(self) -> list[ty.Any]:
        """The enabled filters, in the order in which nova runs them."""
        return list(self.host_manager.enabled_filters)

    @property
    def weighers(self) -> list[ty.Any]:
        """The weighers, in nova's order."""
        return list(self.host_manager.weighers)

    def xen_filter(self) -> XenHostFilter:
        """The enabled XenHostFilter, or one as it would be."""
        return _first(self.filters, XenHostFilter)

    def headroom_weigher(self) -> Dom0HeadroomWeigher:
        """The Dom0HeadroomWeigher that weighs, or one as it would be."""
        return _first(self.weighers, Dom0HeadroomWeigher)

    def host_states(self, spec: ty.Any = None) -> list[ty.Any]:
        """nova HostStates of all hosts of all enabled cells, by name.

        Each call reads the databases anew. Cells that can't be read are
        noted in ``silent``.

        :param spec: a nova RequestSpec; the cell that it must stay in is read
            even if it is disabled, as nova does.
        :raises errors.Failure: if no cell can be read.
        """
        self.silent = {}
        manager = self.host_manager
        with failures.reading("nova's cell databases"):
            found = list(
                manager.get_host_states_by_uuids(self.context, None, None)
            )
            silent = list(manager.silent)
            destination = spec.requested_destination if spec else None
            if destination and 'cell' in destination and destination.cell:
                enabled = {cell.uuid for cell in manager.enabled_cells}
                if destination.cell.uuid not in enabled:
                    found += manager.get_host_states_by_uuids(
                        self.context, None, spec
                    )
                    silent += manager.silent
        for cell in silent:
            self.silent[cell.name or cell.uuid] = self._why_silent(cell)
        if self.silent and not found:
            raise errors.Failure(next(iter(self.silent.values())))
        _check_versions(found)
        return sorted(found, key=lambda state: (state.host, state.nodename))

    def _why_silent(self, cell: ty.Any) -> str:
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
        with failures.reading(_API_DATABASE):
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

    def flavors(self) -> list[ty.Any]:
        """All nova Flavors that are not disabled, smallest first."""
        with failures.reading(_API_DATABASE):
            return list(
                objects.FlavorList.get_all(
                    self.context,
                    filters={'disabled': False},
                    sort_key='memory_mb',
                )
            )

    def server(self, uuid: str) -> Server:
        """A server, with what was once asked for it.

        :raises errors.Failure: if there is none, or it has no stored request.
        """
        with failures.reading(_API_DATABASE):
            try:
                mapping = objects.InstanceMapping.get_by_instance_uuid(
                    self.context, uuid
                )
                spec = objects.RequestSpec.get_by_instance_uuid(
                    self.context, uuid
                )
            except exception.InstanceMappingNotFound as e:
                raise errors.Failure(
                    'There is no server %s: give the id that openstack server '
                    'list --all-projects shows.' % uuid
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
    bad = {}
    for state in states:
        version = state.hypervisor_version
        if version and versions.from_nova_int(version) is None:
            bad[state.host] = '%s reports %s' % (
                state.host,
                log.shown(version),
            )
            state.hypervisor_version = None
    if bad:
        log.warn_of(
            'hypervisor_version',
            "Hypervisor versions that are none, and on which nova's "
            'ImagePropertiesFilter hangs',
            bad,
        )


class _HostManager(host_manager.HostManager):
    """nova's host manager, filled from the databases alone.

    nova-scheduler's learns its instances by messages from the computes; a
    process that runs for a moment gets none.

    :ivar silent: the CellMappings that the last reading got nothing from.
    """

    silent: tuple[ty.Any, ...] = ()
    _instance_info: dict[str, dict[str, ty.Any]]

    def _init_instance_info(self, computes_by_cell: ty.Any = None) -> None:
        # nova's reads all of them in a thread that is not waited for.
        pass

    def _get_computes_for_cells(
        self, context: ty.Any, cells: ty.Any, compute_uuids: ty.Any = None
    ) -> ty.Any:
        found = super()._get_computes_for_cells(context, cells, compute_uuids)
        by_cell = found[0]
        self.silent = tuple(c for c in cells if c.uuid not in by_cell)
        if self.track_instance_changes:
            self._read_all_instances(
                context,
                [
                    (cell, sorted({c.host for c in by_cell[cell.uuid]}))
                    for cell in cells
                    if cell.uuid in by_cell
                ],
            )
        return found

    def _read_all_instances(
        self, context: ty.Any, by_cell: list[tuple[ty.Any, list[str]]]
    ) -> None:
        total = sum(len(hosts) for _, hosts in by_cell)
        with base.Progress('Reading the servers of hosts', total) as progress:
            for cell, hosts in by_cell:
                for start in range(0, len(hosts), _BATCH):
                    batch = hosts[start : start + _BATCH]
                    self._read_instances(context, cell, batch)
                    for _ in batch:
                        progress.step()

    def _read_instances(
        self, context: ty.Any, cell: ty.Any, hosts: list[str]
    ) -> None:
        """Have the instances of hosts as if the computes had sent them."""
        info: dict[str, dict[str, ty.Any]] = {
            host: {'instances': {}, 'updated': True} for host in hosts
        }
        with nova_context.target_cell(context, cell) as cell_context:
            for instance in objects.InstanceList.get_by_filters(
                cell_context, {'host': hosts, 'deleted': False}
            ):
                info[instance.host]['instances'][instance.uuid] = instance
        self._instance_info.update(info)


def _make_host_manager() -> ty.Any:
    try:
        return _HostManager()
    except SystemExit as e:
        # A plugin of ours, which says which option is wrong.
        raise errors.Failure(str(e)) from e
    except exception.SchedulerHostFilterNotFound as e:
        raise errors.Failure(
            'nova-scheduler would not start: [filter_scheduler] '
            'enabled_filters names what available_filters has not: %s'
            % errors.one_line(e)
        ) from e
    except (ImportError, exception.ClassNotFound) as e:
        raise errors.Failure(
            'nova-scheduler would not start: [filter_scheduler] %s: %s.'
            % (_unloadable(), errors.one_line(e))
        ) from e


def _unloadable() -> str:
    """Which class of the options can't be loaded."""
    for option in ('available_filters', 'weight_classes'):
        for name in CONF.filter_scheduler[option]:
            try:
                importutils.import_class(name)
            except ImportError:
                return "%s names %s, which can't be loaded" % (option, name)
    return "names a class that can't be loaded"


def _first(plugins: list[ty.Any], kind: ty.Any) -> ty.Any:
    for plugin in plugins:
        if isinstance(plugin, kind):
            return plugin
    try:
        return kind()
    except SystemExit as e:
        raise errors.Failure(str(e)) from e
