# SPDX-License-Identifier: Apache-2.0

"""Glance, with its images in a folder."""

from __future__ import annotations

import os
import shutil

from tests.e2e.processes import Process
from tests.e2e.services.web import WebService


class Images(WebService):
    """Glance."""

    name = 'glance'

    def prepare(self) -> None:
        s = self._settings
        stores = ''.join(
            '[%s]\nfilesystem_store_datadir = %s\n'
            % (store, s.path('glance', store))
            for store in (
                'files',
                'os_glance_staging_store',
                'os_glance_tasks_store',
            )
        )
        for store in ('files', 'os_glance_staging_store'):
            os.makedirs(s.path('glance', store))
        conf = s.write(
            'etc',
            'glance',
            'glance-api.conf',
            text="""
[DEFAULT]
use_stderr = true
enabled_backends = files:file
[glance_store]
default_backend = files
[database]
connection = %s
max_pool_size = 50
[paste_deploy]
flavor = keystone
%s%s"""
            % (
                self._database.url('glance'),
                stores,
                s.keystone_auth('keystone_authtoken'),
            ),
        )
        shutil.copy(
            os.path.join(s.services_env, 'etc/glance/glance-api-paste.ini'),
            os.path.dirname(conf),
        )
        s.processes.run(
            'glance-manage',
            [
                s.services_program('glance-manage'),
                '--config-file=' + conf,
                'db_sync',
            ],
        )

    def _serve(self) -> Process:
        s = self._settings
        return s.wsgi(
            self.name,
            s.services_env,
            'glance.wsgi.api:application',
            OS_GLANCE_CONFIG_DIR=s.path('etc/glance'),
        )
