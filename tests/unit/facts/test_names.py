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

from __future__ import annotations

import datetime

import pytest

from nova_xen_sched import facts

UTC = datetime.timezone.utc


def parse(name, raw):
    return facts.BY_NAME[name].parse(raw)


def test_the_keys_of_facts():
    assert {
        name.name: (name.stats_key, name.metadata_key) for name in facts.NAMES
    } == {
        'libvirt_version': ('xen_libvirt_version', 'xen:libvirt_version'),
        'libvirt_migration_backports': (
            'xen_libvirt_migration_backports',
            'xen:libvirt_migration_backports',
        ),
        'xen_version': ('xen_version', 'xen:version'),
        'dom0_memory_mb': ('xen_dom0_memory_mb', 'xen:dom0_memory_mb'),
        'dom0_vcpus': ('xen_dom0_vcpus', 'xen:dom0_vcpus'),
        'reserved_host_memory_mb': (
            'xen_reserved_host_memory_mb',
            'xen:reserved_host_memory_mb',
        ),
        'observed_at': ('xen_facts_observed_at', 'xen:observed_at'),
    }


@pytest.mark.parametrize(
    'name, raw, value',
    [
        ('libvirt_version', '1.2.5', (1, 2, 5)),
        ('libvirt_version', ' 9.0.0 ', (9, 0, 0)),
        ('xen_version', '4.17', (4, 17)),
        ('libvirt_migration_backports', 'True', True),
        ('libvirt_migration_backports', False, False),
        ('dom0_memory_mb', '4096', 4096),
        ('dom0_memory_mb', 1024, 1024),
        ('dom0_vcpus', ' 4 ', 4),
        ('reserved_host_memory_mb', 0, 0),
        (
            'observed_at',
            '2026-11-22T10:00:00Z',
            datetime.datetime(2026, 11, 22, 10, tzinfo=UTC),
        ),
        (
            'observed_at',
            '2026-11-22T12:00:00+02:00',
            datetime.datetime(2026, 11, 22, 10, tzinfo=UTC),
        ),
        (
            'observed_at',
            datetime.datetime(2026, 11, 22, 10),  # noqa: DTZ001  YAML's own
            datetime.datetime(2026, 11, 22, 10, tzinfo=UTC),
        ),
    ],
)
def test_values(name, raw, value):
    assert parse(name, raw) == value


@pytest.mark.parametrize(
    'name, raw, said',
    [
        ('libvirt_version', 4.1, 'needs quotes: "4.1"'),
        ('libvirt_version', 9, 'needs quotes: "9"'),
        ('libvirt_version', True, 'not a version'),
        ('libvirt_version', None, 'not a version'),
        ('libvirt_version', '', 'not a version'),
        ('libvirt_version', 'recent', 'not a version'),
        ('libvirt_version', '-1.2', 'not a version'),
        ('libvirt_migration_backports', 'yes', 'not true or false'),
        ('libvirt_migration_backports', 1, 'not true or false'),
        ('dom0_memory_mb', '4G', 'not a whole number'),
        ('dom0_memory_mb', 4.5, 'not a whole number'),
        ('dom0_memory_mb', True, 'not a whole number'),
        ('dom0_memory_mb', '', 'not a whole number'),
        ('dom0_memory_mb', 0, 'not above 0'),
        ('dom0_memory_mb', -1024, 'not above 0'),
        ('dom0_memory_mb', '-1024', 'not a whole number'),
        ('dom0_vcpus', [4], 'not a whole number'),
        ('reserved_host_memory_mb', -1, 'below 0'),
        ('observed_at', 'yesterday', 'yesterday'),
        ('observed_at', 1700000000, 'not a time'),
    ],
)
def test_what_cannot_be_read(name, raw, said):
    with pytest.raises(ValueError) as raised:
        parse(name, raw)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    'name, values, lowest',
    [
        ('libvirt_version', ['1.2.15', '1.2.5', '1.3'], '1.2.5'),
        ('xen_version', ['4.10', '4.9.4'], '4.9.4'),
        ('libvirt_migration_backports', ['true', 'false'], 'false'),
        ('dom0_memory_mb', ['1024', '512'], '512'),
        (
            'observed_at',
            ['2026-11-22T10:00:00Z', '2026-11-21T10:00:00Z'],
            '2026-11-21T10:00:00Z',
        ),
    ],
)
def test_the_lowest_of_several(name, values, lowest):
    assert facts.BY_NAME[name].lowest(values) == lowest
    assert facts.BY_NAME[name].lowest(values[::-1]) == lowest
