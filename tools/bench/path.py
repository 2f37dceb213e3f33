# SPDX-License-Identifier: Apache-2.0

"""A whole request: database, HostStates, all default filters and weighers.

The HostManager is the one of a real nova-scheduler, on the SQLite databases
of nova's own fixtures; see tests/functional/cloud.py.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import time
import typing as ty
from unittest import mock

from nova import context
from nova import objects
from nova.scheduler import filters as nova_filters
from oslo_utils import timeutils

from nova_xen_sched import request as requests
from nova_xen_sched import weights
from tests.functional import cloud
from tools.bench import measure
from tools.bench import world
from tools.bench.report import choosing
from tools.bench.report import FILTERED
from tools.bench.report import PLUGIN
from tools.bench.report import READ
from tools.bench.report import STOCK


class _Cloud(cloud.Cloud):
    NOVA_CONF = """
[filter_scheduler]
available_filters = nova.scheduler.filters.all_filters
available_filters = nova_xen_sched.filters.all_filters
"""


def fill(
    running: ty.Any, shape: world.Shape, nodes: ty.Mapping[int, ty.Any]
) -> list[str]:
    """Put hosts into nova's databases; their compute nodes' UUIDs.

    :param nodes: as world.py makes them, by their numbers.
    """
    api = context.get_admin_context()
    now = timeutils.utcnow()
    manager = running.host_manager
    aggregates = world.aggregates_of(shape)
    uuids = []
    with context.target_cell(api, running.cell_mappings['cell1']) as cell:
        for number, node in nodes.items():
            service = objects.Service(
                cell,
                host=node.host,
                binary='nova-compute',
                topic='compute',
                report_count=1,
                last_seen_up=now,
            )
            service.create()
            created = objects.ComputeNode(cell, service_id=service.id)
            for field in node.obj_what_changed():
                setattr(created, field, getattr(node, field))
            created.create()
            uuids.append(created.uuid)
            # As nova-compute tells it every two minutes: the host's guests.
            guests = {'instances': {}, 'updated': True}
            manager._instance_info[node.host] = guests
            for each in aggregates[number]:
                each.hosts.append(node.host)
                manager.aggs_by_id[each.id] = each
                manager.host_aggregates_map[node.host].add(each.id)
    return uuids


class _Whole:
    """A request from the database to the weighed hosts."""

    def __init__(
        self,
        manager: ty.Any,
        uuids: list[str],
        filters: list[ty.Any],
        weighers: list[ty.Any],
    ) -> None:
        self._manager = manager
        self._uuids = uuids
        self._filters = filters
        self._weighers = weighers
        self._request = world.request()

    def read(self) -> list[ty.Any]:
        """What comes before any filter, and is the same with all of them."""
        return list(
            self._manager.get_host_states_by_uuids(
                context.get_admin_context(), self._uuids, self._request
            )
        )

    def choose(self, states: list[ty.Any]) -> int:
        """Filter and weigh; how many hosts are left."""
        manager = self._manager
        manager.enabled_filters = self._filters
        manager.weighers = self._weighers
        hosts = manager.get_filtered_hosts(states, self._request)
        return len(manager.get_weighed_hosts(hosts, self._request))


def _interleaved(
    subjects: dict[str, _Whole], rounds: int
) -> dict[str, measure.Timing]:
    """Time requests in turn, as measure.interleaved() does.

    Each reads hosts of its own. Reading is the same for all and most of the
    time, and it varies by more than filters and weighers differ; so in each
    round all are given the mean of its readings.
    """
    clock = time.process_time
    wholes: dict[str, list[float]] = {name: [] for name in subjects}
    choosings: dict[str, list[float]] = {name: [] for name in subjects}
    for names in measure.turns(subjects, rounds):
        reading = 0.0
        for name in names:
            gc.collect()
            began = clock()
            states = subjects[name].read()
            read = clock()
            subjects[name].choose(states)
            choosings[name].append(clock() - read)
            reading += read - began
        for name, whole in wholes.items():
            whole.append(reading / len(names) + choosings[name][-1])
    found = {
        name: measure.Timing(tuple(each)) for name, each in wholes.items()
    }
    for name, each in choosings.items():
        found[choosing(name)] = measure.Timing(tuple(each))
    return found


def _reading(running: ty.Any) -> ty.Callable[[], object]:
    """What one move costs where the instance must be read in its cell."""
    mapping = running.cell_mappings['cell1']
    admin = context.get_admin_context()
    with context.target_cell(admin, mapping) as cell:
        instance = objects.Instance(
            cell,
            project_id='project',
            user_id='user',
            task_state='migrating',
            flavor=objects.Flavor(
                name='m',
                memory_mb=1024,
                vcpus=1,
                root_gb=1,
                ephemeral_gb=0,
                swap=0,
                flavorid='1',
            ),
        )
        instance.create()
    request = world.move()
    request.instance_uuid = instance.uuid
    request.requested_destination.cell = mapping

    def call() -> None:
        kind = requests.kind_in_cell(request, 60)()
        assert str(kind) == 'live migration', kind

    return call


@contextlib.contextmanager
def running_cloud() -> ty.Iterator[ty.Any]:
    """A cloud without hosts that logs and records as little as a real one."""
    handler = nova_filters.HostFilterHandler
    unobserved = handler.get_filtered_objects
    with cloud.running(_Cloud) as running, mock.patch.object(
        # Without the tests' own record of each call.
        handler,
        'get_filtered_objects',
        unobserved,
    ):
        # nova's fixtures log everything; a nova-scheduler doesn't.
        for name in ('', 'nova_xen_sched'):
            logging.getLogger(name).setLevel(logging.INFO)
        for name in ('nova.weights', 'nova_xen_sched.filters'):
            assert not logging.getLogger(name).isEnabledFor(logging.DEBUG)
        yield running


def with_xen_host_filter(manager: ty.Any) -> list[ty.Any]:
    """The filters, with XenHostFilter in place of ImagePropertiesFilter."""
    names = [each.__class__.__name__ for each in manager.enabled_filters]
    return list(
        manager._choose_host_filters(
            [
                'XenHostFilter' if name == 'ImagePropertiesFilter' else name
                for name in names
            ]
        )
    )


def take(hosts: int, rounds: int) -> dict[str, ty.Sequence[float]]:
    """Time a request with and without the plugins, side by side."""
    shape = world.Shape(hosts)
    with running_cloud() as running:
        nodes = {
            number: world.compute_node(number, shape)
            for number in range(shape.hosts)
        }
        uuids = fill(running, shape, nodes)
        manager = running.host_manager
        stock = list(manager.enabled_filters)
        replaced = with_xen_host_filter(manager)
        weighers = list(manager.weighers)
        subjects = {
            STOCK: _Whole(manager, uuids, stock, weighers),
            FILTERED: _Whole(manager, uuids, replaced, weighers),
            PLUGIN: _Whole(
                manager,
                uuids,
                replaced,
                weighers + [weights.Dom0HeadroomWeigher()],
            ),
        }
        counts = {
            name: each.choose(each.read()) for name, each in subjects.items()
        }
        # Else something would be compared with nothing.
        assert set(counts.values()) == {
            sum(not world.is_kvm(number) for number in range(shape.hosts))
        }, counts
        read = measure.interleaved({READ: _reading(running)}, rounds)
        found = {**_interleaved(subjects, rounds), **read}
        return {name: each.rounds for name, each in found.items()}
