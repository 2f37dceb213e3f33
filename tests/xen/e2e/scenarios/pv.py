# SPDX-License-Identifier: Apache-2.0

"""A PV guest."""

from __future__ import annotations

from tests.xen.e2e import boots
from tests.xen.e2e import moves
from tests.xen.e2e.cloud import Cloud

TITLE = 'A PV guest'


def run(cloud: Cloud) -> None:
    boots.boot(cloud, 'pv')
    if 'pv' not in cloud.server:
        return
    moves.live_migrate(cloud, 'pv')
    moves.block_migration(cloud)
