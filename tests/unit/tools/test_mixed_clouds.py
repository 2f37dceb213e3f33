# SPDX-License-Identifier: Apache-2.0

"""Guests of untyped images, which may go to Xen hosts and to others."""

from __future__ import annotations

import random

import pytest

from nova_xen_sched import weights
from tools.simulation import mixed

pytestmark = pytest.mark.usefixtures('clean')


@pytest.fixture(params=[10, -10])
def sign(option, request):
    option(mixed.MULTIPLIER, request.param)


@pytest.mark.parametrize(
    'cloud, memory_mb, least',
    [
        ('even', 1024, 1.0),
        ('uneven dom0s', 1024, 0.7),
        ('uneven dom0s', 4096, 0.9),
        ('uneven RAM', 4096, 0.2),
        # Small guests fill dom0 rather than RAM, so that a small host with
        # an empty dom0 is what the large ones are compared with.
        ('uneven RAM', 1024, 0),
    ],
)
def test_no_more_go_to_xen_than_by_nova_alone(cloud, memory_mb, least):
    sizes = mixed.CLOUDS[cloud]
    alone = mixed.run(mixed.hosts(*sizes), memory_mb, ours=False)
    found = mixed.run(mixed.hosts(*sizes), memory_mb)
    assert least * alone <= found <= 1.1 * alone


@pytest.mark.once
@pytest.mark.parametrize('seed', range(6))
def test_headroom_attracts_nobody(sign, seed):
    rng = random.Random(seed)

    def sizes(*choices):
        return [rng.choice(choices) for _ in range(5)]

    ram_gb, kvm_gb = sizes(64, 128, 256, 384), sizes(64, 128, 256, 384)
    dom0_mb = sizes(1024, 2048, 4096)
    memory_mb = rng.choice((512, 1024, 4096))
    both = ram_gb, dom0_mb, kvm_gb
    alone = mixed.run(mixed.hosts(*both), memory_mb, ours=False)
    found = mixed.run(mixed.hosts(*both), memory_mb)
    assert found <= 1.1 * alone


@pytest.mark.once
@pytest.mark.parametrize('kvm_ram_gb', [64, 256])
@pytest.mark.parametrize('guests', [50, 55])
def test_dom0s_are_not_filled_past_what_they_serve(sign, kvm_ram_gb, guests):
    states = mixed.nearly_full(kvm_ram_gb, guests)
    mixed.run(states)
    assert max(s.num_instances for s in states if mixed.is_xen(s)) <= 60


def test_without_that_floor_they_are(monkeypatch):
    """Or the test before could not fail: nova alone sends all to Xen."""
    monkeypatch.setattr(weights, 'NEARLY_FULL', 0)
    states = mixed.nearly_full(64)
    mixed.run(states)
    assert max(s.num_instances for s in states if mixed.is_xen(s)) > 60
    assert mixed.run(mixed.nearly_full(64), ours=False) == 200
