# SPDX-License-Identifier: Apache-2.0

"""Whole requests with a real placement: what a required trait spares.

The scheduler, its databases and placement are in one process; see path.py.
Thousands of nova-computes are not: what they would report is entered with
nova's and placement's own objects.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import typing as ty
import uuid

from nova import context
from nova import exception
from nova.tests.fixtures import libvirt as libvirt_fixtures
from nova.virt import fake
from nova.virt.libvirt import driver
import oslo_messaging
from placement import context as placement_context
from placement import db_api
from placement.db.sqlalchemy import models
from placement.objects import inventory
from placement.objects import resource_provider
from placement.objects import trait

from nova_xen_sched import weights
from nova_xen_sched.provider import STORAGE_BUS
from tests.unit import builders
from tools.bench import measure
from tools.bench import path
from tools.bench import world
from tools.bench.report import PLUGIN
from tools.bench.report import RANDOMISED
from tools.bench.report import STOCK
from tools.bench.report import TRAIT
from tools.bench.report import TWICE

_BUS = STORAGE_BUS[: -len('XEN')]
_REQUIRED = {'trait:' + STORAGE_BUS: 'required'}
#: What each guest of world.py has.
_GUEST = {'VCPU': 1, 'MEMORY_MB': world.GIB, 'DISK_GB': 20}


def _kvm_host() -> tuple[set[str], dict[str, str]]:
    """A KVM host's traits, and the fields that world.py makes short work of.

    They are what nova's libvirt driver makes of the host, with two
    processors, of nova's own tests.
    """
    with libvirt_fixtures.LibvirtFixture():
        kvm = driver.LibvirtDriver(fake.FakeVirtAPI(), False)
        kvm.init_host('kvm')
        traits = {**kvm.capabilities_as_traits(), **kvm.static_traits}
        fields = kvm.get_available_resource('kvm')
    # nova 34 adds this one to every node.
    return {'OWNER_NOVA', *(name for name, has in traits.items() if has)}, {
        name: fields[name] for name in ('cpu_info', 'numa_topology')
    }


class Cloud:
    """A cloud in which hosts can be entered and requests be made.

    :param hosts: as many as will be entered.
    """

    def __init__(self, running: ty.Any, hosts: int) -> None:
        self._shape = world.Shape(hosts, facts=world.NONE)
        self._api = running.placement
        self._conf = self._api.fixture.conf_fixture
        self._placement = placement_context.RequestContext(
            config=self._conf.conf
        )
        self._running = running
        self._providers: dict[int, ty.Any] = {}
        kvm, self._kvm_fields = _kvm_host()
        # Xen hosts have no fewer than the others: that spares us nothing.
        xen = {each for each in kvm if not each.startswith(_BUS)}
        xen |= {STORAGE_BUS, _BUS + 'IDE'}
        self._traits = {
            is_kvm: trait.get_all(self._placement, {'name_in': names})
            for is_kvm, names in ((True, kvm), (False, xen))
        }
        manager = running.host_manager
        weighers = list(manager.weighers)
        ours = (
            path.with_xen_host_filter(manager),
            [*weighers, weights.Dom0HeadroomWeigher()],
        )
        self._ways = {
            STOCK: ((list(manager.enabled_filters), weighers), {}),
            PLUGIN: (ours, {}),
            TRAIT: (ours, _REQUIRED),
        }

    def provide(self, numbers: ty.Iterable[int]) -> None:
        """Enter what the hosts have into placement, as KVM hosts."""
        for number in numbers:
            node = world.compute_node(number, self._shape)
            provider = resource_provider.ResourceProvider(
                self._placement, uuid=node.uuid, name=node.hypervisor_hostname
            )
            provider.create()
            provider.set_inventory(
                [
                    inventory.Inventory(
                        resource_provider=provider,
                        resource_class=name,
                        total=total,
                        max_unit=total,
                        allocation_ratio=ratio,
                    )
                    for name, total, ratio in (
                        ('VCPU', node.vcpus, node.cpu_allocation_ratio),
                        (
                            'MEMORY_MB',
                            node.memory_mb,
                            node.ram_allocation_ratio,
                        ),
                        ('DISK_GB', node.local_gb, node.disk_allocation_ratio),
                    )
                ]
            )
            provider.set_traits(self._traits[True])
            self._providers[number] = provider

    def populate(self, numbers: ty.Iterable[int]) -> None:
        """Enter what their guests use into placement."""
        classes = self._placement.rc_cache
        rows = [
            {
                'resource_provider_id': self._providers[number].id,
                'resource_class_id': classes.id_from_string(name),
                'consumer_id': 'guest-%d-%d' % (number, guest),
                'used': amount,
            }
            for number in numbers
            for guest in range(
                world.compute_node(number, self._shape).running_vms
            )
            for name, amount in _GUEST.items()
        ]
        # Its own way, guest by guest, takes a minute for 1000 hosts.
        with db_api.placement_context_manager.writer.using(self._placement):
            self._placement.session.execute(
                models.Allocation.__table__.insert(), rows
            )

    def order(self) -> list[int]:
        """The hosts, as placement lists them where all would do."""
        # As nova 34 asks for world.request(), but for the limit: the order
        # depends on the amounts, and on the process.
        answer = self._api.get(
            '/allocation_candidates?limit=%d'
            '&resources=DISK_GB:10,MEMORY_MB:1024,VCPU:1'
            '&root_required=OWNER_NOVA,!COMPUTE_STATUS_DISABLED'
            % len(self._providers),
            version='1.36',
        )
        return [
            uuid.UUID(provider).int
            for each in answer.body['allocation_requests']
            for provider in each['allocations']
        ]

    def describe(
        self, numbers: ty.Iterable[int], xen: ty.Container[int] = ()
    ) -> None:
        """Enter what nova knows of the hosts, and Xen hosts' traits."""
        nodes = {}
        for number in numbers:
            kvm = number not in xen
            nodes[number] = world.compute_node(number, self._shape, kvm)
            for name, value in self._kvm_fields.items() if kvm else ():
                setattr(nodes[number], name, value)
            if not kvm:
                self._providers[number].set_traits(self._traits[kvm])
        path.fill(self._running, self._shape, nodes)

    def randomise(self, randomised: bool) -> None:
        """Set placement's option."""
        self._conf.config(
            randomize_allocation_candidates=randomised, group='placement'
        )

    def select(self, way: str) -> bool:
        """What nova-conductor asks for; whether there was a host."""
        (filters, weighers), properties = self._ways[way]
        manager = self._running.host_manager
        manager.enabled_filters, manager.weighers = filters, weighers
        spec = world.request(**properties)
        spec.requested_resources = []
        try:
            self._running.scheduler.manager.select_destinations(
                context.RequestContext('user', 'project'),
                spec_obj=spec,
                instance_uuids=[spec.instance_uuid],
                return_objects=True,
                return_alternates=True,
            )
        except oslo_messaging.ExpectedException as e:
            if not issubclass(e.exc_info[0], exception.NoValidHost):
                raise
            return False
        return True

    def release(self) -> None:
        """Give back what the last request claimed."""
        self._api.delete('/allocations/' + builders.UUID)


@contextlib.contextmanager
def _cloud(hosts: int) -> ty.Iterator[Cloud]:
    with path.running_cloud() as running:
        yield Cloud(running, hosts)


def take(kvm: int, xen: int, rounds: int) -> dict[str, ty.Sequence[float]]:
    """Time requests, and those with the trait among twice the KVM hosts."""
    with _cloud(2 * kvm + xen) as cloud:

        def enter(numbers: range) -> None:
            cloud.provide(numbers)
            cloud.populate(numbers)
            cloud.describe(numbers, range(xen))

        def call(way: str) -> None:
            # Else something would be compared with nothing.
            assert cloud.select(way), way

        def after() -> None:
            cloud.release()
            # What is left is nobody's.
            gc.collect()

        enter(range(xen + kvm))
        ways = (STOCK, PLUGIN, TRAIT)
        found = measure.interleaved(
            {way: functools.partial(call, way) for way in ways}, rounds, after
        )
        enter(range(xen + kvm, xen + 2 * kvm))
        found.update(
            measure.interleaved(
                {TWICE: functools.partial(call, TRAIT)}, rounds, after
            )
        )
        return {name: each.rounds for name, each in found.items()}


def missed(kvm: int, xen: int, requests: int) -> dict[str, ty.Sequence[float]]:
    """Which requests find no host: 1; the others 0.

    placement has an order of its own, which stays: the Xen hosts are those
    at its end. Where it isn't random, stock nova is asked a tenth as often.
    """
    hosts = range(kvm + xen)
    found: dict[str, ty.Sequence[float]] = {}
    with _cloud(len(hosts)) as cloud:
        cloud.provide(hosts)
        cloud.describe(hosts, frozenset(cloud.order()[kvm:]))
        for randomised in (False, True):
            cloud.randomise(randomised)
            for way in (STOCK, TRAIT):
                times = requests
                if way == STOCK and not randomised:
                    times = max(1, requests // 10)
                outcomes = []
                for _ in range(times):
                    outcomes.append(int(not cloud.select(way)))
                    cloud.release()
                found[way + RANDOMISED * randomised] = outcomes
    return found
