# SPDX-License-Identifier: Apache-2.0

"""Cinder: its API and its scheduler on this machine, volumes over NFS.

cinder-volume and the NFS server are in the first host's dom0: this machine's
kernel need not have NFS.
"""

from __future__ import annotations

import os
import shutil

from tests.e2e.processes import Process
from tests.e2e.processes import until
from tests.e2e.services.bus import Bus
from tests.e2e.services.database import Database
from tests.e2e.services.web import WebService
from tests.e2e.settings import Settings
from tests.xen.e2e import units
from tests.xen.e2e.hosts import MACHINE
from tests.xen.e2e.hosts import Pair

#: An emulated processor is slow to start it: seconds.
_PATIENCE = 900

_CONF = """
[DEFAULT]
host = {host}
my_ip = {address}
transport_url = {bus}
state_path = {state}
use_stderr = true
auth_strategy = keystone
api_paste_config = {paste}
osapi_volume_listen = 127.0.0.1
osapi_volume_listen_port = {port}
osapi_volume_workers = 1
service_down_time = 300
rpc_response_timeout = 600
glance_api_servers = {glance}
enabled_backends = nfs
[nfs]
volume_backend_name = nfs
volume_driver = cinder.volume.drivers.nfs.NfsDriver
nfs_shares_config = {state}/shares
nfs_mount_point_base = {state}/mnt
nfs_sparsed_volumes = true
nas_secure_file_operations = false
nas_secure_file_permissions = false
[oslo_messaging_rabbit]
amqp_durable_queues = true
[oslo_concurrency]
lock_path = {state}/lock
[database]
connection = {database}
max_pool_size = 50
{auth}"""
_CONF_IN_DOM0 = '/etc/cinder/xen-e2e.conf'
_STATE_IN_DOM0 = '/var/lib/cinder'
#: In that dom0.
_EXPORTED = '/srv/volumes'

_SET_UP = r"""
set -eu
mkdir -p {state}/lock {state}/mnt {exported}
chmod 777 {exported}
echo '{exported} 10.99.0.0/24(rw,no_root_squash,no_subtree_check)' \
    >/etc/exports
echo {address}:{exported} >{state}/shares
systemctl start nfs-server.service
"""


class Cinder(WebService):
    """All of it."""

    name = 'cinder'

    def __init__(
        self, settings: Settings, database: Database, bus: Bus, pair: Pair
    ) -> None:
        super().__init__(settings, database)
        self._bus = bus
        self._pair = pair

    def _text(self, host: str, address: str, state: str) -> str:
        s = self._settings
        return _CONF.format(
            host=host,
            address=address,
            bus=self._bus.url,
            state=state,
            paste=s.path('etc', 'cinder', 'api-paste.ini'),
            port=s.ports[self.name],
            glance=s.url('glance'),
            database=self._database.url('cinder'),
            auth=s.keystone_auth('keystone_authtoken'),
        )

    @property
    def _conf(self) -> str:
        return self._settings.path('etc', 'cinder', 'cinder.conf')

    def prepare(self) -> None:
        s = self._settings
        state = s.path('cinder')
        os.makedirs(state, exist_ok=True)
        s.write(
            'etc',
            'cinder',
            'cinder.conf',
            text=self._text('controller', '127.0.0.1', state),
        )
        for name in ('api-paste.ini', 'resource_filters.json'):
            shutil.copy(
                os.path.join(s.nova_env, 'etc/cinder', name),
                s.path('etc/cinder'),
            )
        s.processes.run(
            'cinder-manage',
            [
                s.nova_program('cinder-manage'),
                '--config-file=' + self._conf,
                'db',
                'sync',
            ],
        )

    def _serve(self) -> Process:
        s = self._settings
        api, _ = (
            s.processes.start(
                'cinder-' + name,
                [
                    s.nova_program('cinder-' + name),
                    '--config-file=' + self._conf,
                ],
            )
            for name in ('api', 'scheduler')
        )
        return api

    def start_volumes(self) -> None:
        """cinder-volume, and until it has reported."""
        host = self._pair.all[0]
        host.run(
            _SET_UP.format(
                state=_STATE_IN_DOM0, exported=_EXPORTED, address=host.address
            )
        )
        text = self._text(host.name, host.address, _STATE_IN_DOM0)
        host.host.write(
            _CONF_IN_DOM0, text.replace('127.0.0.1', MACHINE).encode()
        )
        units.start(
            host,
            'cinder-volume',
            'cinder-volume --config-file=%s' % _CONF_IN_DOM0,
        )
        until(
            lambda: self._database.execute(
                'SELECT 1 FROM cinder.services'
                " WHERE `binary` = 'cinder-volume' AND report_count > 0"
            ),
            'cinder-volume',
            _PATIENCE,
        )
