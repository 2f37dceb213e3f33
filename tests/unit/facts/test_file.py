# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import errno
import functools
import os
import pathlib
import threading
import time
import types

from hypothesis import given
from hypothesis import strategies as st
from oslo_config import cfg
import pytest
import yaml

from nova_xen_sched.facts import file
from nova_xen_sched.facts import parse_file
from tests.unit import builders

GOOD = """
version: 1
defaults: {dom0_memory_mb: 4096, dom0_vcpus: 4}
patterns:
  - {match: "xen-B*", libvirt_version: "1.2.5", dom0_vcpus: 2}
  - {match: "*", libvirt_version: "1.3.2"}
hosts:
  xen-a1:
    libvirt_version: "9.0.0"
    xen_version: "4.17.5"
    observed_at: "2026-11-22T10:00:00Z"
  xen-b2: {libvirt_version: "1.3.1"}
"""


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch):
    monkeypatch.setattr(file, 'QUIET', 0)


class Facts:
    """A source, its file, and what it says."""

    def __init__(self, path):
        self.path = path
        self.conf = types.SimpleNamespace(host_facts_file=str(path))

    @functools.cached_property
    def source(self):
        """As nova-scheduler makes it at its start."""
        return file.Source(types.SimpleNamespace(xen_scheduler=self.conf))

    def of(self, host, node=None):
        state = builders.state(host)
        state.nodename = node or host
        lookup = self.source.for_request([state])
        return lookup(state) if lookup else {}

    def write(self, text):
        self.path.write_text(text)

    def replace(self, text):
        """As facts are best written: beside it, then moved over it."""
        new = self.path.with_suffix('.new')
        new.write_text(text)
        new.rename(self.path)


@pytest.fixture
def host_facts(tmp_path):
    return Facts(tmp_path / 'facts.yaml')


@pytest.fixture
def complaints(logged):
    return lambda: logged('WARNING') + logged('ERROR')


def test_layers(host_facts):
    host_facts.write(GOOD)
    assert host_facts.of('xen-a1') == {
        'dom0_memory_mb': 4096,
        'dom0_vcpus': 4,
        'libvirt_version': '9.0.0',
        'xen_version': '4.17.5',
        'observed_at': '2026-11-22T10:00:00Z',
    }
    assert host_facts.of('xen-b1') == {
        'dom0_memory_mb': 4096,
        'dom0_vcpus': 2,
        'libvirt_version': '1.2.5',
    }
    assert host_facts.of('xen-b2')['libvirt_version'] == '1.3.1'
    assert host_facts.of('xen-b2')['dom0_vcpus'] == 2
    assert host_facts.of('kvm')['libvirt_version'] == '1.3.2'


def test_names_match_in_any_case_and_by_node(host_facts):
    host_facts.write(GOOD)
    assert host_facts.of('XEN-A1')['libvirt_version'] == '9.0.0'
    by_node = host_facts.of('10.0.0.1', 'xen-a1')
    assert by_node['libvirt_version'] == '9.0.0'


def test_no_file_named(host_facts):
    host_facts.write(GOOD)
    host_facts.conf.host_facts_file = None
    assert host_facts.of('xen-a1') == {}
    host_facts.conf.host_facts_file = str(host_facts.path)
    assert host_facts.of('xen-a1')['libvirt_version'] == '9.0.0'


@pytest.mark.parametrize('how', ['write', 'replace'])
def test_the_next_request_sees_a_change(host_facts, how):
    change = getattr(host_facts, how)
    for version in ('1.2.5', '1.3.1', '1.3.2', '9.0.0') * 3:
        change('version: 1\nhosts: {a: {libvirt_version: "%s"}}' % version)
        assert host_facts.of('a') == {'libvirt_version': version}


def test_a_change_that_time_and_size_hide(host_facts):
    """Same inode, size and time: file systems can't tell such apart."""
    host_facts.write('version: 1\nhosts: {a: {dom0_vcpus: 2}}')
    assert host_facts.of('a') == {'dom0_vcpus': 2}
    before = host_facts.path.stat()
    host_facts.write('version: 1\nhosts: {a: {dom0_vcpus: 8}}')
    os.utime(host_facts.path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert host_facts.of('a') == {'dom0_vcpus': 8}


@pytest.mark.parametrize('when', [1, 2**33], ids=['past', 'future'])
def test_an_unchanged_file_is_not_read_again(host_facts, mocker, when):
    """It is old, or of a time in the future."""
    host_facts.write(GOOD)
    os.utime(host_facts.path, (when, when))
    read = mocker.spy(file, 'read')
    for _ in range(5):
        assert host_facts.of('xen-a1')
    assert read.call_count == 1


BROKEN = {
    'empty': ('', 'it is not a mapping'),
    'text': ('hello', 'it is not a mapping'),
    'list': ('- a', 'it is not a mapping'),
    'no version': ('hosts: {}', 'it does not say version: 1'),
    'version 2': ('version: 2', 'it says version: 2, not'),
    'version true': ('version: true', 'it says version: true, not'),
    'cut off': (
        GOOD[: GOOD.index('9.0.0')],
        'the quote that line 9 opens is never closed',
    ),
    'tab': ('version: 1\nhosts:\n\ta: {}', 'line 3 has a tab'),
    'python tag': (
        'version: 1\nhosts: !!python/object/apply:os.system ["true"]',
        'line 2, column 8: a word that begins with ! is a tag',
    ),
    'unknown tag': ('version: 1\ndefaults: !ruby {}', 'is a tag'),
    'hosts is a list': ('version: 1\nhosts: [a]', 'hosts is not a mapping'),
    'patterns is a mapping': (
        'version: 1\npatterns: {a: b}',
        'patterns is not a list',
    ),
    'twice': (
        'version: 1\nhosts:\n  a: {dom0_vcpus: 1}\n  a: {dom0_vcpus: 2}',
        "'a' is named twice",
    ),
    'bad int': ('version: 1\ndefaults: !!int [a]', 'is a tag'),
    'map of a list': ('version: 1\nhosts: !!map [a]', 'not a mapping'),
    'set of a list': ('version: 1\nhosts: !!set [a]', 'is a tag'),
    'twice in other case': (
        'version: 1\nhosts: {a: {dom0_vcpus: 1}, A: {dom0_vcpus: 2}}',
        "host 'A' is named twice, first as 'a': upper and lower case",
    ),
    'deep': ('version: 1\nhosts: ' + '[' * 100000, 'deeper than 20'),
    'binary': ('version: 1\n\x00', 'line 2 has bytes that no text'),
}


@pytest.mark.parametrize('name', sorted(BROKEN))
def test_a_broken_file_keeps_the_last_good_facts(host_facts, complaints, name):
    text, said = BROKEN[name]
    host_facts.write('version: 1\nhosts: {a: {dom0_vcpus: 4}}')
    assert host_facts.of('a') == {'dom0_vcpus': 4}
    host_facts.write(text)
    for _ in range(3):
        assert host_facts.of('a') == {'dom0_vcpus': 4}
    (line,) = complaints()
    assert line.startswith(
        "The facts file %s can't be used: " % host_facts.path
    )
    assert any(each in line for each in said.split('|')), line
    assert line.endswith('The last good facts stay in force.')
    assert '\n' not in line
    host_facts.write('version: 1\nhosts: {a: {dom0_vcpus: 8}}')
    assert host_facts.of('a') == {'dom0_vcpus': 8}


def test_a_missing_file(host_facts, complaints):
    assert host_facts.of('a') == {}
    assert complaints() == [
        "The facts file %s can't be used: No such file or directory. There "
        'are no facts from it yet.' % host_facts.path
    ]
    host_facts.write(GOOD)
    assert host_facts.of('xen-a1')
    host_facts.path.unlink()
    assert host_facts.of('xen-a1')
    assert len(complaints()) == 2


def test_a_directory_and_a_pipe(host_facts, complaints):
    host_facts.path.mkdir()
    assert host_facts.of('a') == {}
    host_facts.path.rmdir()
    os.mkfifo(host_facts.path)
    assert host_facts.of('a') == {}
    assert [line.split(': ')[1] for line in complaints()] == [
        'it is not a regular file. There are no facts from it yet.'
    ]


def test_an_unreadable_file(host_facts, complaints, mocker):
    """root may read everything, so the refusal is a mock."""
    host_facts.write(GOOD)
    mocker.patch(
        'builtins.open', side_effect=PermissionError(13, 'Permission denied')
    )
    for _ in range(3):
        assert host_facts.of('xen-a1') == {}
    (line,) = complaints()
    assert 'Permission denied' in line


@pytest.mark.parametrize('number', [errno.EACCES, errno.EIO, errno.ESTALE])
def test_a_file_that_could_not_be_read_is_tried_again(
    host_facts, complaints, mocker, number
):
    """Though nothing of the file itself has changed meanwhile."""
    host_facts.write(GOOD)
    os.utime(host_facts.path, (1, 1))
    refused = mocker.patch(
        'builtins.open', side_effect=OSError(number, os.strerror(number))
    )
    assert host_facts.of('xen-a1') == {}
    mocker.stop(refused)
    assert host_facts.of('xen-a1')['libvirt_version'] == '9.0.0'
    assert len(complaints()) == 1


@pytest.mark.parametrize('old', [False, True])
def test_a_broken_content_is_parsed_once(host_facts, mocker, old):
    host_facts.write('version: 2')
    if old:
        os.utime(host_facts.path, (1, 1))
    parse = mocker.spy(parse_file, 'load')
    for _ in range(3):
        assert host_facts.of('a') == {}
    os.utime(host_facts.path, (1, 1))
    assert host_facts.of('a') == {}
    assert parse.call_count == 1


def test_what_is_wrong_is_said_again_after_another_fault(
    host_facts, complaints, mocker
):
    host_facts.write('version: 2')
    host_facts.of('a')
    refused = mocker.patch('builtins.open', side_effect=OSError(5, 'I/O'))
    host_facts.of('a')
    mocker.stop(refused)
    host_facts.of('a')
    said = [line.split(': ', 2)[1] for line in complaints()]
    assert [each.split('.')[0] for each in said] == [
        'it says version',
        'I/O',
        'it says version',
    ]


def test_a_file_that_goes_twice_is_said_twice(host_facts, complaints):
    """It comes back as it was, with its inode and its times."""
    host_facts.write(GOOD)
    os.utime(host_facts.path, (1, 1))
    away = host_facts.path.with_suffix('.away')
    for number in (1, 2, 3):
        assert host_facts.of('xen-a1')
        host_facts.path.rename(away)
        assert host_facts.of('xen-a1')
        assert len(complaints()) == number
        away.rename(host_facts.path)


def test_it_is_read_before_the_first_request(host_facts, mocker):
    host_facts.write(GOOD)
    os.utime(host_facts.path, (1, 1))
    source = host_facts.source
    mocker.patch.object(parse_file, 'load', side_effect=AssertionError)
    state = builders.state('xen-a1')
    assert source.for_request([state])(state)['libvirt_version'] == '9.0.0'


def test_one_request_reads_while_the_others_go_on(host_facts, mocker):
    host_facts.write('version: 1\nhosts: {a: {dom0_vcpus: 4}}')
    assert host_facts.of('a') == {'dom0_vcpus': 4}
    host_facts.write('version: 1\nhosts: {a: {dom0_vcpus: 8}}')
    parsing, go_on = threading.Event(), threading.Event()
    load = parse_file.load

    def slow(*args):
        parsing.set()
        assert go_on.wait(10)
        return load(*args)

    mocker.patch.object(parse_file, 'load', side_effect=slow)
    found = []
    reader = threading.Thread(target=lambda: found.append(host_facts.of('a')))
    reader.start()
    assert parsing.wait(10)
    # It would wait here for good if it had to.
    assert host_facts.of('a') == {'dom0_vcpus': 4}
    go_on.set()
    reader.join(10)
    assert found == [{'dom0_vcpus': 8}]
    assert host_facts.of('a') == {'dom0_vcpus': 8}
    assert parse_file.load.call_count == 1


def test_a_huge_file(host_facts, complaints, monkeypatch):
    monkeypatch.setattr(file, 'MAX_SIZE', 20)
    host_facts.write(GOOD)
    assert host_facts.of('xen-a1') == {}
    assert 'bytes, more than the 20' in complaints()[0]


def test_a_file_that_is_being_written(host_facts, complaints, mocker):
    host_facts.write('version: 1\nhosts: {a: {dom0_vcpus: 4}}')
    assert host_facts.of('a') == {'dom0_vcpus': 4}
    host_facts.write('version: 1\nhosts: {a: {dom0_')
    real = os.fstat

    def grow(descriptor):
        status = real(descriptor)
        with host_facts.path.open('a') as f:
            f.write('vcpus: 8}}')
        return status

    mocker.patch.object(file.os, 'fstat', side_effect=grow)
    assert host_facts.of('a') == {'dom0_vcpus': 4}
    mocker.stopall()
    assert 'it is being written' in complaints()[0]


def test_it_waits_for_a_writer_in_place(host_facts, monkeypatch):
    """One who truncates, pauses for less than QUIET, and writes on."""
    # A busy machine may keep the writer waiting.
    monkeypatch.setattr(file, 'QUIET', 1)
    monkeypatch.setattr(file, 'PATIENCE', 20)
    host_facts.write('version: 1\nhosts: {a: {dom0_vcpus: 4}}')
    assert host_facts.of('a') == {'dom0_vcpus': 4}
    host_facts.write('version: 1\n')  # good as it is, but half

    def finish():
        with host_facts.path.open('a') as f:
            f.write('hosts: {a: {dom0_vcpus: 8}}')

    timer = threading.Timer(0.05, finish)
    timer.start()
    assert host_facts.of('a') == {'dom0_vcpus': 8}
    timer.join()


def test_it_waits_for_a_writer_that_pauses_often(host_facts, monkeypatch):
    monkeypatch.setattr(file, 'QUIET', 1)
    monkeypatch.setattr(file, 'PATIENCE', 20)
    host_facts.write('version: 1\nhosts:\n  h0: {dom0_vcpus: 4}\n')
    assert host_facts.of('h0') == {'dom0_vcpus': 4}
    host_facts.write('version: 1\nhosts:\n')

    def write_on():
        for i in range(10):
            with host_facts.path.open('a') as f:
                f.write('  h%d: {dom0_vcpus: 8}\n' % i)
            time.sleep(0.02)

    thread = threading.Thread(target=write_on)
    thread.start()
    assert host_facts.of('h9') == {'dom0_vcpus': 8}
    thread.join()


def test_a_writer_that_never_stops(host_facts, complaints, monkeypatch):
    host_facts.write('version: 1\nhosts: {a: {dom0_vcpus: 4}}')
    assert host_facts.of('a') == {'dom0_vcpus': 4}
    # The writer, too, may be kept waiting.
    monkeypatch.setattr(file, 'QUIET', 2)
    monkeypatch.setattr(file, 'PATIENCE', 2.5)
    stop = threading.Event()

    def write_on():
        while not stop.wait(0.005):
            with host_facts.path.open('a') as f:
                f.write('#\n')

    thread = threading.Thread(target=write_on)
    thread.start()
    try:
        time.sleep(0.02)
        assert host_facts.of('a') == {'dom0_vcpus': 4}
    finally:
        stop.set()
        thread.join()
    assert 'it is being written' in complaints()[0]


def test_a_wrong_path_keeps_the_last_one(host_facts):
    host_facts.write(GOOD)
    assert host_facts.of('xen-a1')

    class Wrong:
        @property
        def host_facts_file(self):
            raise cfg.ConfigFileValueError('wrong')

    host_facts.source._conf.xen_scheduler = Wrong()
    assert host_facts.of('xen-a1')


def test_what_is_wrong_inside_is_warned_of_once(host_facts, complaints):
    host_facts.write(
        """
version: 1
default: {}
defaults: {dom0_memory: 4096}
patterns: [{libvirt_version: "1.2.5"}, x*, {match: "a*", dom0_vcpus: many}]
hosts:
  a1: {libvirt_version: 4.10, xen_version: "4.17.5"}
  a2: [1]
  7: {dom0_vcpus: 4}
  a3: {dom0_memory_mb: -1, dom0_vcpus: 0, 5: 6}
  a4:
"""
    )
    for _ in range(2):
        assert host_facts.of('a1') == {'xen_version': '4.17.5'}
        assert host_facts.of('a3') == {}
        assert host_facts.of('a4') == {}
    assert complaints() == [
        'Ignored in the facts file %s (6): '
        "'default': there is no such section (nearest: defaults); "
        "defaults: there is no fact 'dom0_memory' (nearest: dom0_memory_mb); "
        'hosts, a2: it is not a mapping of facts, such as dom0_vcpus: 4; '
        "hosts, a3: there is no fact '5'; "
        'patterns, entry 1: it needs match: "a shell pattern"; '
        'patterns, entry 2: it needs match: "a shell pattern"'
        % host_facts.path,
        "Facts from the file %s that can't be read, and are unknown (4): "
        'dom0_memory_mb of hosts, a3: -1, not above 0; '
        'dom0_vcpus of hosts, a3: 0, not above 0; '
        "dom0_vcpus of patterns, entry 3: 'many', not a whole number; "
        'libvirt_version of hosts, a1: 4.10, a version needs quotes: "4.10"'
        % host_facts.path,
    ]


def test_a_thousand_mistakes_are_one_line(host_facts, complaints):
    hosts = ''.join('  h%d: {libvirt_version: 4.1}\n' % i for i in range(999))
    host_facts.write('version: 1\nhosts:\n' + hosts)
    for _ in range(3):
        assert host_facts.of('h1') == {}
    (line,) = complaints()
    assert '(999): ' in line


def test_what_is_wrong_is_said_of_each_content_anew(host_facts, complaints):
    def told(hosts):
        host_facts.write('version: 1\nhosts: {%s}' % hosts)
        before = len(complaints())
        for _ in range(2):
            host_facts.of('a')
        return [line.partition(': ')[2] for line in complaints()[before:]]

    many = "dom0_vcpus of hosts, a: 'many', not a whole number"
    few = "dom0_vcpus of hosts, a: 'few', not a whole number"
    other = "dom0_vcpus of hosts, b: 'x', not a whole number"
    assert told('a: {dom0_vcpus: many}, b: {dom0_vcpus: x}') == [
        '%s; %s' % (many, other)
    ]
    # Another mistake in the same place; the one that is mended is not named.
    assert told('a: {dom0_vcpus: few}') == [few]
    assert told('a: {dom0_vcpus: 4}') == []
    assert told('a: {dom0_vcpus: few}') == [few]
    # Nor is the file that can't be used as a whole like the one before.
    assert len(told('a: [')) == len(told('a: [ ')) == 1


@pytest.mark.parametrize(
    'after', ['hosts: {}', 'hosts:', '', 'hosts: {c: {}}']
)
def test_losing_all_hosts_is_a_warning(host_facts, logged, after):
    host_facts.write('version: 1\nhosts: {a: {dom0_vcpus: 2}, b: {}}')
    assert host_facts.of('a')
    host_facts.write('version: 1\n' + after)
    for _ in range(2):
        assert host_facts.of('a') == {}
    (line,) = logged('WARNING')
    assert line.startswith('None of the 2 hosts that had facts is in the ')
    assert '%s (sha256 ' % host_facts.path in line
    assert line.endswith(': it has %d hosts.' % after.count('c'))


def test_losing_all_patterns_is_a_warning(host_facts, logged):
    patterns = 'version: 1\npatterns: [{match: a*, dom0_vcpus: 2}]\n'
    host_facts.write(patterns)
    assert host_facts.of('a')
    # Hosts of their own in their place are none.
    host_facts.write('version: 1\nhosts: {a: {dom0_vcpus: 2}}')
    assert host_facts.of('a')
    host_facts.write(patterns + 'hosts: {a: {dom0_vcpus: 2}}')
    assert host_facts.of('a')
    assert logged('WARNING') == []
    host_facts.write(patterns)
    assert host_facts.of('a')
    host_facts.write('version: 1')
    for _ in range(2):
        assert host_facts.of('a') == {}
    hosts, lost = logged('WARNING')
    assert hosts.startswith('None of the 1 hosts that had facts is in the ')
    assert lost.startswith('None of the 1 patterns that had facts is in the ')
    assert lost.endswith(': it has 0 hosts.')


def test_losing_some_hosts_is_none(host_facts, complaints):
    host_facts.write('version: 1\nhosts: {a: {}, b: {}}')
    host_facts.of('a')
    host_facts.write('version: 1\nhosts: {B: {}}')
    host_facts.of('a')
    assert complaints() == []


@pytest.mark.parametrize('name', ['x' * 500, 'a\\nERROR b'])
def test_the_name_of_a_host_is_short_in_what_is_said_of_it(
    host_facts, complaints, name
):
    host_facts.write('version: 1\nhosts: {"%s": {dom0_vcpus: x}}' % name)
    host_facts.of('a')
    (line,) = complaints()
    assert len(line) < 400
    assert '\n' not in line


def test_an_option_that_is_emptied_loses_all_hosts(host_facts, logged):
    host_facts.write(GOOD)
    assert host_facts.of('xen-a1')
    host_facts.conf.host_facts_file = None
    for _ in range(2):
        assert host_facts.of('xen-a1') == {}
    assert logged('WARNING') == [
        'None of the 2 hosts that had facts is in host_facts_file, which is '
        'empty now: it has 0 hosts.'
    ]


def test_aliases_that_multiply_stay_small(host_facts):
    lines = ['a0: &a0 [x, x]']
    lines += [
        'a%d: &a%d [*a%d, *a%d]' % (i, i, i - 1, i - 1) for i in range(1, 40)
    ]
    host_facts.write(
        'version: 1\n%s\nhosts: {h: {libvirt_version: *a39}}'
        % '\n'.join(lines)
    )
    assert host_facts.of('h') == {}


@given(st.binary(max_size=200))
def test_random_bytes_never_raise_but_as_they_should(content):
    for each in (content, b'version: 1\n' + content):
        try:
            found = parse_file.load(each, 'f')
        except parse_file.FileError:
            continue
        found.of('h', 'n')


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            'version': st.just(1) | values,
            'defaults': values,
            'patterns': values,
            'hosts': st.dictionaries(
                st.text(max_size=5),
                st.dictionaries(
                    st.sampled_from(sorted(parse_file.facts.BY_NAME)), values
                ),
            )
            | values,
        },
    )
)
def test_wrong_types_never_raise_but_as_they_should(data):
    content = yaml.safe_dump(data).encode()
    try:
        found = parse_file.load(content, 'f')
    except parse_file.FileError:
        return
    for host in found.hosts:
        for name, value in found.of(host, '').items():
            parse_file.facts.BY_NAME[name].parse(value)


def test_the_example_file(host_facts, complaints):
    example = (
        pathlib.Path(__file__)
        .parents[3]
        .joinpath('etc', 'nova_xen_sched', 'host-facts.yaml')
    )
    host_facts.write(example.read_text())
    assert host_facts.of('xen-a1')['libvirt_version'] == '9.0.0'
    assert complaints() == []
