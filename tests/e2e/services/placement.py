# SPDX-License-Identifier: Apache-2.0

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
[placement]
# As docs/source/admin/placement.rst tells an operator.
allocation_conflict_retry_count = 1
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
