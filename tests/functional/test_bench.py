# SPDX-License-Identifier: Apache-2.0

"""The benchmark's cloud with a real placement, a small one."""

from __future__ import annotations

from importlib import metadata

import nova.conf
import pytest

CONF = nova.conf.CONF
NOVA = int(metadata.version('nova').partition('.')[0])


@pytest.mark.skipif(NOVA < 34, reason='make bench is for nova 34')
def test_limit_of_placement_comes_before_filters():
    from tools.bench import path
    from tools.bench import placement
    from tools.bench import report

    hosts = range(12)
    with path.running_cloud() as running:
        cloud = placement.Cloud(running, len(hosts))
        cloud.provide(hosts)
        cloud.populate(hosts)
        cloud.describe(hosts, frozenset(cloud.order()[9:]))
        CONF.set_override('max_placement_results', 9, 'scheduler')
        assert not cloud.select(report.STOCK)
        assert cloud.select(report.TRAIT)
        cloud.release()
        CONF.set_override('max_placement_results', 12, 'scheduler')
        assert cloud.select(report.STOCK)
