# SPDX-License-Identifier: Apache-2.0

"""What users and operators ask of nova's API."""

from __future__ import annotations

import typing as ty

from keystoneauth1 import session

from tests.e2e.processes import Failure
from tests.e2e.processes import PATIENCE
from tests.e2e.processes import until

#: The newest of nova 22, and one in which evacuated servers are started.
_MICROVERSION = 'compute 2.87'
#: As old as Cinder's v3.
_OF_VOLUMES = 'volume 3.0'
_HOST = 'OS-EXT-SRV-ATTR:host'
_TASK = 'OS-EXT-STS:task_state'

Server = ty.Dict[str, ty.Any]


class Client:
    """One sign-in, and what one does with it.

    What waits returns the server when nova is done, and raises Failure with
    what nova said if it failed.
    """

    flavor = ''
    #: How long nova may take for something, seconds.
    patience = PATIENCE

    def __init__(self, signed_in: session.Session) -> None:
        self._session = signed_in

    def ask(
        self,
        method: str,
        path: str,
        body: ty.Any = None,
        service: str = 'compute',
    ) -> ty.Any:
        """A request of nova's API, or another's; the answer's body."""
        return self._ask(service, method, path, json=body)

    def provider(self, uuid: str, what: str) -> ty.Any:
        """What placement has of a resource provider.

        :param what: inventories, traits or usages.
        """
        answer = self._ask(
            'placement',
            'GET',
            '/resource_providers/%s/%s' % (uuid, what),
            headers={'OpenStack-API-Version': 'placement 1.36'},
        )
        return answer[what]

    def allocations(self, server_id: str) -> dict[str, ty.Any]:
        """What placement has allocated to a server, by resource provider."""
        found: dict[str, ty.Any] = self._ask(
            'placement', 'GET', '/allocations/' + server_id
        )['allocations']
        return found

    def _ask(
        self, service: str, method: str, path: str, **kwargs: ty.Any
    ) -> ty.Any:
        answer = self._session.request(
            path,
            method,
            endpoint_filter={
                'service_type': service,
                'interface': 'public',
                'region_name': 'RegionOne',
            },
            headers={
                'OpenStack-API-Version': (
                    _OF_VOLUMES if service == 'volumev3' else _MICROVERSION
                ),
                **kwargs.pop('headers', {}),
            },
            raise_exc=False,
            **kwargs,
        )
        if answer.status_code >= 400:
            raise Failure(
                '%s %s: HTTP %d %s'
                % (method, path, answer.status_code, answer.text[:500])
            )
        return answer.json() if answer.text else None

    # Images and flavors

    def create_image(
        self,
        name: str,
        *,
        content: bytes = b'no guest ever runs this',
        **properties: str,
    ) -> str:
        """An image with a few bytes in it; its id."""
        image = self._ask(
            'image',
            'POST',
            '/v2/images',
            json={
                'name': name,
                'disk_format': 'raw',
                'container_format': 'bare',
                **properties,
            },
        )
        self._ask(
            'image',
            'PUT',
            '/v2/images/%s/file' % image['id'],
            data=content,
            headers={'Content-Type': 'application/octet-stream'},
        )
        return image['id']

    def properties(self, image: str) -> dict[str, str]:
        """An image's own, for another one alike."""
        found = self.ask('GET', '/v2/images/' + image, service='image')
        return {
            key: value
            for key, value in found.items()
            if key.startswith(('img_', 'hw_', 'os_command'))
            or key in ('kernel_id', 'ramdisk_id')
        }

    def create_flavor(
        self,
        name: str = 'e2e',
        ram: int = 256,
        disk: int = 1,
        extra_specs: ty.Mapping[str, str] | None = None,
        **more: int,
    ) -> str:
        """A flavor's id.

        :param more: further fields: ephemeral, swap
        """
        flavor = {'name': name, 'ram': ram, 'vcpus': 1, 'disk': disk, **more}
        made = self.ask('POST', '/flavors', {'flavor': flavor})['flavor']['id']
        if extra_specs:
            path = '/flavors/%s/os-extra_specs' % made
            self.ask('POST', path, {'extra_specs': extra_specs})
        return made

    # Servers

    def post_server(
        self,
        image: str,
        *,
        name: str = 'guest',
        host: str | None = None,
        count: int = 1,
        flavor: str | None = None,
        zone: str | None = None,
        **more: ty.Any,
    ) -> str:
        """Ask for a server, or several; its id, or the reservation's.

        :param zone: or ZONE:HOST, which no filter is asked about.
        :param more: further fields of the request, or others.
        """
        body: dict[str, ty.Any] = {
            'name': name,
            'imageRef': image,
            'flavorRef': flavor or self.flavor,
            'networks': 'none',
            **more,
        }
        if host is not None:
            body['host'] = host
        if zone is not None:
            body['availability_zone'] = zone
        if count > 1:
            body.update(
                min_count=count, max_count=count, return_reservation_id=True
            )
        answer = self.ask('POST', '/servers', {'server': body})
        return (
            answer['reservation_id'] if count > 1 else answer['server']['id']
        )

    def boot(self, image: str, host: str | None = None) -> Server:
        return self.booted(self.post_server(image, host=host))

    def booted(self, server_id: str) -> Server:
        return self._until(server_id, 'create', _has('ACTIVE'))

    def tried(self, server_id: str) -> list[str]:
        """The hosts that were to build a server, one after the other."""
        path = '/servers/%s/os-instance-actions' % server_id
        (create,) = (
            each
            for each in self.ask('GET', path)['instanceActions']
            if each['action'] == 'create'
        )
        found = self.ask('GET', '%s/%s' % (path, create['request_id']))
        events = [
            each
            for each in found['instanceAction']['events']
            if each['event'] == 'compute__do_build_and_run_instance'
        ]
        return [
            each['host']
            for each in sorted(events, key=lambda each: each['start_time'])
        ]

    def refused(
        self, image: str, host: str | None = None, flavor: str | None = None
    ) -> Server:
        """Boot what no host may take; the server, in ERROR as nova does.

        :raises Failure: if it boots, or fails for another reason
        """
        server_id = self.post_server(image, host=host, flavor=flavor)
        try:
            server = self.booted(server_id)
        except Failure as e:
            if 'No valid host' not in str(e):
                raise
            return self.server(server_id)
        raise Failure('it booted on %s' % server[_HOST])

    def servers(self, **search: str) -> list[Server]:
        query = '&'.join('%s=%s' % each for each in search.items())
        return self.ask('GET', '/servers/detail?' + query)['servers']

    def server(self, server_id: str) -> Server:
        return self.ask('GET', '/servers/' + server_id)['server']

    def delete(self, server: Server) -> None:
        self.ask('DELETE', '/servers/' + server['id'])
        until(
            lambda: (
                server['id'] not in [each['id'] for each in self.servers()]
            ),
            'delete of %s' % server['id'],
            self.patience,
        )

    def act(self, server: Server, body: ty.Any) -> None:
        self.ask('POST', '/servers/%s/action' % server['id'], body)

    def do(
        self, server: Server, body: ty.Any, action: str, status: str
    ) -> Server:
        """Ask for it, and wait for its end.

        :param action: what nova's instance actions call it
        :param status: the server's, then
        """
        self.act(server, body)
        return self._until(server['id'], action, _has(status))

    def idle(self, server: Server, action: str) -> Server:
        """Wait until nova is at nothing with it, nor failed in that."""
        return self._until(server['id'], action, lambda now: True)

    def begin_live_migration(self, server: Server, host: str) -> None:
        """Ask for it, and wait until the host's driver is at it."""
        query = '/os-migrations?instance_uuid=' + server['id']

        def statuses() -> dict[int, str]:
            found = self.ask('GET', query)['migrations']
            return {each['id']: each['status'] for each in found}

        before = statuses()
        self.act(
            server,
            {'os-migrateLive': {'host': host, 'block_migration': 'auto'}},
        )

        def running() -> bool:
            for key, status in statuses().items():
                if key not in before and status in ('error', 'failed'):
                    raise Failure('migration %d ended in %s' % (key, status))
                if key not in before and status == 'running':
                    return True
            return False

        until(running, 'live migration of %s' % server['id'], self.patience)

    def live_migrated(self, server: Server) -> Server:
        """Wait for the end of one that was begun."""
        return self._until(server['id'], 'live-migration', _moved(server))

    def live_migrate(
        self, server: Server, block_migration: bool | str = 'auto'
    ) -> Server:
        how = {'host': None, 'block_migration': block_migration}
        self.act(server, {'os-migrateLive': how})
        return self.live_migrated(server)

    def cold_migrate(self, server: Server) -> Server:
        """Migrate and confirm."""
        self.act(server, {'migrate': {'host': None}})
        self._until(server['id'], 'migrate', _has('VERIFY_RESIZE'))
        self.act(server, {'confirmResize': None})
        return self._until(server['id'], 'confirmResize', _moved(server))

    def resize(self, server: Server, flavor: str) -> Server:
        """Resize, and leave it to be confirmed."""
        self.act(server, {'resize': {'flavorRef': flavor}})
        return self._until(server['id'], 'resize', _has('VERIFY_RESIZE'))

    def confirm_resize(self, server: Server) -> Server:
        self.act(server, {'confirmResize': None})
        return self._until(server['id'], 'confirmResize', _has('ACTIVE'))

    def revert_resize(self, server: Server) -> Server:
        self.act(server, {'revertResize': None})
        return self._until(server['id'], 'revertResize', _has('ACTIVE'))

    def rebuild(self, server: Server, image: str) -> Server:
        self.act(server, {'rebuild': {'imageRef': image}})
        return self._until(
            server['id'],
            'rebuild',
            lambda now: (
                now['status'] == 'ACTIVE' and now['image']['id'] == image
            ),
        )

    def evacuate(self, server: Server) -> Server:
        self.act(server, {'evacuate': {}})
        return self._until(server['id'], 'evacuate', _moved(server))

    def _until(
        self, server_id: str, action: str, done: ty.Callable[[Server], bool]
    ) -> Server:
        def ended() -> Server | None:
            now = self.server(server_id)
            if now[_TASK] is not None:
                return None
            if now['status'] == 'ERROR':
                fault = now.get('fault')
                if fault is None:  # It is recorded a moment later.
                    return None
                raise Failure(
                    '%s: %s %s'
                    % (action, fault['message'], fault.get('details', ''))
                )
            if done(now):
                return now
            said = self._error(server_id, action)
            if said:
                raise Failure('%s: %s' % (action, said))
            return None

        what = '%s of %s' % (action, server_id)
        return until(ended, what, self.patience)

    def _error(self, server_id: str, action: str) -> str | None:
        """What nova recorded of an action that failed."""
        if action == 'live-migration':
            # What fails in libvirt is recorded there alone.
            query = '/os-migrations?instance_uuid=' + server_id
            found = self.ask('GET', query)['migrations']
            newest = max(found, key=lambda each: each['id'], default=None)
            if newest and newest['status'] in ('error', 'failed'):
                return 'migration %d ended in %s' % (
                    newest['id'],
                    newest['status'],
                )
        path = '/servers/%s/os-instance-actions' % server_id
        for each in self.ask('GET', path)['instanceActions']:
            if each['action'] != action:
                continue
            found = self.ask('GET', '%s/%s' % (path, each['request_id']))
            for event in found['instanceAction']['events']:
                if (event['result'] or '').lower() == 'error':
                    return '%s: %s' % (
                        event['event'],
                        event.get('traceback') or 'failed',
                    )
            return None
        return None

    # Hosts

    def create_aggregate(self, name: str, *hosts: str) -> int:
        created = self.ask(
            'POST', '/os-aggregates', {'aggregate': {'name': name}}
        )['aggregate']['id']
        for host in hosts:
            self.ask(
                'POST',
                '/os-aggregates/%d/action' % created,
                {'add_host': {'host': host}},
            )
        return created

    def set_aggregate(self, aggregate: int, **metadata: str | None) -> None:
        """Set metadata (None removes); _ in a key's place of the colon."""
        self.ask(
            'POST',
            '/os-aggregates/%d/action' % aggregate,
            {
                'set_metadata': {
                    'metadata': {
                        key.replace('_', ':', 1): value
                        for key, value in metadata.items()
                    }
                }
            },
        )

    def compute_service(self, host: str) -> dict[str, ty.Any]:
        return self.ask(
            'GET', '/os-services?binary=nova-compute&host=' + host
        )['services'][0]

    def force_down(self, host: str, down: bool) -> None:
        self.ask(
            'PUT',
            '/os-services/' + self.compute_service(host)['id'],
            {'forced_down': down},
        )


def host_of(server: Server) -> str:
    return server[_HOST]


def _has(status: str) -> ty.Callable[[Server], bool]:
    return lambda now: now['status'] == status


def _moved(before: Server) -> ty.Callable[[Server], bool]:
    return lambda now: (
        now['status'] == 'ACTIVE' and now[_HOST] != before[_HOST]
    )
