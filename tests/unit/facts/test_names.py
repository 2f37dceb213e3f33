# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import datetime
import re

from hypothesis import given
from hypothesis import strategies as st
import pytest

from nova_xen_sched import facts
from nova_xen_sched import log
from nova_xen_sched.cmd.facts import aggregates
from nova_xen_sched.cmd.facts import edit_file
from nova_xen_sched.facts import gather

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
            datetime.datetime(2026, 11, 22, 10, 0, 0, 9),  # noqa: DTZ001  YAML's own
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
        ('libvirt_version', '1.2.16+dfsg', 'write "1.2.16"'),
        ('libvirt_version', '6.0.0-0ubuntu8.16', 'write "6.0.0"'),
        ('xen_version', '4.17.0+rc1', 'a build before that release'),
        ('libvirt_migration_backports', 'yes', 'not true or false'),
        ('libvirt_migration_backports', 1, 'not true or false'),
        ('dom0_memory_mb', '4G', 'a number of MiB without a unit: write 4096'),
        ('dom0_memory_mb', '4096M', 'without a unit: write 4096'),
        ('dom0_memory_mb', '4Gi', 'without a unit: write 4096'),
        ('dom0_memory_mb', ' 4096 MiB ', 'without a unit: write 4096'),
        ('reserved_host_memory_mb', '1T', 'unit: write 1048576'),
        ('dom0_vcpus', '4M', 'not a whole number'),
        ('xen_version', '4.4.3-pre', 'a build before that release'),
        ('xen_version', '4.5.1-rc1', 'a build before that release'),
        ('libvirt_version', '9.1.0-rc2', 'a build before that release'),
        ('dom0_memory_mb', 4.5, 'not a whole number'),
        ('dom0_memory_mb', True, 'not a whole number'),
        ('dom0_memory_mb', '', 'not a whole number'),
        ('dom0_memory_mb', 0, 'not above 0'),
        ('dom0_memory_mb', -1024, 'not above 0'),
        ('dom0_memory_mb', '-1024', 'not a whole number'),
        ('dom0_vcpus', [4], 'not a whole number'),
        ('reserved_host_memory_mb', -1, 'below 0'),
        ('observed_at', 'yesterday', 'not a time like'),
        ('observed_at', 1700000000, 'not a time'),
        ('observed_at', '0001-01-01T00:00:00+14:00', 'in UTC with a year'),
        ('observed_at', '9999-12-31T23:00:00-01:00', '0001 to 9999'),
        ('observed_at', datetime.date(2026, 1, 1), 'not a time'),
        ('libvirt_version', 10**40, 'not a version'),
        ('libvirt_version', float('nan'), 'not a version'),
        ('dom0_memory_mb', 10**40, '1 to 18 digits'),
        ('reserved_host_memory_mb', -(10**18), '1 to 18 digits'),
        ('dom0_vcpus', '1' * 19, '1 to 18 digits'),
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


@pytest.mark.parametrize(
    'text, moment',
    [
        # Some of these only some releases of Python take by themselves.
        ('2026-11-22', (2026, 11, 22)),
        ('2026-11-22T10', (2026, 11, 22, 10)),
        ('2026-11-22T10:00', (2026, 11, 22, 10)),
        ('2026-11-22t10:00:00z', (2026, 11, 22, 10)),
        ('2026-11-22 10:00:00Z', (2026, 11, 22, 10)),
        ('2026-11-22 10:00:00.5', (2026, 11, 22, 10)),
        ('2026-11-22T10:00:00,123456789Z', (2026, 11, 22, 10)),
        ('2026-11-22T10:00:00.12Z', (2026, 11, 22, 10)),
        ('20261122T100000Z', (2026, 11, 22, 10)),
        ('20261122T1000+0200', (2026, 11, 22, 8)),
        ('2026-11-22T10:00:00+02', (2026, 11, 22, 8)),
        ('2026-11-22T10:00:00-02:30', (2026, 11, 22, 12, 30)),
        ('2026-11-22T10:00:00+01:00:30', (2026, 11, 22, 8, 59, 30)),
        # YAML's own.
        ('2026-1-2 3:04:05 -5', (2026, 1, 2, 8, 4, 5)),
    ],
)
def test_every_python_reads_the_same_times(text, moment):
    value = datetime.datetime(*moment, tzinfo=UTC)
    assert parse('observed_at', text) == value


@pytest.mark.parametrize(
    'text',
    [
        '2026-W47-7',
        '2026-11-22_10:00:00',
        '2026-13-01',
        '2026-11-22T24:00:00',
        '2026-11-22T10:00:00+24:00',
        '2026-11-22T10:00:00ZZ',
        '2026-11-22T10:00:00 UTC',
        '2026-11-22Z',
        '2026-11',
        '\u0662026-11-22',
        '1' * 10000,
    ],
)
def test_no_python_reads_other_times(text):
    with pytest.raises(ValueError, match='not a time like "2026-11-22T10'):
        parse('observed_at', text)


def _as_time(text):
    """As YAML has a time without quotes; other texts stay."""
    try:
        return datetime.datetime.fromisoformat(text)
    except ValueError:
        return text


#: Texts that may be a version, a number or a time, and others.
TEXTS = st.one_of(
    st.text('0123456789.-:T+Z trueTRUE'),
    st.from_regex(r'\s?[0-9]{1,7}(\.[0-9]{1,7}){0,4}\s?', fullmatch=True),
    st.from_regex(r'-?0{0,3}[0-9]{1,20}', fullmatch=True),
    st.datetimes(
        timezones=st.one_of(
            st.none(),
            st.integers(-1439, 1439).map(
                lambda minutes: datetime.timezone(
                    datetime.timedelta(minutes=minutes)
                )
            ),
        )
    ).map(datetime.datetime.isoformat),
    st.sampled_from(
        [
            '0001-01-01T00:00:00+14:00',
            '0001-01-01',
            '9999-12-31T23:59:59.999999Z',
            '9999-12-31T00:00:00-23:59',
        ]
    ),
)
RAW = st.one_of(
    TEXTS,
    TEXTS.map(_as_time),
    st.integers(),
    st.sampled_from([10**17, 10**18, -(10**5000), 10**5000]),
    st.floats(),
    st.booleans(),
    st.none(),
    st.dates(),
    st.lists(st.integers()),
)


@pytest.mark.parametrize('name', [each.name for each in facts.NAMES])
@given(st.lists(RAW, min_size=1, max_size=3))
def test_what_is_read_is_written_and_read_again(name, raws):
    readable = []
    for raw in raws:
        try:
            value = parse(name, raw)
        except ValueError:
            assert log.shown(raw)
            continue
        metadata = aggregates.metadata_of({name: raw})
        (text,) = metadata.values()
        assert len(text) < 64
        assert parse(name, text) == value
        assert aggregates.metadata_of({name: text}) == metadata
        assert edit_file.same(name, raw, text)
        if name == 'observed_at':
            assert re.fullmatch(r'\d{4}(-\d\d){2}T(\d\d:){2}\d\dZ', text)
            # As facts_max_age compares it.
            assert value.utcoffset() == datetime.timedelta(0)
        readable += [raw, text]
    if readable:
        lowest = facts.BY_NAME[name].lowest(readable)
        assert all(
            facts.BY_NAME[name].lowest([lowest, each]) is lowest
            for each in readable
        )


@pytest.mark.once
@given(st.lists(st.dictionaries(st.sampled_from(sorted(facts.BY_NAME)), RAW)))
def test_no_value_keeps_others_from_being_read(said):
    found = gather.merge(
        ('a', name, raw, type(raw), False)
        for each in said
        for name, raw in each.items()
    )
    for name, fact in found.known.items():
        assert fact.value == parse(name, aggregates._text(fact.value))
