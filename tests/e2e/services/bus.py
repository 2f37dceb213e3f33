# SPDX-License-Identifier: Apache-2.0

"""RabbitMQ, with an epmd of the run."""

from __future__ import annotations

import os
import secrets

from tests.e2e.processes import listening
from tests.e2e.processes import Process
from tests.e2e.settings import Settings


class Bus:
    """The message broker."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._server: Process | None = None
        home = settings.path('rabbitmq')
        ports = settings.ports
        self._env = {
            'HOME': home,
            'ERL_EPMD_PORT': str(ports['epmd']),
            'ERL_EPMD_ADDRESS': '127.0.0.1',
            'RABBITMQ_NODENAME': 'e2e@localhost',
            'RABBITMQ_NODE_IP_ADDRESS': '127.0.0.1',
            'RABBITMQ_NODE_PORT': str(ports['amqp']),
            'RABBITMQ_DIST_PORT': str(ports['erlang']),
            'RABBITMQ_MNESIA_BASE': os.path.join(home, 'data'),
            'RABBITMQ_LOGS': '-',
            'RABBITMQ_ENABLED_PLUGINS_FILE': os.path.join(home, 'plugins'),
            'RABBITMQ_CONFIG_FILE': os.path.join(home, 'rabbitmq'),
            'RABBITMQ_CONF_ENV_FILE': os.path.join(home, 'none'),
            'RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS': (
                '-kernel inet_dist_use_interface {127,0,0,1}'
            ),
        }

    @property
    def url(self) -> str:
        s = self._settings
        return 'rabbit://openstack:%s@127.0.0.1:%d/' % (
            s.password,
            s.ports['amqp'],
        )

    def start(self) -> None:
        s = self._settings
        cookie = s.write(
            'rabbitmq', '.erlang.cookie', text=secrets.token_hex()
        )
        os.chmod(cookie, 0o400)
        s.write('rabbitmq', 'plugins', text='[].\n')
        s.write(
            'rabbitmq',
            'rabbitmq.conf',
            text='default_user = openstack\ndefault_pass = %s\n'
            'loopback_users = none\n'
            # It is no reason to stop, however full the disk of the machine.
            'disk_free_limit.absolute = 1MB\n' % s.password,
        )
        # Where none runs, RabbitMQ starts one that stays.
        epmd = s.processes.start('epmd', ['epmd'], env=self._env)
        epmd.until(lambda: listening(s.ports['epmd']), 'the port')
        self.start_server()
        self.wait()

    def start_server(self) -> None:
        self._server = self._settings.processes.start(
            'rabbitmq',
            ['/usr/lib/rabbitmq/bin/rabbitmq-server'],
            env=self._env,
        )

    def wait(self) -> None:
        assert self._server is not None
        self._server.until(
            lambda: listening(self._settings.ports['amqp']), 'the port'
        )

    def stop_server(self) -> None:
        assert self._server is not None
        self._server.end()
