# SPDX-License-Identifier: Apache-2.0

"""keystone, with the users and endpoints of the run."""

from __future__ import annotations

import getpass
import grp
import os

from keystoneauth1 import session
from keystoneauth1.identity import v3

from tests.e2e.processes import PATIENCE
from tests.e2e.processes import Process
from tests.e2e.services.web import WebService

_ENDPOINTS = {
    'image': ('glance', ''),
    'placement': ('placement', ''),
    'network': ('neutron', ''),
    'compute': ('nova', '/v2.1'),
    'volumev3': ('cinder', '/v3/%(project_id)s'),
}


class Identity(WebService):
    """keystone."""

    name = 'keystone'

    def prepare(self) -> None:
        """Make its tables, keys and first user."""
        s = self._settings
        conf = s.write(
            'etc',
            'keystone',
            'keystone.conf',
            text="""
[DEFAULT]
use_stderr = true
[database]
connection = %s
max_pool_size = 50
[fernet_tokens]
key_repository = %s
[credential]
key_repository = %s
[cache]
enabled = true
backend = dogpile.cache.memory
[identity]
# The least: the users of a run need no better.
password_hash_rounds = 4
"""
            % (
                self._database.url('keystone'),
                s.path('keystone/fernet'),
                s.path('keystone/credential'),
            ),
        )
        manage = [
            s.services_program('keystone-manage'),
            '--config-file=' + conf,
        ]
        s.write('keystone', 'made', text='')
        run = s.processes.run
        run('keystone-manage-db_sync', [*manage, 'db_sync'])
        run(
            'keystone-manage-fernet_setup',
            [
                *manage,
                'fernet_setup',
                '--keystone-user=' + getpass.getuser(),
                '--keystone-group=' + grp.getgrgid(os.getegid()).gr_name,
            ],
        )
        run(
            'keystone-manage-bootstrap',
            [
                *manage,
                'bootstrap',
                '--bootstrap-password=' + s.password,
                '--bootstrap-region-id=RegionOne',
                *(
                    '--bootstrap-%s-url=%s/v3' % (each, s.url('keystone'))
                    for each in ('public', 'internal', 'admin')
                ),
            ],
        )

    def _serve(self) -> Process:
        s = self._settings
        return s.wsgi(
            self.name,
            s.services_env,
            'keystone.wsgi.api:application',
            OS_KEYSTONE_CONFIG_DIR=s.path('etc/keystone'),
        )

    def wait(self) -> None:
        """Wait for it, and tell it of the services' user and endpoints."""
        super().wait()
        s = self._settings
        post = self._post
        domain = 'default'
        project = post('projects', name='service', domain_id=domain)
        user = post(
            'users', name='nova', domain_id=domain, password=s.password
        )
        roles = {
            role['name']: role['id']
            for role in self._session()
            .get(s.url('keystone') + '/v3/roles')
            .json()['roles']
        }
        for role in ('admin', 'service'):
            self._session().put(
                '%s/v3/projects/%s/users/%s/roles/%s'
                % (s.url('keystone'), project, user, roles[role])
            )
        for kind, (name, path) in _ENDPOINTS.items():
            service = post('services', type=kind, name=name)
            for interface in ('public', 'internal'):
                post(
                    'endpoints',
                    service_id=service,
                    interface=interface,
                    region_id='RegionOne',
                    url=s.url(name) + path,
                )

    def session(self) -> session.Session:
        """A new sign-in of the administrator."""
        return session.Session(
            auth=v3.Password(
                auth_url=self._settings.url('keystone') + '/v3',
                username='admin',
                password=self._settings.password,
                project_name='admin',
                user_domain_id='default',
                project_domain_id='default',
            ),
            # Else who waits for an API that hangs waits for ever.
            timeout=PATIENCE,
        )

    def _session(self) -> session.Session:
        if not hasattr(self, '_kept'):
            self._kept = self.session()
        return self._kept

    def _post(self, what: str, **fields: str) -> str:
        answer = self._session().post(
            '%s/v3/%s' % (self._settings.url('keystone'), what),
            json={what[:-1]: fields},
        )
        return answer.json()[what[:-1]]['id']

    def client_env(self) -> dict[str, str]:
        """What the openstack command reads."""
        return {
            'OS_AUTH_URL': self._settings.url('keystone') + '/v3',
            'OS_USERNAME': 'admin',
            'OS_PASSWORD': self._settings.password,
            'OS_PROJECT_NAME': 'admin',
            'OS_USER_DOMAIN_ID': 'default',
            'OS_PROJECT_DOMAIN_ID': 'default',
            'OS_REGION_NAME': 'RegionOne',
        }
