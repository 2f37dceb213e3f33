# SPDX-License-Identifier: Apache-2.0

"""What plans are measured with."""

from __future__ import annotations

import pytest

from tools import planning
from tools.simulation import world

SIZE = world.Size(65536, 16, 1280, 1024, 8)


def test_a_cloud_to_plan_for():
    small = world.FLAVORS[1]
    placed = [
        (1, world.Guest(0, 'hvm', small, 1)),
        (1, world.Guest(1, 'pv', small, 1)),
    ]
    cloud = planning.to_plan([SIZE, SIZE], placed)
    first, second = cloud.hosts.values()
    assert first.load.guests == 0
    assert (second.load.hvm, second.load.pv) == (1, 1)
    # 16 x 4 vCPUs, 65536 - 512 MiB and 1280 GB, less 1, 2048 and 20 a guest.
    assert cloud.free['xen-000'] == {
        'VCPU': 64,
        'MEMORY_MB': 65024,
        'DISK_GB': 1280,
    }
    assert cloud.free['xen-001'] == {
        'VCPU': 62,
        'MEMORY_MB': 60928,
        'DISK_GB': 1240,
    }
    assert [guest.host for guest in cloud.guests] == ['xen-001'] * 2


def test_filled_at_random():
    sizes, placed = planning.filled_at_random(10, 200, 1)
    assert len(sizes) == 10 and len(placed) == 200
    assert all(
        amount >= 0
        for amounts in planning.to_plan(sizes, placed).free.values()
        for amount in amounts.values()
    )
    assert planning.filled_at_random(10, 200, 1) == (sizes, placed)


def test_what_is_measured():
    cloud = planning.to_plan(*planning.filled_at_random(20, 400, 1))
    found = planning.measured('this', cloud, lambda state: None, 1)
    assert found.over[0] == found.over[1] > 0
    assert found.least >= found.over[0]
    assert found.moves == 0


@pytest.mark.parametrize(
    'over, seconds, holds',
    [
        ((5, 0), 1, [True, True]),
        ((5, 1), 1, [True, False]),
        ((0, 0), 1, [True, False]),
        ((5, 0), 3, [False, True]),
    ],
)
def test_targets(over, seconds, holds):
    figures = planning.Figures(
        planning.MENDED, 10, 200, over, 9, 9, seconds, limit=2
    )
    assert [each.holds for each in planning.targets([figures])] == holds
