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

"""Placement, of the nova under test."""

from __future__ import annotations

from tests.e2e.processes import Process
from tests.e2e.services.web import WebService


class Placement(WebService):
    """Placement."""

    name = 'placement'

    def prepare(self) -> None:
        s = self._settings
        conf = s.write(
            'etc',
            'placement',
            'placement.conf',
            text="""
[DEFAULT]
use_stderr = true
[api]
auth_strategy = keystone
[placement_database]
connection = %s
max_pool_size = 50
%s"""
            % (
                self._database.url('placement'),
                s.keystone_auth('keystone_authtoken'),
            ),
        )
        s.processes.run(
            'placement-manage',
            [
                s.nova_program('placement-manage'),
                '--config-file=' + conf,
                'db',
                'sync',
            ],
        )

    def _serve(self) -> Process:
        s = self._settings
        return s.wsgi(
            self.name,
            s.nova_env,
            'placement.wsgi:init_application()',
            OS_PLACEMENT_CONFIG_DIR=s.path('etc/placement'),
        )
