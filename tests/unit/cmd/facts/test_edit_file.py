# SPDX-License-Identifier: Apache-2.0

"""Facts put into a facts file: what a person wrote stays."""

from __future__ import annotations

import pathlib

from hypothesis import given
from hypothesis import strategies as st
import pytest
import yaml

from nova_xen_sched import facts
from nova_xen_sched.cmd.facts import edit_file
from nova_xen_sched.facts import file
from nova_xen_sched.facts import parse_file

EXAMPLE = (
    pathlib.Path(__file__).parents[4] / 'etc/nova_xen_sched/host-facts.yaml'
).read_text()
STATED = {
    'libvirt_version': '9.0.0',
    'dom0_memory_mb': 2048,
    'dom0_vcpus': 4,
    'observed_at': '2026-11-23T10:00:00Z',
}


def put(text, **stated):
    return edit_file.edited(
        text, {name.replace('_', '-'): raw for name, raw in stated.items()}
    )


def says(text):
    return yaml.safe_load(text)['hosts']


@pytest.mark.parametrize('text', [None, '', ' \n'])
def test_a_new_file_says_what_the_host_states(text):
    merged = put(text, xen_a1=STATED)
    assert says(merged.text) == {'xen-a1': STATED}
    assert merged.kept == merged.hidden == ()
    assert parse_file.load(merged.text.encode(), 'x').wrong == []


def test_the_example_keeps_every_line():
    merged = put(EXAMPLE, xen_a1=STATED, xen_z9=STATED)
    left = list(merged.text.splitlines())
    for line in EXAMPLE.splitlines():
        assert line in left
        left.remove(line)
    # All that is new is ours.
    assert [line for line in left if not line.endswith('# exported')] == [
        '  xen-z9:'
    ]
    assert says(merged.text)['xen-a1'] == {
        'libvirt_version': '9.0.0',
        'xen_version': '4.17.5',
        'reserved_host_memory_mb': 4096,
        'observed_at': '2026-11-22T10:00:00Z',
        'dom0_memory_mb': 2048,
        'dom0_vcpus': 4,
    }


def test_what_a_person_wrote_stays_and_is_told():
    merged = put(EXAMPLE, xen_c1={'libvirt_version': '1.2.2'})
    assert merged.text == EXAMPLE
    assert merged.kept == (
        edit_file.Kept('xen-c1', 'libvirt_version', '1.2.15', '1.2.2'),
    )
    # The same in other words is no news.
    assert put(EXAMPLE, xen_c1={'libvirt_version': '1.2.15'}).kept == ()


def test_what_now_wins_over_a_pattern_is_told():
    merged = put(EXAMPLE, xen_b1={'libvirt_version': '1.3.0'})
    assert merged.hidden == (
        edit_file.Kept('xen-b1', 'libvirt_version', '1.2.5', '1.3.0'),
    )


def test_our_own_lines_are_replaced_and_removed():
    once = put(None, xen_a1=STATED, xen_b1=STATED).text
    newer = {'libvirt_version': '9.1.0', 'xen_version': '4.17.5'}
    # dom0 balloons now, say.
    twice = put(once, xen_a1=newer).text
    assert says(twice) == {'xen-a1': newer, 'xen-b1': STATED}
    assert put(twice, xen_a1=newer).text == twice


def test_a_line_of_ours_without_its_mark_is_a_persons():
    text = put(None, xen_a1=STATED).text
    text = text.replace('"9.0.0"  # exported', '"1.3.2"  # patched')
    merged = put(text, xen_a1=STATED)
    assert merged.text == text
    assert merged.kept[0].written == '1.3.2'


def test_names_match_in_any_case():
    merged = put('version: 1\nhosts:\n  XEN-A1:\n', xen_a1=STATED)
    assert says(merged.text) == {'XEN-A1': STATED}


@pytest.mark.parametrize(
    'text',
    [
        'version: 1',
        'version: 1\n',
        'version: 1\nhosts:',
        'version: 1\nhosts:\n',
        'version: 1\nhosts: {}   # none yet\n',
        'version: 1\nhosts: ~\npatterns: []\n',
        'hosts:\nversion: 1\n',
        '\ufeffversion: 1\nhosts:\n    other:\n        dom0_vcpus: 2\n',
        'version: 1\r\nhosts:\r\n  other:\r\n    dom0_vcpus: 2\r\n',
        'version: 1\nhosts:\n  other:\n    dom0_vcpus: 2\n\n# the end',
        'version: 1\nhosts:\n  xen-a1:\n\n  other:\n    dom0_vcpus: 2\n',
        'version: 1\nhosts:\n  xen-a1: null  # new\n  other: {dom0_vcpus: 2}',
        'version: 1\nhosts:\n  xen-a1: {}\n',
        'version: 1\nhosts:\n  xen-a1:\n  # why\ndefaults: {dom0_vcpus: 2}\n',
        'version: 1\nhosts:\n  other: &o {dom0_vcpus: 2}\n  third: *o\n',
        'version: 1\nhosts:\n  "xen-a1":\n    "dom0_vcpus": 4\n',
    ],
)
def test_files_written_in_other_ways(text):
    before = yaml.safe_load(text)
    merged = put(text, xen_a1=STATED)
    after = yaml.safe_load(merged.text)
    assert after['hosts'].pop('xen-a1') == STATED
    (before['hosts'] if before.get('hosts') else {}).pop('xen-a1', None)
    assert after['hosts'] == (before.get('hosts') or {})
    for key in before:
        if key != 'hosts':
            assert after[key] == before[key]
    for comment in ('# none yet', '# new', '# why', '# the end'):
        assert (comment in text) == (comment in merged.text)


def test_an_entry_within_braces_becomes_lines_with_what_it_said():
    merged = put(
        'version: 1\nhosts:\n'
        '  xen-a1: {libvirt_version: "1.3.2", dom0_vcpus: 8}  # patched\n',
        xen_a1=STATED,
    )
    assert says(merged.text)['xen-a1'] == {
        **STATED,
        'libvirt_version': '1.3.2',
        'dom0_vcpus': 8,
    }
    assert '  xen-a1:   # patched\n' in merged.text
    assert [kept.fact for kept in merged.kept] == [
        'dom0_vcpus',
        'libvirt_version',
    ]


def test_a_fact_of_a_merge_key_is_a_persons_too():
    text = (
        'version: 1\ndefaults: &d {dom0_vcpus: 8}\nhosts:\n'
        '  xen-a1:\n    <<: *d\n    libvirt_version: "9.0.0"\n'
    )
    merged = put(text, xen_a1=STATED)
    assert says(merged.text)['xen-a1'] == {**STATED, 'dom0_vcpus': 8}


@pytest.mark.parametrize(
    'text, said',
    [
        ('version: 2', 'version: 2, not version: 1'),
        ('hosts: [', 'it is broken'),
        ('version: 1\nhosts: []', 'hosts is not a mapping'),
        ('{version: 1, hosts: {}}', 'all of it is within braces'),
        ('version: 1\nhosts: {a: {dom0_vcpus: 2}}', 'hosts is within braces'),
        ('version: 1\nhosts:\n  xen-a1: {dom0_vcpus:\n   2}', 'within braces'),
        ('version: 1\nhosts:\n  xen-a1: words', 'is no mapping'),
        ('version: 1\nhosts:\n  xen-a1: [1]', 'is no mapping'),
        ('version: 1\nhosts:\n  xen-a1: []', 'is no mapping'),
        ('version: 1\nhosts:\n  xen-a1: 0', 'is no mapping'),
        (
            'version: 1\nhosts:\n  b: &b\n    dom0_vcpus: 2\n  xen-a1: *b\n',
            'an alias',
        ),
        (
            'version: 1\nhosts:\n  xen-a1: &b\n    dom0_vcpus: 2\n  b: *b\n',
            'would not say what it should',
        ),
        (
            'version: 1\nhosts:\n  xen-a1: &x\n    dom0_vcpus: 1\n    <<: *x',
            'it is broken: line 5: a [*] names',
        ),
        ('version: 1\nhosts: &h\n  xen-a1: *h', 'it is broken: line 3'),
        ('version: 1\n...\n', "can't be edited safely"),
        ('version: 1\n---\nversion: 1\n', 'broken'),
    ],
)
def test_what_cant_be_edited_safely_is_refused(text, said):
    with pytest.raises(file.FileError, match=said):
        put(text, xen_a1=STATED)


@pytest.mark.parametrize('name', ['7', '0123', '17:04', 'no', '4.10'])
def test_a_host_whose_name_has_no_quotes(name):
    merged = edit_file.edited(
        'version: 1\nhosts:\n  %s:\n    dom0_vcpus: 2\n' % name,
        {name: STATED},
    )
    assert merged.text.count(name + ':') == 1
    assert '    dom0_vcpus: 2\n' in merged.text
    found = parse_file.load(merged.text.encode(), 'x').of(name, name)
    assert found == {**STATED, 'dom0_vcpus': 2}


# Quoted, a character takes up to ten, and YAML wants a key within 1024.
_NAMES = st.text(
    st.characters(exclude_categories=('C',)), min_size=1, max_size=100
)
_VALUES = st.fixed_dictionaries(
    {},
    optional={
        'libvirt_version': st.sampled_from(['1.2.15', '4.10', '9.0.0']),
        'dom0_memory_mb': st.integers(1, 9999),
        'libvirt_migration_backports': st.booleans(),
    },
)
_HOSTS = st.dictionaries(_NAMES, _VALUES, max_size=4).filter(
    lambda found: len({name.lower() for name in found}) == len(found)
)


@given(_HOSTS, _HOSTS)
def test_whatever_is_exported_is_what_the_file_then_says(first, second):
    once = edit_file.edited(None, first).text
    assert says(once) or first == {}
    twice = edit_file.edited(once, second).text
    found = says(twice) or {}
    lower = {name.lower(): raw or {} for name, raw in found.items()}
    for name, raw in second.items():
        assert lower[name.lower()] == raw
    for name, raw in first.items():
        if name.lower() not in {each.lower() for each in second}:
            assert lower[name.lower()] == raw


def test_every_fact_has_its_line():
    raw = {
        'libvirt_version': '1.2.15',
        'libvirt_migration_backports': True,
        'xen_version': '4.17.5',
        'dom0_memory_mb': 1024,
        'dom0_vcpus': 4,
        'reserved_host_memory_mb': 0,
        'observed_at': '2026-11-23T10:00:00Z',
    }
    assert set(raw) == set(facts.BY_NAME)
    assert says(put(None, xen_a1=raw).text) == {'xen-a1': raw}
