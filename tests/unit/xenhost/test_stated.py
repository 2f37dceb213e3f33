# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""Facts as aggregate metadata, and hosts grouped by them."""

from __future__ import annotations

import datetime

from nova_xen_sched.xenhost import stated

A = {
    'libvirt_version': '9.0.0',
    'dom0_memory_mb': 4096,
    'observed_at': '2026-11-22T10:00:00Z',
}
A_EARLIER = {**A, 'observed_at': '2026-11-22T09:00:00Z'}
B = {'libvirt_version': '7.0.0', 'libvirt_migration_backports': True}


def test_facts_as_the_metadata_of_an_aggregate():
    assert stated.metadata_of(A) == {
        'xen:libvirt_version': '9.0.0',
        'xen:dom0_memory_mb': '4096',
        'xen:observed_at': '2026-11-22T10:00:00Z',
    }
    assert stated.metadata_of(B) == {
        'xen:libvirt_version': '7.0.0',
        'xen:libvirt_migration_backports': 'true',
    }
    # As YAML reads a time that has no quotes.
    when = datetime.datetime(2026, 11, 22, tzinfo=datetime.timezone.utc)
    assert stated.metadata_of({'observed_at': when}) == {
        'xen:observed_at': '2026-11-22T00:00:00+00:00'
    }
    assert stated.metadata_of({'libvirt_version': None, 'other': 1}) == {}


def test_hosts_with_equal_facts_are_one_group():
    groups = stated.groups_of({'c': A, 'b': B, 'a': A_EARLIER, 'none': {}})
    assert [group.hosts for group in groups] == [('a', 'c'), ('b',)]
    # When they were asked doesn't tell them apart; the oldest counts.
    assert groups[0].facts == A_EARLIER
    assert groups[0].metadata['xen:observed_at'] == '2026-11-22T09:00:00Z'


def test_hosts_of_which_nothing_but_the_time_is_known_are_in_no_group():
    assert stated.groups_of({'a': {'observed_at': A['observed_at']}}) == []
