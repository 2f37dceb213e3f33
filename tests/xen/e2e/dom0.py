# SPDX-License-Identifier: Apache-2.0

"""The size of a dom0, changed while it runs."""

from __future__ import annotations

from tests.e2e.processes import until
from tests.xen.e2e.cloud import Cloud
from tests.xen.e2e.cloud import PATIENCE


def resize(cloud: Cloud, name: str, memory_mb: int) -> str:
    """Until a host's dom0 has so much, and its nova-compute has said so."""
    host = cloud.pair[name]
    host.run('xl mem-set Domain-0 %dm' % memory_mb)

    def by_xl() -> int:
        return int(host.run('xl list Domain-0').splitlines()[1].split()[2])

    until(lambda: abs(by_xl() - memory_mb) <= 1, 'xl mem-set', PATIENCE)
    until(
        lambda: abs(cloud.dom0_mb(name) - memory_mb) <= 1,
        'the fact dom0_memory_mb',
        PATIENCE,
    )
    return 'xl list: dom0 of %s has %d MiB, its stats: %d' % (
        name,
        by_xl(),
        cloud.dom0_mb(name),
    )
