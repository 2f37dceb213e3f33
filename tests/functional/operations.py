# SPDX-License-Identifier: Apache-2.0

"""What users and operators do with servers."""

from __future__ import annotations

import typing as ty

from nova import utils

from tests.functional.waiting import _INSTANCE
from tests.functional.waiting import Server
from tests.functional.waiting import Waiting


def _has_status(status: str) -> ty.Callable[[Server, Server], bool]:
    return lambda before, now: now['status'] == status


def _moved(before: Server, now: Server) -> bool:
    attribute = 'OS-EXT-SRV-ATTR:host'
    return now['status'] == 'ACTIVE' and before[attribute] != now[attribute]


class Operations(Waiting):
    """What users and operators do with servers.

    Each returns the server when nova is done with it, and raises
    AssertionError, with what nova said of it, if it failed. With
    ``fails='NoValidHost'`` it is expected to fail, with these words in what
    nova said.
    """

    _default_flavor: ty.Optional[str] = None

    def boot(
        self,
        image_id: str,
        flavor: ty.Optional[str] = None,
        *,
        volume: ty.Any = False,
        count: int = 1,
        hints: ty.Optional[ty.Dict[str, ty.Any]] = None,
        az: ty.Optional[str] = None,
        host: ty.Optional[str] = None,
        wait: ty.Optional[str] = 'ACTIVE',
    ) -> ty.Any:
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
        request: ty.Dict[str, ty.Any] = {
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
        body: ty.Dict[str, ty.Any] = {'server': request}
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
        host: ty.Optional[str] = None,
        fails: ty.Optional[str] = None,
    ) -> Server:
        body = {'os-migrateLive': {'host': host, 'block_migration': 'auto'}}
        return self._act(
            server, 'live-migration', body, _moved, fails, 'live_migrate'
        )

    def cold_migrate(
        self,
        server: Server,
        host: ty.Optional[str] = None,
        fails: ty.Optional[str] = None,
    ) -> Server:
        """Migrate and confirm."""
        body = {'migrate': {'host': host} if host else None}
        return self._resize(server, 'migrate', body, fails, 'cold_migrate')

    def resize(
        self, server: Server, flavor: str, fails: ty.Optional[str] = None
    ) -> Server:
        """Resize and confirm."""
        body = {'resize': {'flavorRef': flavor}}
        return self._resize(server, 'resize', body, fails, 'resize')

    def _resize(
        self,
        server: Server,
        action: str,
        body: ty.Dict[str, ty.Any],
        fails: ty.Optional[str],
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
        host: ty.Optional[str] = None,
        fails: ty.Optional[str] = None,
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
        self, server: Server, image_id: str, fails: ty.Optional[str] = None
    ) -> Server:
        """Rebuild; of another image, or nova doesn't ask its scheduler."""
        body = {'rebuild': {'imageRef': image_id}}
        return self._act(server, 'rebuild', body, _has_status('ACTIVE'), fails)

    def shelve_offload(self, server: Server) -> Server:
        """Shelve; nova offloads at once unless configured otherwise."""

        def offloaded(before: Server, now: Server) -> bool:
            # nova saves the state first, and that it has no host later.
            return (
                now['status'] == 'SHELVED_OFFLOADED'
                and now['OS-EXT-SRV-ATTR:host'] is None
            )

        return self._act(server, 'shelve', {'shelve': None}, offloaded)

    def unshelve(
        self, server: Server, fails: ty.Optional[str] = None
    ) -> Server:
        done = _has_status('ACTIVE')
        return self._act(server, 'unshelve', {'unshelve': None}, done, fails)

    def delete(self, server: Server) -> None:
        """Delete a server, and have what it took free again."""
        self.api.delete_server(server['id'])

        def gone() -> bool:
            return not self._rows(
                _INSTANCE, uuid=server['id']
            ) and not self._get_allocations_by_server_uuid(server['id'])

        self._until(gone, 'the end of %s' % server['id'])

    def host_of(self, server: Server) -> ty.Optional[str]:
        (instance,) = self._rows(_INSTANCE, uuid=server['id'])
        return instance.host
