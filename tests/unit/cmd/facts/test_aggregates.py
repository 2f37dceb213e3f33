# SPDX-License-Identifier: Apache-2.0

"""What changes for each host, as the scheduler reads it."""

from __future__ import annotations

from nova_xen_sched.cmd.facts import aggregates
from tests.unit.cmd.facts.test_plan import NEW
from tests.unit.cmd.facts.test_plan import OLD
from tests.unit.cmd.facts.test_plan import ours


def foreign(number, metadata, *hosts):
    return aggregates.Aggregate(number, 'mine', metadata, frozenset(hosts))


def test_hosts_with_the_same_changes_are_together():
    before = [ours(1, OLD, 'a', 'b', 'c')]
    after = [ours(1, OLD, 'c'), ours(2, NEW, 'a', 'b', 'd')]
    assert aggregates.differences(before, after) == [
        (
            ['a', 'b'],
            {
                'xen:libvirt_version': ('1.2.5', '9.0.0'),
                'xen:dom0_memory_mb': (None, '4096'),
            },
        ),
        (
            ['d'],
            {
                'xen:libvirt_version': (None, '9.0.0'),
                'xen:dom0_memory_mb': (None, '4096'),
            },
        ),
    ]


def test_the_lower_value_of_another_aggregate_stays_and_is_told():
    mine = foreign(9, {'xen:libvirt_version': '1.0', 'x': 'y'}, 'a')
    after = [ours(2, NEW, 'a', 'b'), mine]
    assert aggregates.differences([mine], after) == [
        (['a'], {'xen:dom0_memory_mb': (None, '4096')}),
        (
            ['b'],
            {
                'xen:libvirt_version': (None, '9.0.0'),
                'xen:dom0_memory_mb': (None, '4096'),
            },
        ),
    ]
    assert aggregates.overrides({'a': NEW, 'b': NEW}, after) == [
        ('a', 'xen:libvirt_version', '1.0', ['mine'])
    ]


def test_a_higher_or_unreadable_value_is_no_matter():
    after = [
        ours(2, NEW, 'a'),
        foreign(8, {'xen:libvirt_version': '99'}, 'a'),
        foreign(9, {'xen:libvirt_version': 'new'}, 'a'),
    ]
    assert aggregates.overrides({'a': NEW}, after) == []


def test_what_could_not_be_published_is_no_matter():
    assert aggregates.overrides({'a': NEW}, [foreign(9, {}, 'a')]) == []


def test_others_in_our_aggregates():
    there = [ours(1, OLD, 'a', 'x'), foreign(9, {}, 'y')]
    assert aggregates.others({'a'}, there) == ['x']
