# SPDX-License-Identifier: Apache-2.0

"""What has to change, judged by what it makes of the aggregates."""

from __future__ import annotations

import pytest

from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd.facts import aggregates
from nova_xen_sched.cmd.facts import plan as planning

OLD = {'xen:libvirt_version': '1.2.5'}
NEW = {'xen:libvirt_version': '9.0.0', 'xen:dom0_memory_mb': '4096'}
MINE = {aggregates.MANAGED_BY: aggregates.OWNER}


def at(metadata, when):
    return dict(
        metadata, **{aggregates.OBSERVED_AT: '2026-11-%02dT00:00:00Z' % when}
    )


def ours(number, metadata, *hosts, **more):
    return aggregates.Aggregate(
        number,
        aggregates.name_of(metadata),
        {**metadata, **MINE, **more},
        frozenset(hosts),
    )


def steps(desired, *existing, **options):
    found = planning.plan(desired, existing, **options)
    return [
        (change.action, change.id, change.host or dict(change.metadata))
        for change in found.changes
    ]


def test_hosts_with_equal_facts_share_an_aggregate():
    assert steps({'a': NEW, 'b': OLD, 'c': NEW}) == [
        ('create', None, {}),
        ('set', None, {**NEW, **MINE}),
        ('create', None, {}),
        ('set', None, {**OLD, **MINE}),
        ('add_host', None, 'a'),
        ('add_host', None, 'c'),
        ('add_host', None, 'b'),
    ]


def test_nothing_to_change():
    there = [ours(1, NEW, 'a', 'c'), ours(2, OLD, 'b')]
    assert steps({'a': NEW, 'b': OLD, 'c': NEW}, *there) == []


def test_a_host_is_added_before_it_is_removed():
    assert steps({'a': NEW}, ours(1, OLD, 'a'), ours(2, NEW, 'b')) == [
        ('add_host', 2, 'a'),
        ('remove_host', 1, 'a'),
        ('delete', 1, {}),
    ]


def test_of_what_was_not_told_nothing_changes_unless_pruned():
    there = [ours(1, OLD, 'a', 'x'), ours(2, NEW, 'y')]
    assert steps({'a': OLD}, *there) == []
    assert steps({'a': OLD}, *there, prune=True) == [
        ('remove_host', 1, 'x'),
        ('remove_host', 2, 'y'),
        ('delete', 2, {}),
    ]
    assert steps({'a': OLD}, *there, prune=True, spared={'y'}) == [
        ('remove_host', 1, 'x')
    ]


def test_a_host_of_which_nothing_is_known_any_more():
    assert steps({'a': {}}, ours(1, OLD, 'a', 'b')) == [
        ('remove_host', 1, 'a')
    ]


@pytest.mark.parametrize(
    'foreign',
    [
        {'x': 'y'},
        {aggregates.MANAGED_BY: 'someone'},
        {**MINE, 'availability_zone': 'az1'},
        {'availability_zone': 'az1'},
    ],
)
def test_a_foreign_aggregate_is_in_the_way(foreign):
    there = [
        aggregates.Aggregate(
            1, aggregates.name_of(NEW), foreign, frozenset('b')
        ),
        ours(2, OLD, 'a'),
    ]
    found = planning.plan({'a': NEW, 'c': OLD}, there, prune=True)
    assert found.blocked == {aggregates.name_of(NEW): ['a']}
    # The host keeps what it has.
    assert [(change.action, change.host) for change in found.changes] == [
        ('add_host', 'c')
    ]


def test_the_owner_alone_or_the_name_alone_makes_none_ours():
    there = [
        aggregates.Aggregate(
            1, 'nova-xen-sched-0123456', MINE, frozenset('a')
        ),
        aggregates.Aggregate(
            2, 'nova-xen-sched-0123456z', MINE, frozenset('a')
        ),
        aggregates.Aggregate(
            3, 'nova-xen-sched-01234567', OLD, frozenset('a')
        ),
        aggregates.Aggregate(4, 'nova-xen-sched-89abcdef'),
    ]
    assert steps({}, *there, prune=True) == []


def test_what_an_interrupted_run_made_is_taken_up():
    bare = aggregates.Aggregate(7, aggregates.name_of(NEW))
    assert steps({'a': NEW}, bare) == [
        ('set', 7, {**NEW, **MINE}),
        ('add_host', 7, 'a'),
    ]
    with_host = aggregates.Aggregate(
        7, aggregates.name_of(NEW), {}, frozenset('b')
    )
    assert steps({'a': NEW}, with_host) == []


def test_the_oldest_time_counts_and_does_not_tell_hosts_apart():
    desired = {'a': at(NEW, 3), 'b': at(NEW, 2)}
    assert steps(desired)[1] == ('set', None, {**at(NEW, 2), **MINE})
    # A host whose time is unknown gets none from others.
    assert len({aggregates.name_of(m) for m in (NEW, at(NEW, 2))}) == 2


def test_a_time_is_lowered_before_hosts_come_and_raised_after_they_went():
    there = [ours(1, at(NEW, 5), 'a'), ours(2, at(OLD, 1), 'b', 'c')]
    assert steps(
        {'a': at(NEW, 6), 'b': at(NEW, 4), 'c': at(OLD, 6)}, *there
    ) == [
        ('set', 1, {aggregates.OBSERVED_AT: '2026-11-04T00:00:00Z'}),
        ('add_host', 1, 'b'),
        ('remove_host', 2, 'b'),
        ('set', 2, {aggregates.OBSERVED_AT: '2026-11-06T00:00:00Z'}),
    ]


def test_of_other_hosts_nothing_newer_is_said():
    there = ours(1, at(NEW, 5), 'a', 'other')
    assert steps({'a': at(NEW, 6)}, there) == []
    assert steps({'a': at(NEW, 6)}, there, prune=True) == [
        ('remove_host', 1, 'other'),
        ('set', 1, {aggregates.OBSERVED_AT: '2026-11-06T00:00:00Z'}),
    ]


def test_what_others_edited_is_lowered_first_and_raised_last():
    edited = aggregates.Aggregate(
        1,
        aggregates.name_of(NEW),
        {
            'xen:libvirt_version': '1.0',
            'xen:dom0_memory_mb': '99999',
            'xen:version': '4.17.5',
            'mine': 'stays',
            **MINE,
        },
        frozenset('b'),
    )
    assert steps({'a': NEW}, edited) == [
        ('set', 1, {'xen:dom0_memory_mb': '4096', 'xen:version': None}),
        ('add_host', 1, 'a'),
        ('set', 1, {'xen:libvirt_version': '9.0.0'}),
    ]


def test_an_unreadable_value_is_none():
    edited = ours(1, OLD, 'a')
    edited.metadata['xen:libvirt_version'] = 'new'
    assert steps({'a': OLD}, edited) == [('set', 1, OLD)]


def test_of_two_with_one_name_one_is_left():
    # nova has no such two; a database without the constraint might.
    there = [ours(1, NEW, 'a'), ours(2, NEW, 'a', 'b')]
    assert steps({'a': NEW, 'b': NEW}, *there) == [
        ('add_host', 1, 'b'),
        ('remove_host', 2, 'a'),
        ('remove_host', 2, 'b'),
        ('delete', 2, {}),
    ]


def test_metadata_of_others_keeps_an_empty_aggregate():
    found = planning.plan({}, [ours(1, OLD, pinned='true')])
    assert found.changes == []
    assert found.kept == [aggregates.name_of(OLD)]


def test_a_collision_of_names_is_no_plan(mocker):
    mocker.patch.object(aggregates, 'name_of', return_value='x')
    with pytest.raises(errors.Failure, match='a and b'):
        planning.plan({'a': OLD, 'b': NEW}, [])


def test_no_aggregate_ever_gets_an_availability_zone():
    raw = {'libvirt_version': '9.0.0', 'availability_zone': 'az1'}
    assert aggregates.metadata_of(raw) == {'xen:libvirt_version': '9.0.0'}


def test_one_text_for_each_value():
    assert aggregates.metadata_of(
        {
            'libvirt_version': ' 9.00.0 ',
            'libvirt_migration_backports': 'TRUE',
            'dom0_vcpus': '04',
            'observed_at': '2026-11-22T11:00:00.900+01:00',
        }
    ) == {
        'xen:libvirt_version': '9.0.0',
        'xen:libvirt_migration_backports': 'true',
        'xen:dom0_vcpus': '4',
        'xen:observed_at': '2026-11-22T10:00:00Z',
    }
