# SPDX-License-Identifier: Apache-2.0

"""metrics: wrong usage, failures, and what it comes without."""

from __future__ import annotations

import sys

import pytest

from nova_xen_sched.cmd import app
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd.hosts.metrics import command
from nova_xen_sched.cmd.hosts.metrics import names
from nova_xen_sched.cmd.hosts.metrics import text


@pytest.fixture
def collected(monkeypatch):
    """What a collection comes to: samples, or what it raises."""
    outcome = [{names.HOSTS: {(): 3}}]

    def collect(self, flavors):
        if isinstance(outcome[0], BaseException):
            raise outcome[0]
        return dict(outcome[0])

    monkeypatch.setattr(command.Metrics, '_collected', collect)
    return outcome


@pytest.mark.parametrize(
    'arguments, words',
    [
        (['--textfile', 'a.txt'], 'node_exporter reads only files whose na'),
        (['--flavor', *map(str, range(11))], 'Name at most 10 flavors: ea'),
        (
            ['--flavor', *'abcdef', '--flavor', *'ghijk'],
            'Name at most 10 flavors: each has a series a host.',
        ),
    ],
)
def test_wrong_usage_needs_no_nova(arguments, words, capsys):
    assert app.main(['metrics', *arguments]) == 2
    out, err = capsys.readouterr()
    assert err.startswith(words) and len(err.splitlines()) == 1
    assert out == ''


def test_a_flavor_that_is_named_twice_counts_once(collected, capsys):
    names_of = ['--flavor', *map(str, range(10)), '--flavor', '3', '4']
    assert app.main(['metrics', *names_of]) == 0


def test_without_the_library_it_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, 'prometheus_client', None)
    path = tmp_path / 'x.prom'
    assert app.main(['metrics', '--textfile', str(path)]) == 2
    out, err = capsys.readouterr()
    assert err.startswith("prometheus_client can't be imported (")
    assert (out, len(err.splitlines()), path.exists()) == ('', 1, False)


def test_it_prints_or_writes(collected, tmp_path, capsys):
    assert app.main(['metrics']) == 0
    out = capsys.readouterr().out
    assert '\nnova_xen_hosts 3.0\n' in out
    assert '\nnova_xen_metrics_success 1.0\n' in out
    path = tmp_path / 'x.prom'
    assert app.main(['metrics', '--textfile', str(path)]) == 0
    assert '\nnova_xen_hosts 3.0\n' in path.read_text()
    assert capsys.readouterr() == ('', '')


@pytest.mark.parametrize(
    'error, words',
    [
        (errors.Failure('Placement is away.'), 'Placement is away.\n'),
        (ZeroDivisionError('oh'), 'Unexpected ZeroDivisionError: oh ('),
    ],
)
def test_a_failure_keeps_the_last_success(
    collected, tmp_path, capsys, error, words
):
    path = tmp_path / 'x.prom'
    arguments = ['metrics', '--textfile', str(path)]
    app.main(arguments)
    last = text.last_success(str(path))
    assert last > 1e9
    collected[0] = error
    # Twice: from a failure to the next, too.
    for _ in range(2):
        assert app.main(arguments) == 1
        out, err = capsys.readouterr()
        assert err.startswith(words)
        assert (out, len(err.splitlines())) == ('', 1)
        assert text.last_success(str(path)) == last
        found = path.read_text()
        assert '\nnova_xen_metrics_success 0.0\n' in found
        assert 'nova_xen_hosts' not in found


@pytest.mark.parametrize('error', [None, errors.Failure('Away.')])
def test_a_file_that_cannot_be_written_is_one_line(
    collected, tmp_path, capsys, error
):
    collected[0] = error or collected[0]
    path = tmp_path / 'nosuch' / 'x.prom'
    assert app.main(['metrics', '--textfile', str(path)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1] == "%s can't be written: No such file or directory." % (
        path
    )
    assert len(lines) == 1 + bool(error)


def test_ctrl_c_is_no_failed_collection(collected, tmp_path):
    collected[0] = KeyboardInterrupt()
    path = tmp_path / 'x.prom'
    assert app.main(['metrics', '--textfile', str(path)]) == 130
    assert not path.exists()
