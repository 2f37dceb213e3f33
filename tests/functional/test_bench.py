# SPDX-License-Identifier: Apache-2.0

"""The benchmark's cloud with a real placement, a small one."""

from __future__ import annotations

import nova.conf
import pytest

from tools.bench import path
from tools.bench import placement
from tools.bench.report import STOCK
from tools.bench.report import TRAIT

CONF = nova.conf.CONF


@pytest.fixture(scope='module')
def cloud():
    hosts = range(12)
    with path.running_cloud() as running:
        found = placement.Cloud(running, len(hosts))
        found.provide(hosts)
        found.populate(hosts)
        found.describe(hosts, frozenset(found.order()[9:]))
        yield found


def test_limit_of_placement_comes_before_filters(cloud):
    CONF.set_override('max_placement_results', 9, 'scheduler')
    try:
        assert not cloud.select(STOCK)
        assert cloud.select(TRAIT)
    finally:
        CONF.clear_override('max_placement_results', 'scheduler')
    cloud.release()
    assert cloud.select(STOCK)
    cloud.release()
