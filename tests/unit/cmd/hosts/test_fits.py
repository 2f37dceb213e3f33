# SPDX-License-Identifier: Apache-2.0


"""How many more guests fit: the same as when they are placed one by one."""

from __future__ import annotations

import hypothesis
from hypothesis import strategies as st
import pytest

from nova_xen_sched.cmd.hosts import fits as capacity
from nova_xen_sched.cmd.hosts.fits import Fits


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


@pytest.mark.parametrize(
    ('guests', 'left'),
    [
        # Without a, 4 of the store's 6 fit on b, and 4 on c.
        ({'a': 0, 'b': 0, 'c': 0}, 6),
        ({'a': 3, 'b': 0, 'c': 0}, 5),
        ({'a': 0, 'b': 0, 'c': 9}, -3),
    ],
)
def test_after_the_failure_that_leaves_least(guests, left):
    hosts = [
        Fits('a', {'ram': 4, 'disk': 6}, shared={'store': 6}),
        Fits('b', {'ram': 4, 'disk': 6}, shared={'store': 6}),
        Fits('c', {'ram': 4}),
    ]
    assert capacity.after_failure(hosts, guests) == left
    # Of the only host nothing is left, whatever nothing limits.
    assert capacity.after_failure([Fits('a', {})], {'a': 2}) == -2
    assert capacity.after_failure([], {}) is None
    endless = [Fits('a', {}), Fits('b', {}), Fits('c', {})]
    assert capacity.after_failure(endless, guests) is None
