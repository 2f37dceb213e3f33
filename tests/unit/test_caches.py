# SPDX-License-Identifier: Apache-2.0

"""What is remembered is right whatever changes, and in many threads."""

from __future__ import annotations

import gc
import threading

from nova import objects
import pytest

from nova_xen_sched import filters
from nova_xen_sched import weights
from tests.unit import builders

pytestmark = pytest.mark.usefixtures('clean')

OLD, NEW = '1.2.5', '9.0.0'
MULTIPLIER = 'dom0_headroom_weight_multiplier'
GUEST = builders.spec(flavor=objects.Flavor(memory_mb=1, vcpus=1))


def passes(xen_filter, state):
    others = [builders.state('x%d' % i) for i in range(3)]
    passed = xen_filter.filter_all([*others, state], builders.spec())
    assert passed[:3] == others
    return state in passed


def test_an_aggregate_edited_in_place_counts_in_the_next_request():
    xen_filter = filters.XenHostFilter()
    edited = builders.aggregate(libvirt_version=OLD)
    state = builders.state(aggregates=[edited])
    for version in (OLD, NEW) * 5:
        edited.metadata['xen:libvirt_version'] = version
        assert passes(xen_filter, state) is (version == NEW)


def test_an_aggregate_that_is_replaced_counts_in_the_next_request():
    xen_filter = filters.XenHostFilter()
    state = builders.state()
    # Each is freed at once, so that a later one may lie where it lay.
    for version in (OLD, NEW) * 150:
        state.aggregates = [builders.aggregate(libvirt_version=version)]
        assert passes(xen_filter, state) is (version == NEW)


def test_the_multiplier_of_an_aggregate_edited_or_replaced():
    weigher = weights.Dom0HeadroomWeigher()
    edited = builders.multiplying('1')
    state, other = builders.state('a'), builders.state('b')
    for number in range(200):
        if number % 2:
            edited.metadata[MULTIPLIER] = str(number)
            state.aggregates = [edited]
        else:
            state.aggregates = [builders.multiplying(str(number))]
        weigher.weigh_objects(builders.weighed(state, other), GUEST)
        assert weigher.weight_multiplier(state) == number
        assert weigher.weight_multiplier(other) == 10


def test_stats_that_change_count_in_the_next_request():
    xen_filter = filters.XenHostFilter()
    state = builders.state()
    for version in (OLD, NEW) * 5:
        state.stats = {'xen_libvirt_version': version}
        assert passes(xen_filter, state) is (version == NEW)


@pytest.mark.usefixtures('hasty')
def test_many_threads_while_an_aggregate_changes():
    """Each request sees the facts of its own hosts, and of one moment."""
    xen_filter = filters.XenHostFilter()
    weigher = weights.Dom0HeadroomWeigher()
    shared = builders.aggregate(libvirt_version=NEW)
    wrong = []
    asking = 8

    def requests(number):
        nonlocal asking
        mine = (OLD, NEW)[number % 2]
        own = builders.aggregate(libvirt_version=mine, **sizes[number])
        own.metadata[MULTIPLIER] = str(number)
        try:
            for _ in range(40):
                # Of several the lowest counts: one's own, if it is the old.
                state = builders.state('mine', aggregates=[shared, own])
                if passes(xen_filter, state) and mine == OLD:
                    wrong.append('%s of two passed' % mine)
                state = builders.state('mine', aggregates=[own])
                if passes(xen_filter, state) is not (mine == NEW):
                    wrong.append('%s alone' % mine)
                weighed = builders.weighed(state)
                (headroom,) = weigher.headrooms(weighed, GUEST)
                if weigher.weight_multiplier(state) != number:
                    wrong.append('multiplier %d' % number)
                if headroom != alone[number]:
                    wrong.append('headroom %s' % headroom)
        finally:
            asking -= 1

    def edits():
        number = 0
        while asking:
            number += 1
            shared.metadata['xen:libvirt_version'] = (OLD, NEW)[number % 2]

    sizes = [
        {'dom0_memory_mb': str(1024 + 512 * number), 'dom0_vcpus': '64'}
        for number in range(asking)
    ]
    alone = {}
    for number in range(asking):
        own = builders.aggregate(**sizes[number])
        state = builders.state(aggregates=[own])
        (alone[number],) = weigher.headrooms(builders.weighed(state), GUEST)
    assert len(set(alone.values())) == asking
    threads = [
        threading.Thread(target=requests, args=(number,))
        for number in range(asking)
    ] + [threading.Thread(target=edits)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    shared.metadata['xen:libvirt_version'] = NEW
    assert passes(xen_filter, builders.state(aggregates=[shared]))


@pytest.mark.parametrize('refuse', [False, True])
def test_a_request_leaves_nothing_for_the_garbage_collector(option, refuse):
    option('refuse_dom0_overcommit', refuse)
    xen_filter = filters.XenHostFilter()
    weigher = weights.Dom0HeadroomWeigher()
    states = [
        builders.state(name, aggregates=[builders.aggregate(dom0_vcpus='2')])
        for name in 'abc'
    ]
    weighed = builders.weighed(*states)

    def request():
        assert xen_filter.filter_all(states, GUEST)
        assert weigher.weigh_objects(weighed, GUEST)

    request()
    gc.collect()
    gc.disable()
    try:
        request()
        # Circles of objects wait for Python to look for them, which stops
        # all threads for as long as there are many objects.
        assert gc.collect() == 0
    finally:
        gc.enable()
