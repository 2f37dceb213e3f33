# SPDX-License-Identifier: Apache-2.0


"""How many more guests fit: the same as when they are placed one by one."""

from __future__ import annotations

import hypothesis
from hypothesis import strategies as st
import pytest

from nova_xen_sched import conf
from nova_xen_sched import dom0
from nova_xen_sched.cmd.hosts import fits as capacity
from nova_xen_sched.cmd.hosts.fits import Fits

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
    capacity.Guest,
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
def test_rooms_agree_with_placing_one_by_one(model, load, guest):
    found = capacity.of_dom0(model, load, guest)
    assert found == {
        str(left.resource): one_by_one(model, load, guest, index)
        for index, left in enumerate(dom0.resources(model, load))
    }


@pytest.mark.once
@hypothesis.settings(max_examples=200, deadline=None)
@hypothesis.given(
    st.dictionaries(
        st.sampled_from(['VCPU', 'MEMORY_MB', 'DISK_GB', 'CUSTOM_X']),
        st.tuples(
            st.integers(0, 500), st.integers(0, 500), st.integers(1, 60)
        ),
        min_size=1,
    )
)
def test_placement_agrees_with_claiming_one_by_one(classes):
    left = {'p': {c: n - used for c, (n, used, _) in classes.items()}}
    amounts = {'p': {c: amount for c, (_, _, amount) in classes.items()}}
    count = 0
    used = {c: used for c, (_, used, _) in classes.items()}
    # As placement does: each class must have room, then all are taken.
    while all(
        used[c] + amount <= classes[c][0] for c, amount in amounts['p'].items()
    ):
        for c, amount in amounts['p'].items():
            used[c] += amount
        count += 1
    found = Fits('a', capacity.of_placement(amounts, left))
    assert found.count == count


def test_what_a_guest_takes_nothing_of_does_not_limit():
    assert capacity.of_placement({'p': {'DISK_GB': 0}}, {}) == {}
    model = MODEL._replace(pv_memory_mb=0)
    load = dom0.Load(65536, 4096, 4)
    found = capacity.of_dom0(model, load, capacity.Guest('pv', 512, 1))
    assert sorted(found) == ['dom0_cpu', 'host_memory']


def test_a_room_that_is_overcommitted_already_takes_none():
    load = dom0.Load(65536, 300, 4)
    found = capacity.of_dom0(MODEL, load, capacity.Guest('hvm', 512, 1))
    assert found['dom0_memory'] == 0


@pytest.mark.parametrize(
    ('limits', 'refused', 'count', 'first'),
    [
        ({'ram': 7, 'dom0_cpu': 5}, '', 5, 'dom0_cpu'),
        ({'ram': 5, 'dom0_cpu': 5}, '', 5, 'dom0_cpu'),
        ({'ram': 5, 'custom_x': 4}, '', 4, 'custom_x'),
        ({'ram': 5}, 'it is down', 0, ''),
        ({}, '', None, ''),
    ],
)
def test_the_least_limit_decides(limits, refused, count, first):
    fits = Fits('a', limits, refused)
    assert (fits.count, fits.first) == (count, first)


def test_hosts_that_share_storage_share_what_it_has():
    hosts = [
        Fits('a', {'ram': 4, 'disk': 6}, shared={'store': 6}),
        Fits('b', {'ram': 4, 'disk': 6}, shared={'store': 6}),
        Fits('c', {'ram': 4}),
    ]
    assert capacity.in_all(hosts) == 10
    assert capacity.in_all([]) == 0
    assert capacity.in_all([*hosts, Fits('d', {})]) is None
