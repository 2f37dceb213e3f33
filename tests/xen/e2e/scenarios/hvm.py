# SPDX-License-Identifier: Apache-2.0

"""An HVM guest, whose image says so by hw_vm_mode alone."""

from __future__ import annotations

from tests.xen.e2e import boots
from tests.xen.e2e import moves
from tests.xen.e2e.cloud import Cloud

TITLE = 'An HVM guest'


def run(cloud: Cloud) -> None:
    boots.boot(cloud, 'hvm')
    if 'hvm' not in cloud.server:
        return
    moves.live_migrate(cloud, 'hvm')
