# SPDX-License-Identifier: Apache-2.0

"""What the commands use of nova's insides, and in which novas it is so.

nova promises none of it. tests/unit/cmd/nova/test_private.py checks on the
nova at hand that each is there, with the arguments that it is given here.
"""

from __future__ import annotations

import copy
import inspect
import typing as ty

from nova import availability_zones
from nova import block_device
from nova import config
from nova import context as nova_context
from nova import objects
from nova.compute import api as compute_api
import nova.conf
from nova.objects import request_spec
from nova.scheduler import host_manager
from nova.scheduler.client import report
import oslo_messaging

from nova_xen_sched.cmd.progress import Progress

CONF = nova.conf.CONF

#: oslo.db tries ten times, ten seconds apart, which suits a service.
_ONCE = {'max_retries': 1, 'retry_interval': 1}
#: Hosts whose instances are read by one query.
_BATCH = 50


def configure(argv: list[str]) -> None:
    """Read nova's configuration, and have its databases know it.

    config.parse_args() has these arguments from nova 22 on. nova 22 has one
    module for both databases, later ones have two.
    """
    # Nothing here talks over nova's message bus. But cells' mappings name it,
    # and may do so by parts of [DEFAULT]transport_url, an option that
    # oslo.messaging registers when it looks at it.
    config.parse_args(argv, configure_db=False, init_rpc=False)
    oslo_messaging.TransportURL.parse(CONF)
    for group in ('api_database', 'database'):
        for name, value in _ONCE.items():
            CONF.set_override(name, value, group=group)
    for module in vars(config).values():
        if inspect.ismodule(module) and 'nova.db' in module.__name__:
            module.configure(CONF)


class HostManager(host_manager.HostManager):
    """nova's host manager, filled from the databases alone.

    nova-scheduler's learns its instances by messages from the computes; a
    process that runs for a moment gets none. The methods and
    ``_instance_info`` are so from nova 22 on.

    :ivar unreachable: the CellMappings that the last reading got nothing
        from.
    """

    unreachable: tuple[ty.Any, ...] = ()
    _instance_info: dict[str, dict[str, ty.Any]]

    def _init_instance_info(self, computes_by_cell: ty.Any = None) -> None:
        # nova's reads all of them in a thread that is not waited for.
        pass

    def _get_computes_for_cells(
        self, context: ty.Any, cells: ty.Any, compute_uuids: ty.Any = None
    ) -> ty.Any:
        found = super()._get_computes_for_cells(context, cells, compute_uuids)
        by_cell = found[0]
        self.unreachable = tuple(c for c in cells if c.uuid not in by_cell)
        if self.track_instance_changes:
            batches = []
            for cell in cells:
                hosts = sorted({c.host for c in by_cell.get(cell.uuid, ())})
                for start in range(0, len(hosts), _BATCH):
                    batches.append((cell, hosts[start : start + _BATCH]))
            self._read_instances(context, batches)
        return found

    def _read_instances(
        self, context: ty.Any, batches: list[tuple[ty.Any, list[str]]]
    ) -> None:
        """Have the instances of hosts as if the computes had sent them.

        :param batches: cells, and hosts of each.
        """
        total = sum(len(hosts) for _, hosts in batches)
        done = 0
        with Progress('Reading the servers of hosts', total) as progress:
            for cell, hosts in batches:
                info: dict[str, dict[str, ty.Any]] = {
                    host: {'instances': {}, 'updated': True} for host in hosts
                }
                with nova_context.target_cell(context, cell) as cell_context:
                    for instance in objects.InstanceList.get_by_filters(
                        cell_context, {'host': hosts, 'deleted': False}
                    ):
                        info[instance.host]['instances'][instance.uuid] = (
                            instance
                        )
                self._instance_info.update(info)
                done += len(hosts)
                progress.step(done)


class PlacementClient(report.SchedulerReportClient):
    """nova's client of placement, which keeps what it got.

    From nova 22 on get_allocation_candidates() asks by get(), only logs what
    is no answer, and returns None then, or a tuple of them.

    :ivar answer: the last response; None if there was none.
    :ivar error: what the last call raised instead.
    """

    answer: ty.Any = None
    error: Exception | None = None

    def get(self, *args: ty.Any, **kwargs: ty.Any) -> ty.Any:
        self.answer = self.error = None
        try:
            self.answer = super().get(*args, **kwargs)
        except Exception as e:
            self.error = e
            raise
        return self.answer


def limit(wanted: ty.Any, every: bool) -> int | None:
    """How many candidates placement is asked for at most.

    :param wanted: a nova ResourceRequest, whose ``_limit``, from nova 22 on,
        is [scheduler] max_placement_results; None for a request that is
        bound to hosts.
    :param every: ask for all.
    """
    if every:
        wanted._limit = None
    found: int | None = wanted._limit
    return found


def check_image(
    context: ty.Any, image: ty.Any, flavor: ty.Any, root_disk: ty.Any
) -> None:
    """Whether an image can be booted with a flavor, as nova's API says.

    The static method has these four from nova 22 on, the third by another
    name.

    :param root_disk: the nova BlockDeviceMapping of a volume, else None.
    :raises nova.exception.NovaException: if it can't.
    """
    compute_api.API._validate_flavor_image_nostatus(
        context, image, flavor, root_disk
    )


def check_rebuild(instance: ty.Any, image: ty.Any) -> None:
    """Whether an image has a server's NUMA topology, as a rebuild needs.

    The static method is so from nova 22 on.

    :param instance: a nova Instance.
    :raises nova.exception.NovaException: if not.
    """
    compute_api.API._validate_numa_rebuild(instance, image, instance.flavor)


def rebuilds_volumes() -> bool:
    """Whether nova's API can give a volume-backed server another image.

    So it is from nova 26 on.
    """
    rebuild = inspect.signature(compute_api.API.rebuild)
    return 'reimage_boot_volume' in rebuild.parameters


def volume_of_image(image: ty.Any, flavor: ty.Any) -> ty.Any | None:
    """The root disk that an image has nova's API make of a volume.

    The two methods are so from nova 22 on; API() would connect to the message
    bus.

    :param image: as nova's API has it.
    :returns: a nova BlockDeviceMapping; None if there is none.
    :raises ValueError: if nova's API fails on the image's mappings.
    :raises nova.exception.NovaException: if it refuses them.
    """
    # It changes what it is given.
    image = copy.deepcopy(dict(image))
    api = object.__new__(compute_api.API)
    try:
        name = block_device.properties_root_device_name(image['properties'])
        root = block_device.get_root_bdm(
            api._get_image_defined_bdms(flavor, image, name or 'vda')
        )
    except (AttributeError, KeyError) as e:
        raise ValueError(
            'its block_device_mapping or mappings are not as nova writes '
            'them: %r' % e
        ) from e
    if root is None:
        return None
    found = objects.BlockDeviceMapping(
        source_type=root['source_type'],
        destination_type=root['destination_type'],
        volume_size=root['volume_size'],
    )
    return found if found.is_volume else None


def available_zones(context: ty.Any) -> list[str]:
    """The availability zones in which a host is enabled.

    From nova 22 on it reads the databases alone, but HostAPI() would connect
    to the message bus if it were not given an ``rpcapi``.
    """
    found: list[str] = availability_zones.get_availability_zones(
        context,
        compute_api.HostAPI(rpcapi=object()),
        get_only_available=True,
    )
    return found


def requests_with(context: ty.Any, text: str) -> list[str]:
    """The servers whose stored request has a text in it.

    The module has the table's model and the manager of its database, which
    nova 22 keeps in another place than later ones.

    :returns: their UUIDs; they may be deleted.
    """
    database = getattr(request_spec, 'api_db_api', None)
    manager = (
        database.context_manager
        if database
        else request_spec.db.api_context_manager
    )
    table = request_spec.api_models.RequestSpec
    with manager.reader.using(context) as session:
        rows = session.query(table.instance_uuid).filter(
            table.spec.contains(text, autoescape=True)
        )
        return [uuid for (uuid,) in rows]
