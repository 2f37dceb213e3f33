# SPDX-License-Identifier: Apache-2.0

"""Where a run keeps its things, and what its services are called."""

from __future__ import annotations

import dataclasses
import os
import secrets

from tests.e2e.processes import Failure
from tests.e2e.processes import free_ports
from tests.e2e.processes import Process
from tests.e2e.processes import Processes

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
INSIDE = os.path.join(ROOT, 'tests', 'e2e', 'inside')

_PORTS = (
    'mariadb',
    'proxy',
    'epmd',
    'amqp',
    'erlang',
    'keystone',
    'glance',
    'placement',
    'neutron',
    'nova',
    'cinder',
)


@dataclasses.dataclass
class Settings:
    """One run.

    :param nova: the release of nova
    :param nova_env: the virtual environment that has it
    :param services_env: the one that has keystone and Glance
    :param folder: for configurations, logs and data; kept after the run
    :param sockets: a folder with a short name, as sockets need it
    """

    nova: str
    nova_env: str
    services_env: str
    folder: str
    sockets: str
    processes: Processes = dataclasses.field(init=False)
    ports: dict[str, int] = dataclasses.field(init=False)
    password: str = dataclasses.field(
        default_factory=lambda: secrets.token_hex(8), repr=False
    )

    def __post_init__(self) -> None:
        os.makedirs(self.path('log'))
        self.processes = Processes(self.path('log'))
        self.ports = dict(zip(_PORTS, free_ports(len(_PORTS))))

    @property
    def release(self) -> int:
        return int(self.nova.split('.')[0])

    def path(self, *names: str) -> str:
        return os.path.join(self.folder, *names)

    def write(self, *names: str, text: str) -> str:
        """Write a file of the run; its path."""
        path = self.path(*names)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        # As a whole or not at all, as a service may look at any moment.
        with open(path + '.new', 'w', encoding='utf-8') as f:
            f.write(text)
        os.replace(path + '.new', path)
        return path

    def url(self, service: str) -> str:
        return 'http://127.0.0.1:%d' % self.ports[service]

    def nova_program(self, name: str) -> str:
        return _program(self.nova_env, name)

    def services_program(self, name: str) -> str:
        return _program(self.services_env, name)

    def wsgi(
        self, name: str, environment: str, application: str, **env: str
    ) -> Process:
        """Serve a WSGI application at the service's port."""
        return self.processes.start(
            name,
            [
                _program(environment, 'python'),
                os.path.join(INSIDE, 'wsgi.py'),
                application,
                str(self.ports[name]),
            ],
            env=env,
        )

    def keystone_auth(self, section: str) -> str:
        """The section of a service's configuration that signs it in."""
        return """
[%s]
auth_type = password
auth_url = %s/v3
username = nova
password = %s
project_name = service
user_domain_name = Default
project_domain_name = Default
region_name = RegionOne
""" % (section, self.url('keystone'), self.password)


def _program(environment: str, name: str) -> str:
    path = os.path.join(environment, 'bin', name)
    if not os.path.exists(path):
        raise Failure('%s has no %s' % (environment, name))
    return path
