# SPDX-License-Identifier: Apache-2.0

"""The sources stats, aggregate and service_version."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from nova import objects
from nova.scheduler import host_manager

from nova_xen_sched import facts
from nova_xen_sched.facts import aggregate
from nova_xen_sched.facts import reported
from tests.unit import builders


def lookup(source, *states):
    found = source(None).for_request(list(states))
    if found is None:
        return {}
    answers = [found(state) for state in states]
    return answers if len(states) > 1 else answers[0]


# stats


def test_stats():
    state = builders.state(
        stats={'xen_libvirt_version': '9.0.0', 'num_instances': '3'}
    )
    assert lookup(reported.Stats, state) == {'libvirt_version': '9.0.0'}


def test_stats_of_a_node_that_never_reported():
    state = builders.state()
    assert not hasattr(state, 'stats')
    assert lookup(reported.Stats, state) == {}
    state.stats = {'num_instances': '3'}
    assert lookup(reported.Stats, state) == {}


# service_version


def serving(version):
    return builders.state(
        service=host_manager.ReadOnlyDict({'version': version})
    )


def test_service_version():
    answer = lookup(reported.ServiceVersion, serving(53))
    assert answer == {'libvirt_version': '4.0.0'}
    assert isinstance(answer['libvirt_version'], facts.AtLeast)


def test_service_version_that_proves_nothing():
    assert lookup(reported.ServiceVersion, serving(10)) == {}
    assert lookup(reported.ServiceVersion, builders.state()) == {}
    without = builders.state(service=host_manager.ReadOnlyDict({}))
    assert lookup(reported.ServiceVersion, without) == {}


# aggregate

agg = builders.aggregate


def test_no_aggregates():
    assert lookup(aggregate.Source, builders.state()) == {}
    plain = objects.Aggregate(name='az', metadata={'availability_zone': 'a'})
    state = builders.state(aggregates=[plain])
    assert lookup(aggregate.Source, state) == {}


def test_one_aggregate():
    state = builders.state(
        aggregates=[agg('a', libvirt_version='1.2.5', dom0_vcpus='4')]
    )
    assert lookup(aggregate.Source, state) == {
        'libvirt_version': '1.2.5',
        'dom0_vcpus': '4',
    }


def test_of_several_the_lowest():
    state = builders.state(
        aggregates=[
            agg('a', libvirt_version='1.2.15', dom0_memory_mb='4096'),
            agg('b', libvirt_version='1.2.5'),
            agg('c', libvirt_migration_backports='true'),
            agg('d', libvirt_migration_backports='false'),
        ]
    )
    assert lookup(aggregate.Source, state) == {
        'libvirt_version': '1.2.5',
        'dom0_memory_mb': '4096',
        'libvirt_migration_backports': 'false',
    }


def test_another_bad_value_in_a_place_is_told_and_no_mended_one(logged):
    def told(first, second):
        state = builders.state(
            aggregates=[
                agg('a', version=first),
                agg('b', dom0_vcpus=second),
            ]
        )
        before = len(logged('WARNING'))
        lookup(aggregate.Source, state)
        lookup(aggregate.Source, state)
        return [line.partition(': ')[2] for line in logged('WARNING')[before:]]

    bad = "xen:version of aggregate 'a': '%s', not a version like 1.2.15"
    many = "xen:dom0_vcpus of aggregate 'b': 'many', not a whole number"
    assert told('new', 'many') == ['%s; %s' % (many, bad % 'new')]
    assert told('4.4', 'many') == []
    assert told('old', '4') == [bad % 'old']


def test_a_bad_value_is_left_out_with_one_warning(logged):
    bad = agg('bad', libvirt_version='new', xen_version='x', version='-4')
    good = agg('good', libvirt_version='1.2.5')
    states = [builders.state(aggregates=[bad, good]) for _ in range(5)]
    answers = lookup(aggregate.Source, *states)
    lookup(aggregate.Source, *states)
    assert all(a == {'libvirt_version': '1.2.5'} for a in answers)
    assert logged('WARNING') == [
        "Facts from aggregates that can't be read, and are unknown (2): "
        "xen:libvirt_version of aggregate 'bad': 'new', not a version like "
        "1.2.15; xen:version of aggregate 'bad': '-4', not a version like "
        '1.2.15'
    ]


def test_a_blank_does_not_break_merging():
    state = builders.state(
        aggregates=[
            agg('a', libvirt_version=' 1.2.5'),
            agg('b', libvirt_version='1.3.2 '),
        ]
    )
    assert lookup(aggregate.Source, state) == {'libvirt_version': ' 1.2.5'}


raw_versions = st.sampled_from(['1.2.5', '1.2.15 ', '1.3', 'new', '', '-1'])


@given(st.lists(raw_versions, max_size=5), st.randoms())
def test_conflicting_aggregates_against_an_oracle(values, random):
    aggregates = [
        agg('a%d' % i, libvirt_version=v) for i, v in enumerate(values)
    ]
    random.shuffle(aggregates)
    answer = lookup(aggregate.Source, builders.state(aggregates=aggregates))
    order = ['1.2.5', '1.2.15 ', '1.3']
    good = [value for value in order if value in values]
    assert answer.get('libvirt_version') == (good[0] if good else None)


def test_each_aggregate_is_read_once(mocker):
    read = mocker.spy(aggregate, 'read')
    shared = [agg('a', libvirt_version='1.2.5'), agg('b')]
    lookup(
        aggregate.Source,
        *[builders.state(aggregates=shared) for _ in range(20)],
    )
    assert read.call_count == 2
