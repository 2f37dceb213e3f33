# SPDX-License-Identifier: Apache-2.0

"""The text is Prometheus', and the file is whole."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess

from prometheus_client import parser
import pytest

from nova_xen_sched.cmd.hosts.metrics import names
from nova_xen_sched.cmd.hosts.metrics import samples
from nova_xen_sched.cmd.hosts.metrics import text

HOSTILE = 'a"b\\c\nd{e}=é'


def every():
    """A sample of each metric."""
    return {
        each: {tuple(HOSTILE + label for label in each.labels): 1.5}
        for each in names.METRICS
    }


def test_what_is_written_is_read():
    found = text.written(every())
    families = list(parser.text_string_to_metric_families(found))
    assert [each.name for each in families] == [
        each.name for each in names.METRICS
    ]
    for family, metric in zip(families, names.METRICS):
        assert (family.type, family.documentation) == ('gauge', metric.text)
        (sample,) = family.samples
        assert (sample.value, sample.timestamp) == (1.5, None)
        assert sample.labels == {
            label: HOSTILE + label for label in metric.labels
        }


def test_what_has_no_sample_is_not_written():
    found = text.written({names.HOSTS: {(): 0}, names.GUESTS: {}})
    assert [line for line in found.splitlines() if line[0] != '#'] == [
        'nova_xen_hosts 0.0'
    ]


def test_no_digit_of_a_digest_is_lost():
    digest = 0xFEDCBA987655
    found = text.written({names.DIGEST: {(): digest}}).split()[-1]
    assert float(found) == digest


@pytest.mark.skipif(
    shutil.which('promtool') is None, reason='promtool is not there'
)
def test_promtool_finds_nothing_to_mend():
    done = subprocess.run(
        ['promtool', 'check', 'metrics'],
        input=text.written(every()).encode(),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b'', b'')


@pytest.mark.parametrize('mask', [0o000, 0o022, 0o077])
def test_everybody_reads_the_file(tmp_path, mask):
    path = tmp_path / 'x.prom'
    before = os.umask(mask)
    try:
        text.replace(str(path), 'one\n')
        text.replace(str(path), 'two\n')
    finally:
        os.umask(before)
    assert path.read_text() == 'two\n'
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert os.listdir(tmp_path) == ['x.prom']


def test_what_is_beside_is_not_read(tmp_path, monkeypatch):
    """Until it is renamed, which fails here."""
    path = tmp_path / 'x.prom'
    path.write_text('one\n')
    beside = []

    def fails(source, target):
        beside.append(os.path.basename(source))
        raise OSError(5, 'Input/output error')

    monkeypatch.setattr(os, 'replace', fails)
    with pytest.raises(OSError):
        text.replace(str(path), 'two\n')
    assert not beside[0].endswith('.prom')
    assert (path.read_text(), os.listdir(tmp_path)) == ('one\n', ['x.prom'])


def test_a_link_stays_one(tmp_path):
    (tmp_path / 'link.prom').symlink_to(tmp_path / 'x.prom')
    text.replace(str(tmp_path / 'link.prom'), 'one\n')
    assert (tmp_path / 'link.prom').is_symlink()
    assert (tmp_path / 'x.prom').read_text() == 'one\n'


@pytest.mark.parametrize(
    'content, last',
    [
        (text.written(samples.own(True, 1.5, 1795341600.25)), 1795341600.25),
        (text.written(samples.own(False, 1.5, 0)), 0),
        ('', 0),
        (names.LAST_SUCCESS.name + ' none\n', 0),
        ('\ud800', 0),
    ],
)
def test_the_last_success_is_kept(tmp_path, content, last):
    path = tmp_path / 'x.prom'
    path.write_bytes(content.encode('utf-8', 'surrogatepass'))
    assert text.last_success(str(path)) == last


def test_without_a_file_no_success_is_known(tmp_path):
    assert text.last_success(str(tmp_path / 'x.prom')) == 0
    assert text.last_success('') == 0
