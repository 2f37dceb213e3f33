# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""A real nova in one process: api, conductor, scheduler, computes, placement.

nova's own functional fixtures carry it: the database is SQLite, the message
bus is in memory, and Keystone, Glance, Cinder, Neutron and the hypervisors
(driver.py) are fakes. All of nova is real, and so is its nova.conf. Tests
subclass :class:`Cloud`; scripts use :func:`running`.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import logging
import os
import sys
import time
from typing import Any
from typing import Callable
from typing import Dict
from typing import Iterable
from typing import Iterator
from typing import List
from typing import Optional
from unittest import mock
import warnings

import fixtures
from nova import config
from nova import context
from nova import objects
from nova import test
from nova import utils
import nova.conf
from nova.scheduler import filters
from nova.tests import fixtures as nova_fixtures
from nova.tests.functional import fixtures as func_fixtures
from nova.tests.functional import integrated_helpers
from nova.tests.functional.api import client
from nova.volume import cinder
from oslo_utils import uuidutils
from sqlalchemy import exc as sa_exc

from tests.functional import driver
from tests.functional.hosts import HostProfile

CONF = nova.conf.CONF

Server = Dict[str, Any]

#: What the harness itself needs of nova, in a file of its own, so that
#: nova.conf holds the operator's part alone.
HARNESS_CONF = """
[DEFAULT]
compute_driver = {driver}
state_path = {folder}
# Services are up until a test stops them; nothing else is to happen unasked.
report_interval = 0
service_down_time = 86400
# The defaults differ between novas.
cpu_allocation_ratio = 4.0
ram_allocation_ratio = 1.0
disk_allocation_ratio = 1.0
[wsgi]
api_paste_config = {prefix}/etc/nova/api-paste.ini
[quota]
instances = -1
cores = -1
ram = -1
[notifications]
notification_format = unversioned
[oslo_messaging_notifications]
driver = noop
"""


@dataclasses.dataclass
class Asked:
    """One call of the scheduler's filters, as it was when they began.

    ``candidates`` and ``spec`` are nova's own objects, which nova may change
    later; the other fields are copies.
    """

    during: str
    instance_uuid: Optional[str]
    image: Dict[str, Any]
    disk_format: Optional[str]
    is_bfv: Optional[bool]
    ignore_hosts: List[str]
    force_hosts: List[str]
    force_nodes: List[str]
    scheduler_hints: Dict[str, List[str]]
    destination_host: Optional[str]
    destination_cell: Optional[str]
    index: int
    num_instances: Optional[int]
    candidates: List[Any]
    spec: objects.RequestSpec
    names_in: List[str]
    #: None while the filters run, if one of them raised, or said to stop.
    names_out: Optional[List[str]] = None

    @classmethod
    def of(
        cls, during: str, candidates: List[Any], spec: Any, index: int
    ) -> Asked:
        """Read what nova is about to hand to the filters."""

        def field(obj: Any, name: str, default: Any = None) -> Any:
            # An unset field of a nova object raises.
            value = getattr(obj, name) if obj and name in obj else None
            return default if value is None else value

        image = field(spec, 'image')
        properties = field(image, 'properties')
        destination = field(spec, 'requested_destination')
        cell = field(destination, 'cell')
        return cls(
            during=during,
            instance_uuid=field(spec, 'instance_uuid'),
            image={
                name: getattr(properties, name)
                for name in (properties.fields if properties else ())
                if name in properties
            },
            disk_format=field(image, 'disk_format'),
            is_bfv=field(spec, 'is_bfv'),
            ignore_hosts=list(field(spec, 'ignore_hosts', ())),
            force_hosts=list(field(spec, 'force_hosts', ())),
            force_nodes=list(field(spec, 'force_nodes', ())),
            scheduler_hints=copy.deepcopy(field(spec, 'scheduler_hints', {})),
            destination_host=field(destination, 'host'),
            destination_cell=cell.uuid if cell else None,
            index=index,
            num_instances=field(spec, 'num_instances'),
            candidates=candidates,
            spec=spec,
            names_in=sorted(h.host for h in candidates),
        )


def _policy_fixture() -> Any:
    try:
        return nova_fixtures.RealPolicyFixture()
    except AttributeError:  # nova 22
        from nova.tests.unit import policy_fixture

        return policy_fixture.RealPolicyFixture()


class Operations:
    """What users and operators do with servers.

    Each returns the server when nova is done with it, and raises
    AssertionError, with what nova said of it, if it failed. With
    ``fails='NoValidHost'`` it is expected to fail, with these words in what
    nova said.
    """

    def boot(
        self,
        image_id: str,
        flavor: Optional[str] = None,
        *,
        volume: Any = False,
        count: int = 1,
        hints: Optional[Dict[str, Any]] = None,
        az: Optional[str] = None,
        host: Optional[str] = None,
        wait: Optional[str] = 'ACTIVE',
    ) -> Any:
        """Boot a server, or a list of them where ``count`` is above 1.

        :param flavor: its id; None for a small one
        :param volume: True for a root volume which nova has Cinder make of
            the image; 'existing' for one that is there beforehand
        :param az: also as zone:host or zone:host:node, to force a host
        :param wait: the status to wait for; None does not wait
        """
        if flavor is None:
            self._default_flavor = self._default_flavor or self.create_flavor()
            flavor = self._default_flavor
        request: Dict[str, Any] = {
            'name': 'guest',
            'imageRef': '' if volume else image_id,
            'flavorRef': flavor,
            'networks': 'none',
        }
        if count > 1:
            request.update(
                min_count=count, max_count=count, return_reservation_id=True
            )
        if volume:
            existing = volume == 'existing'
            disk = {
                'boot_index': 0,
                'source_type': 'volume' if existing else 'image',
                'destination_type': 'volume',
                'uuid': self.create_volume(image_id) if existing else image_id,
                'delete_on_termination': False,
            }
            if not existing:
                disk['volume_size'] = 1
            request['block_device_mapping_v2'] = [disk]
        if az:
            request['availability_zone'] = az
        if host:
            request['host'] = host
        body: Dict[str, Any] = {'server': request}
        if hints:
            body['os:scheduler_hints'] = hints
        with self._doing('boot'):
            answer = self.api.post_server(body)
            servers = [answer]
            if count > 1:
                servers = self.api.get_servers(search_opts=answer)
                servers.sort(key=lambda server: server['name'])
            if wait:
                servers = [self._booted(server, wait) for server in servers]
        return servers if count > 1 else servers[0]

    def _booted(self, server: Server, status: str) -> Server:
        return self._ended(
            server,
            'create',
            lambda now: now['status'] == 'ACTIVE',
            '' if status == 'ERROR' else None,
            leaves='building',
        )

    def live_migrate(
        self,
        server: Server,
        host: Optional[str] = None,
        fails: Optional[str] = None,
    ) -> Server:
        body = {'os-migrateLive': {'host': host, 'block_migration': 'auto'}}
        return self._act(
            server, 'live-migration', body, _moved, fails, 'live_migrate'
        )

    def cold_migrate(
        self,
        server: Server,
        host: Optional[str] = None,
        fails: Optional[str] = None,
    ) -> Server:
        """Migrate and confirm."""
        body = {'migrate': {'host': host} if host else None}
        return self._resize(server, 'migrate', body, fails, 'cold_migrate')

    def resize(
        self, server: Server, flavor: str, fails: Optional[str] = None
    ) -> Server:
        """Resize and confirm."""
        body = {'resize': {'flavorRef': flavor}}
        return self._resize(server, 'resize', body, fails, 'resize')

    def _resize(
        self,
        server: Server,
        action: str,
        body: Dict[str, Any],
        fails: Optional[str],
        during: str,
    ) -> Server:
        done = _has_status('VERIFY_RESIZE')
        server = self._act(server, action, body, done, fails, during)
        if fails is not None:
            return server
        return self._act(
            server,
            'confirmResize',
            {'confirmResize': None},
            _has_status('ACTIVE'),
            during=during,
            leaves='resized',
        )

    def evacuate(
        self,
        server: Server,
        host: Optional[str] = None,
        fails: Optional[str] = None,
    ) -> Server:
        """Stop the host that the server is on, then evacuate the server."""
        source = self.host_of(server)
        record = self.api.get_services(binary='nova-compute', host=source)[0]
        if not record['forced_down']:
            self.stop_host(source)
        body = {'evacuate': {'host': host} if host else {}}
        # From 2.95 on nova leaves the server stopped.
        with utils.temporary_mutation(self.api, microversion='2.80'):
            return self._act(server, 'evacuate', body, _moved, fails)

    def rebuild(
        self, server: Server, image_id: str, fails: Optional[str] = None
    ) -> Server:
        """Rebuild; of another image, or nova doesn't ask its scheduler."""
        body = {'rebuild': {'imageRef': image_id}}
        return self._act(server, 'rebuild', body, _has_status('ACTIVE'), fails)

    def shelve_offload(self, server: Server) -> Server:
        """Shelve; nova offloads at once unless configured otherwise."""
        done = _has_status('SHELVED_OFFLOADED')
        return self._act(server, 'shelve', {'shelve': None}, done)

    def unshelve(self, server: Server, fails: Optional[str] = None) -> Server:
        done = _has_status('ACTIVE')
        return self._act(server, 'unshelve', {'unshelve': None}, done, fails)

    def delete(self, server: Server) -> None:
        """Delete a server, and have what it took free again."""
        self.api.delete_server(server['id'])

        def gone() -> bool:
            try:
                self.api.get_server(server['id'])
            except client.OpenStackApiNotFoundException:
                return not self._get_allocations_by_server_uuid(server['id'])
            return False

        self._until(gone, 'the end of %s' % server['id'])

    def host_of(self, server: Server) -> Optional[str]:
        return self.api.get_server(server['id'])['OS-EXT-SRV-ATTR:host']

    # Waiting

    @contextlib.contextmanager
    def _doing(self, what: str) -> Iterator[None]:
        before, self._during = self._during, what
        try:
            yield
        finally:
            self._during = before

    def _act(
        self,
        server: Server,
        action: str,
        body: Dict[str, Any],
        done: Callable[[Server, Server], bool],
        fails: Optional[str] = None,
        during: Optional[str] = None,
        leaves: Optional[str] = None,
    ) -> Server:
        """Post a server action and wait for its end.

        :param action: its name among the instance actions
        :param done: is it, judged by the server before and now
        :param leaves: the vm_state it leaves, if it has no task_state
        """
        server = self.api.get_server(server['id'])
        with self._doing(during or action):
            self.api.post_server_action(server['id'], body)
            return self._ended(
                server, action, lambda now: done(server, now), fails, leaves
            )

    def _ended(
        self,
        server: Server,
        action: str,
        arrived: Callable[[Server], bool],
        fails: Optional[str],
        leaves: Optional[str] = None,
    ) -> Server:
        now = server
        failure: Optional[str] = None

        def done() -> bool:
            nonlocal now, failure
            if self._busy(server['id'], leaves):
                return False
            now = self.api.get_server(server['id'])
            failure = self._failure(now, action)
            return failure is not None or (
                arrived(now) and self._migration_ended(now)
            )

        self._until(done, '%s of %s' % (action, server['id']))
        if failure is None and fails is not None:
            raise AssertionError(
                '%s did not fail, the server is on %s'
                % (action, now['OS-EXT-SRV-ATTR:host'])
            )
        if failure is not None and (fails is None or fails not in failure):
            raise AssertionError('%s failed: %s' % (action, failure))
        return now

    def _busy(self, server_id: str, leaves: Optional[str]) -> bool:
        """Is nova at work on it, or is it still in the state it will leave?

        Read from the cells: asking the API takes ten times as long, of the
        processor that all of this nova shares.
        """
        wanted = {'uuid': [server_id], 'deleted': False}
        for cell in self.cell_mappings.values():
            with context.target_cell(
                context.get_admin_context(), cell
            ) as ctxt:
                for instance in objects.InstanceList.get_by_filters(
                    ctxt, wanted, expected_attrs=[]
                ):
                    return (
                        instance.task_state is not None
                        or instance.vm_state == leaves
                    )
        return True

    def _failure(self, now: Server, action: str) -> Optional[str]:
        """What nova recorded of an action that failed; None if it did not."""
        if now['OS-EXT-STS:task_state'] is not None:
            return None
        if now['status'] == 'ERROR':
            # The fault is recorded a moment after the status.
            fault = now.get('fault')
            return fault and '%s\n%s' % (
                fault['message'],
                fault.get('details', ''),
            )
        actions = self.api.get_instance_actions(now['id'])
        newest = next((a for a in actions if a['action'] == action), None)
        if newest is None:
            return None
        events = self.api.get_instance_action_details(
            now['id'], newest['request_id']
        )['events']
        errors = [e for e in events if (e['result'] or '').lower() == 'error']
        if errors:
            return '\n'.join(
                '%s: %s' % (e['event'], e.get('traceback')) for e in errors
            )
        if (
            action == 'unshelve'
            and now['status'] == 'SHELVED_OFFLOADED'
            and events
            and all(e['finish_time'] for e in events)
        ):
            return 'NoValidHost, which nova only logs when unshelving'
        return None

    def _migration_ended(self, now: Server) -> bool:
        """Has nova closed the record, and cleared the source's allocation?"""
        migrations = self.api.api_get(
            '/os-migrations?instance_uuid=%s' % now['id']
        ).body['migrations']
        if not migrations:
            return True
        newest = max(migrations, key=lambda m: m['id'])
        if newest['status'] in ('completed', 'confirmed'):
            return not self._get_allocations_by_server_uuid(newest['uuid'])
        return newest['status'] in ('finished', 'done', 'error', 'failed')

    def _until(self, done: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + self.TIMEOUT
        while not done():
            if time.monotonic() > deadline:
                raise AssertionError(
                    'waited %ds for %s' % (self.TIMEOUT, what)
                )
            time.sleep(0.03)


class Cloud(
    Operations,
    integrated_helpers.PlacementInstanceHelperMixin,
    test.TestCase,
):
    """A cloud with no computes yet: see :meth:`start_hosts`."""

    #: The operator's part of nova.conf.
    NOVA_CONF = """
[filter_scheduler]
available_filters = nova.scheduler.filters.all_filters
available_filters = nova_xen_sched.filters.XenHostFilter
enabled_filters = ComputeFilter,ComputeCapabilitiesFilter,XenHostFilter,\
ServerGroupAntiAffinityFilter,ServerGroupAffinityFilter
"""
    #: Called with each Asked before the filters run, in nova's own thread:
    #: what it raises, the scheduler raises.
    on_asked: Optional[Callable[[Asked], None]] = None
    #: Seconds; a loaded machine may take many times what an idle one does.
    TIMEOUT = 60.0
    REQUIRES_LOCKING = True
    __test__ = False
    # The testtools of nova 22 has none, and pytest keeps cases in a set.
    __hash__ = object.__hash__  # type: ignore[assignment]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # Else pytest runs the runTest of every class that has no tests.
        cls.__test__ = any(name.startswith('test_') for name in dir(cls))

    def setUp(self) -> None:
        self._folder = self.useFixture(fixtures.TempDir()).path
        self.nova_conf = os.path.join(self._folder, 'nova.conf')
        harness_conf = os.path.join(self._folder, 'harness.conf')
        with open(harness_conf, 'w') as f:
            f.write(
                HARNESS_CONF.format(
                    driver=driver.COMPUTE_DRIVER,
                    folder=self._folder,
                    prefix=sys.prefix,
                )
            )
        with open(self.nova_conf, 'w') as f:
            f.write(self.NOVA_CONF)
        parse_args = config.parse_args

        def parse_ours(argv: List[str], **kwargs: Any) -> None:
            kwargs['default_config_files'] = [harness_conf, self.nova_conf]
            parse_args(argv, **kwargs)

        # nova's ConfFixture parses an empty list of files.
        with mock.patch.object(config, 'parse_args', parse_ours):
            super().setUp()
        # nova turns SQLAlchemy's deprecations into errors; newer releases of
        # SQLAlchemy have some which nova was never tested with.
        if hasattr(sa_exc, 'SADeprecationWarning'):
            warnings.simplefilter('ignore', sa_exc.SADeprecationWarning)

        self.asked: List[Asked] = []
        self._during = ''
        self._record_filters()
        self.useFixture(_policy_fixture())
        self.useFixture(nova_fixtures.NeutronFixture(self))
        self.glance = self.useFixture(nova_fixtures.GlanceFixture(self))
        self.useFixture(nova_fixtures.CinderFixture(self))
        self._fake_volumes()
        placement = self.useFixture(func_fixtures.PlacementFixture())
        self.placement = placement.api
        self.useFixture(nova_fixtures.AllServicesCurrent())
        self.api_fixture = self.useFixture(
            nova_fixtures.OSAPIFixture(api_version='v2.1')
        )
        self.api = self.admin_api = self.api_fixture.admin_api
        self.api.microversion = 'latest'
        self.conductor = self._start('conductor')
        self.scheduler = self._start('scheduler')
        self._default_flavor: Optional[str] = None

    def _clear_attrs(self) -> None:
        # nova's deletes the test method too, of which pytest has need yet.
        pass

    def runTest(self) -> None:  # noqa: N802
        """Stand in for a test, for running() and for pytest's look at us."""

    def _start(self, name: str, **kwargs: Any) -> Any:
        service = self.start_service(name, **kwargs)
        self.addCleanup(service.stop)
        return service

    def _record_filters(self) -> None:
        real = filters.HostFilterHandler.get_filtered_objects

        def record(
            handler: Any, chain: Any, objs: Any, spec: Any, index: int = 0
        ) -> Any:
            candidates = list(objs)
            asked = Asked.of(self._during, candidates, spec, index)
            self.asked.append(asked)
            if self.on_asked is not None:
                self.on_asked(asked)
            left = real(handler, chain, candidates, spec, index)
            if left is not None:
                asked.names_out = sorted(h.host for h in left)
            return left

        self.useFixture(
            fixtures.MockPatchObject(
                filters.HostFilterHandler, 'get_filtered_objects', record
            )
        )

    def _fake_volumes(self) -> None:
        """Volumes made from images, which not every CinderFixture has."""
        self._volumes: Dict[str, Dict[str, Any]] = {}
        fixture_get = cinder.API().get

        def get(
            api: Any, ctxt: Any, volume_id: str, microversion: Any = None
        ) -> Dict[str, Any]:
            volume = fixture_get(ctxt, volume_id, microversion)
            volume.update(self._volumes.get(volume_id, {}))
            return volume

        def create(
            api: Any, ctxt: Any, size: int, *args: Any, **kwargs: Any
        ) -> Dict[str, Any]:
            return get(api, ctxt, self.create_volume(kwargs['image_id'], size))

        self.stub_out('nova.volume.cinder.API.get', get)
        self.stub_out('nova.volume.cinder.API.create', create)

    # The cloud's parts

    @property
    def log(self) -> str:
        """All that nova logged, from INFO on (OS_DEBUG=1: from DEBUG on)."""
        return self.stdlog.logger.output

    def rewrite_conf(self, text: str) -> None:
        """Write nova.conf anew and do what nova-scheduler does on SIGHUP."""
        with open(self.nova_conf, 'w') as f:
            f.write(text)
        CONF.mutate_config_files()
        self.scheduler.reset()

    def start_hosts(self, profiles: Iterable[HostProfile]) -> None:
        """Start a nova-compute for each."""
        for profile in profiles:
            driver.PROFILES[profile.name] = profile
            self.addCleanup(driver.PROFILES.pop, profile.name, None)
            self.computes[profile.name] = self._start(
                'compute', host=profile.name
            )
            self._set_service_version(profile)

    def change_host(self, profile: HostProfile) -> None:
        """Let a host that runs report something else from now on."""
        driver.PROFILES[profile.name] = profile
        with self._cell_context(profile.name) as ctxt:
            compute = self.computes[profile.name]
            compute.manager.update_available_resource(ctxt)
        self._set_service_version(profile)

    def _cell_context(self, host: str) -> Any:
        return context.target_cell(
            context.get_admin_context(), self.host_mappings[host].cell_mapping
        )

    def _set_service_version(self, profile: HostProfile) -> None:
        if profile.service_version is None:
            return
        # A new Service object has the version of the nova that runs, and
        # saves it; the field is read-only.
        with mock.patch(
            'nova.objects.service.SERVICE_VERSION', profile.service_version
        ), self._cell_context(profile.name) as ctxt:
            record = objects.Service.get_by_compute_host(ctxt, profile.name)
            objects.Service(ctxt, id=record.id).save()

    def stop_host(self, name: str) -> None:
        """Stop a host's nova-compute and tell nova that it is down."""
        self.computes[name].stop()
        service = self.api.get_services(binary='nova-compute', host=name)[0]
        self.api.put_service_force_down(service['id'], True)

    def create_image(
        self, name: str, disk_format: str = 'raw', **properties: str
    ) -> str:
        """An image with properties as users set them in Glance."""
        return self.glance.create(
            None,
            {
                'name': name,
                'container_format': 'bare',
                'disk_format': disk_format,
                'size': 1024 * 1024,
                'min_ram': 0,
                'min_disk': 0,
                'visibility': 'public',
                'tags': [],
                'properties': properties,
            },
        )['id']

    def create_volume(self, image_id: Optional[str], size: int = 1) -> str:
        """A bootable volume as Cinder makes it from an image."""
        volume_id = uuidutils.generate_uuid()
        self._volumes[volume_id] = {'size': size}
        if image_id:
            image = self.glance.show(None, image_id)
            self._volumes[volume_id].update(
                bootable=True,
                volume_image_metadata=dict(
                    image['properties'],
                    image_id=image_id,
                    image_name=image['name'],
                    disk_format=image['disk_format'],
                    container_format=image['container_format'],
                    min_ram='0',
                    min_disk='0',
                ),
            )
        return volume_id

    def create_flavor(
        self,
        ram: int = 512,
        vcpus: int = 1,
        disk: int = 1,
        extra_specs: Optional[Dict[str, str]] = None,
    ) -> str:
        return self._create_flavor(
            memory_mb=ram,
            vcpu=vcpus,
            disk=disk,
            ephemeral=0,
            extra_spec=extra_specs,
        )

    def create_aggregate(
        self,
        name: str,
        hosts: Iterable[str] = (),
        metadata: Optional[Dict[str, Optional[str]]] = None,
    ) -> int:
        aggregate_id = self._create_aggregate(name)
        for host in hosts:
            self.api.add_host_to_aggregate(aggregate_id, host)
        self.set_aggregate_metadata(aggregate_id, metadata or {})
        return aggregate_id

    def set_aggregate_metadata(
        self, aggregate_id: int, metadata: Dict[str, Optional[str]]
    ) -> None:
        """Set keys, or remove those of value None."""
        action = {'set_metadata': {'metadata': metadata}}
        self.api.post_aggregate_action(aggregate_id, action)
        path = '/os-aggregates/%s' % aggregate_id
        now = self.api.api_get(path).body['aggregate']

        # The API tells the scheduler by a message nobody waits for.
        def known() -> bool:
            seen = self.host_manager.aggs_by_id.get(aggregate_id)
            return (
                seen is not None
                and seen.metadata == now['metadata']
                and sorted(seen.hosts) == sorted(now['hosts'])
            )

        self._until(known, 'the scheduler to learn of %s' % now)

    @property
    def host_manager(self) -> Any:
        """The scheduler's."""
        manager = self.scheduler.manager
        return getattr(manager, 'driver', manager).host_manager


def _has_status(status: str) -> Callable[[Server, Server], bool]:
    return lambda before, now: now['status'] == status


def _moved(before: Server, now: Server) -> bool:
    attribute = 'OS-EXT-SRV-ATTR:host'
    return now['status'] == 'ACTIVE' and before[attribute] != now[attribute]


@contextlib.contextmanager
def running(
    cloud_class: type = Cloud, profiles: Iterable[HostProfile] = ()
) -> Iterator[Any]:
    """A cloud outside of any test; cleaned up whatever happens."""
    cloud = cloud_class()
    root = logging.getLogger()
    with contextlib.ExitStack() as undo:
        # Importing nova.test sets up logging to stderr, and an excepthook
        # that logs: what is logged is in cloud.log, and a script's own
        # errors are better off as usual.
        undo.callback(setattr, root, 'handlers', root.handlers)
        root.handlers = [logging.NullHandler()]
        sys.excepthook = sys.__excepthook__
        undo.callback(_clean_up, cloud)
        cloud.setUp()
        cloud.start_hosts(profiles)
        yield cloud


def _clean_up(case: Any) -> None:
    """Run a test case's cleanups, as testtools does: each, whatever fails."""
    with contextlib.ExitStack() as cleanups:
        for function, args, kwargs in case._cleanups:
            cleanups.callback(function, *args, **kwargs)
        case._cleanups = []
