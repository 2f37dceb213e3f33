# SPDX-License-Identifier: Apache-2.0

"""How many guests fit: the same as when they are placed one by one."""

from __future__ import annotations

import hypothesis
from hypothesis import strategies as st
import pytest

from nova_xen_sched import conf
from nova_xen_sched import dom0
from nova_xen_sched import fits

MODEL = conf.defaults().dom0_model

loads = st.builds(
    dom0.Load,
    memory_mb=st.one_of(st.just(0), st.integers(1024, 131072)),
    dom0_memory_mb=st.integers(300, 8192),
    dom0_vcpus=st.integers(1, 8),
    hvm=st.integers(0, 20),
    pv=st.integers(0, 20),
    pvh=st.integers(0, 5),
    unknown=st.integers(0, 20),
    guests_memory_mb=st.integers(0, 65536),
    guests_vcpus=st.integers(0, 100),
    free_mb=st.one_of(st.none(), st.integers(0, 131072)),
)
guests = st.builds(
    fits.Guest,
    mode=st.sampled_from(dom0.MODES),
    memory_mb=st.integers(256, 16384),
    vcpus=st.integers(1, 8),
)
models = st.builds(
    MODEL._replace,
    overhead=st.sampled_from(list(dom0.OVERHEADS.values())),
    hvm_memory_mb=st.floats(0.5, 100),
    pv_memory_mb=st.floats(0.5, 100),
    guests_per_vcpu=st.floats(0.5, 30),
)


def one_by_one(model, load, guest, index):
    """How many can be placed, each one judged as the rules judge it."""
    count = 0
    while True:
        load = model.plus(load, *guest, count=1)
        if dom0.resources(model, load)[index].overcommitted:
            return count
        count += 1


@pytest.mark.once
@hypothesis.settings(max_examples=300, deadline=None)
@hypothesis.given(models, loads, guests)
def test_resources_agree_with_placing_one_by_one(model, load, guest):
    found = fits.of_dom0(model, load, guest)
    assert found == {
        str(left.resource): one_by_one(model, load, guest, index)
        for index, left in enumerate(dom0.resources(model, load))
    }


def test_what_a_guest_takes_nothing_of_does_not_limit():
    model = MODEL._replace(pv_memory_mb=0)
    load = dom0.Load(65536, 4096, 4)
    found = fits.of_dom0(model, load, fits.Guest('pv', 512, 1))
    assert sorted(found) == ['dom0_cpu', 'host_memory']


def test_a_resource_that_is_overcommitted_already_takes_none():
    load = dom0.Load(65536, 300, 4)
    found = fits.of_dom0(MODEL, load, fits.Guest('hvm', 512, 1))
    assert found['dom0_memory'] == 0
