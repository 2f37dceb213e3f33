# SPDX-License-Identifier: Apache-2.0

"""The stats of captured Xen hosts, and of hosts that answer in part."""

from __future__ import annotations

from importlib import metadata
import subprocess
import sys
import types

import pytest

from nova_xen_sched import facts
from nova_xen_sched import log
from nova_xen_sched.compute import stats
from nova_xen_sched.facts import reported
from tests.unit.xenhost import captured

BROKEN = captured.LibvirtError('internal error: client socket is closed')
URI = 'xen:///system'

#: What is the same at each reading but for the time.
HVM = {
    'xen_libvirt_version': '7.0.0',
    'xen_libvirt_migration_backports': 'true',
    'xen_version': '4.14.6',
    'xen_dom0_memory_mb': '1024',
    'xen_dom0_vcpus': '2',
    'xen_reserved_host_memory_mb': '1280',
    'xen_free_memory_mb': '5046',
    'xen_reported_by': stats.reported_by(),
}


@pytest.fixture(autouse=True)
def said(monkeypatch):
    monkeypatch.setattr(log, 'NOTICES', log.Notices())


class Compute:
    """A compute on a captured host."""

    def __init__(self, name, folder, has_xl=True):
        self.name = name
        self.dom0 = captured.Dom0(name, folder, has_xl=has_xl)
        self.calls = []
        self.dom0.xl = self._counting(self.dom0.xl)
        self.reporter = stats.Reporter(self.dom0)

    def _counting(self, xl):
        def counted(*arguments):
            self.calls.append(arguments)
            return xl(*arguments)

        return counted

    def update(self, **arguments):
        connection = captured.Connection(self.name, uri=URI, **arguments)
        host = self.reporter.read(connection, URI)
        return self.reporter.stats(host, reserved_mb=1280)


def without_time(found):
    return {
        key: value
        for key, value in found.items()
        if key != 'xen_facts_observed_at'
    }


# What is reported


def test_every_fact_and_the_free_memory(tmp_path):
    found = Compute('xen-4.14-hvm', tmp_path).update()
    assert without_time(found) == HVM
    keys = {name.stats_key for name in facts.NAMES}
    assert found.keys() == keys | {facts.FREE_MEMORY, facts.REPORTED_BY}


def test_another_release(tmp_path):
    found = Compute('xen-4.17-hvm', tmp_path).update()
    assert found['xen_libvirt_version'] == '9.0.0'
    assert found['xen_version'] == '4.17.5'
    assert found['xen_free_memory_mb'] == '3027'


@pytest.mark.parametrize(
    'installed, said',
    [
        ({'return_value': '1.2.3'}, 'nova-compute-xen 1.2.3'),
        (
            {'side_effect': metadata.PackageNotFoundError},
            'nova-compute-xen',
        ),
    ],
)
def test_who_reports(tmp_path, mocker, installed, said):
    version = mocker.patch.object(metadata, 'version', **installed)
    found = Compute('xen-4.14-hvm', tmp_path).update()
    assert found['xen_reported_by'] == said
    version.assert_called_once_with('nova-xen-sched')


@pytest.mark.parametrize('name', captured.ALL)
def test_what_is_reported_is_what_the_scheduler_reads(tmp_path, name):
    found = Compute(name, tmp_path).update()
    assert all(isinstance(value, str) for value in found.values())
    state = types.SimpleNamespace(stats=found)
    read = reported.Stats(None).for_request([state])(state)
    for fact, value in read.items():
        facts.BY_NAME[fact].parse(value)
    assert read.keys() >= {'libvirt_version', 'xen_version', 'dom0_vcpus'}


@pytest.mark.parametrize(
    'name', ['xen-4.14-dom0-ballooned', 'xen-4.14-dom0-unsized']
)
def test_a_dom0_that_balloons_has_no_size_and_xen_no_free_memory(
    tmp_path, caplog, name
):
    compute = Compute(name, tmp_path)
    for _ in range(2):
        found = compute.update()
        assert 'xen_dom0_memory_mb' not in found
        assert 'xen_free_memory_mb' not in found
        assert found['xen_dom0_vcpus'] == '4'
    assert caplog.text.count('dom0_mem=SIZE,max:SIZE') == 1


def test_without_the_rights_for_xl_all_is_known_but_for_no_maximum(tmp_path):
    # xl needs root; dom0_mem=1024M,max:1024M shows in libvirt's answer too.
    found = Compute('xen-4.14-hvm', tmp_path, has_xl=False).update()
    assert without_time(found) == HVM


def test_only_a_libvirt_that_has_the_backports_says_so(tmp_path):
    compute = Compute('xen-4.14-hvm', tmp_path)
    old = captured.Connection('xen-4.14-hvm', uri=URI)
    old.conn['getLibVersion'] = 1002005
    host = compute.reporter.read(old, URI)
    found = compute.reporter.stats(host, 0)
    assert found['xen_libvirt_version'] == '1.2.5'
    assert 'xen_libvirt_migration_backports' not in found


# How it is read


def test_neither_capabilities_nor_guests_are_asked_for(tmp_path, caplog):
    found = Compute('xen-4.14-hvm-6-guests', tmp_path).update(
        broken={'getCapabilities': BROKEN, 'listDomainsID': BROKEN}
    )
    assert found['xen_free_memory_mb'] == '3503'
    assert not caplog.records


def test_xl_is_started_once(tmp_path):
    compute = Compute('xen-4.14-hvm', tmp_path)
    for _ in range(3):
        compute.update()
    assert compute.calls == [('info',)]


# What doesn't answer


@pytest.mark.parametrize(
    'method, key',
    [
        ('getLibVersion', 'xen_libvirt_version'),
        ('lookupByID', 'xen_dom0_memory_mb'),
        ('getFreeMemory', 'xen_free_memory_mb'),
    ],
)
def test_what_never_answered_is_left_out(tmp_path, caplog, method, key):
    compute = Compute('xen-4.14-hvm', tmp_path)
    for _ in range(2):
        found = compute.update(broken={method: BROKEN})
        assert key not in found
        assert found['xen_version'] == '4.14.6'
    assert caplog.text.count('client socket is closed') == 1


@pytest.mark.parametrize(
    'broken',
    [
        ('getLibVersion',),
        ('lookupByID',),
        ('getType',),
        ('getLibVersion', 'lookupByID', 'getInfo', 'getVersion'),
    ],
)
def test_what_stops_answering_is_reported_as_of_then(
    tmp_path, monkeypatch, broken
):
    compute = Compute('xen-4.14-hvm', tmp_path)
    times = iter(['2026-11-22T10:00:00Z', '2026-11-22T10:01:00Z'] * 2)
    monkeypatch.setattr(stats.to_facts, 'now', lambda: next(times))
    before = compute.update()
    again = compute.update(broken=dict.fromkeys(broken, BROKEN))
    assert again == before
    assert again['xen_facts_observed_at'] == '2026-11-22T10:00:00Z'


def test_free_memory_is_never_one_of_before(tmp_path):
    compute = Compute('xen-4.14-hvm', tmp_path)
    compute.update()
    assert 'xen_free_memory_mb' not in compute.update(
        broken={'getFreeMemory': BROKEN}
    )


def test_no_free_memory_beside_a_dom0_that_was_never_read(tmp_path):
    compute = Compute('xen-4.14-hvm', tmp_path)
    assert 'xen_free_memory_mb' not in compute.update(
        broken={'lookupByID': BROKEN}
    )


def test_what_is_no_longer_so_is_not_reported_as_of_then(tmp_path):
    compute = Compute('xen-4.14-hvm', tmp_path)
    compute.update()
    shrunk = captured.Connection('xen-4.14-hvm', uri=URI)
    shrunk.domains[0]['info()'] = [1, 6290432, 900000, 2, 0]
    libxl_conf = tmp_path / 'etc' / 'libvirt' / 'libxl.conf'
    libxl_conf.write_text('autoballoon = 1\n')
    host = compute.reporter.read(shrunk, URI)
    found = compute.reporter.stats(host, 0)
    assert 'xen_dom0_memory_mb' not in found


def test_a_host_out_of_reach_reports_what_was_known(tmp_path):
    compute = Compute('xen-4.14-hvm', tmp_path)
    gone = stats.unreachable(RuntimeError('no connection'))
    assert compute.reporter.stats(gone, 512) == {
        'xen_reserved_host_memory_mb': '512',
        'xen_reported_by': stats.reported_by(),
    }
    before = compute.update()
    del before['xen_free_memory_mb']
    assert compute.reporter.stats(gone, 1280) == before


def test_it_is_said_again_only_when_more_is_broken(tmp_path, caplog):
    compute = Compute('xen-4.14-hvm', tmp_path)
    for broken in ('getLibVersion', 'getLibVersion', 'lookupByID'):
        compute.update(broken={broken: BROKEN})
    compute.update()
    assert [r.levelname for r in caplog.records] == ['WARNING'] * 2


# Where it runs


def test_it_needs_nothing_that_nova_does_not_bring():
    """It is installed in dom0 without what the commands need."""
    done = subprocess.run(
        [
            sys.executable,
            '-c',
            'import sys, nova_xen_sched.compute.stats\n'
            "print({'cliff', 'openstack', 'yaml', 'nova'} & set(sys.modules))",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == 'set()\n'
