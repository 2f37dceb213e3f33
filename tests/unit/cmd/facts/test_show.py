# SPDX-License-Identifier: Apache-2.0

"""facts show: what is printed, and the exit code.

libvirt is not at hand here: captured hosts stand in for what asking them
gives. tests/libvirt asks a real libvirt.
"""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys

import pytest
import yaml

from nova_xen_sched.cmd import application
from nova_xen_sched.cmd import plain
from nova_xen_sched.xenhost import read_many
from nova_xen_sched.xenhost import reader
from tests.unit import builders
from tests.unit.cmd import schemas
from tests.unit.xenhost import captured


@pytest.fixture
def hosts(monkeypatch, tmp_path):
    """URI -> the capture that answers there, or an error's text."""
    known = {}

    def answer(uri):
        found = known[uri]
        if found not in captured.ALL:
            return read_many.Result(uri, error=found)
        machine = captured.Dom0(found, tmp_path / str(len(known)))
        connection = captured.Connection(found, uri)
        return read_many.Result(uri, reader.read(connection, local=machine))

    def ask_all(uris, timeout, step=None):
        return [answer(uri) for uri in uris]

    monkeypatch.setattr(read_many, 'read', ask_all)
    monkeypatch.setattr(read_many, 'installed', lambda: True)
    # No nova.conf of this machine.
    monkeypatch.setenv('HOME', str(tmp_path))
    return known


@pytest.fixture
def run(monkeypatch):
    def run_it(*arguments):
        out, err = io.StringIO(), io.StringIO()
        code = application.App(stdout=out, stderr=err).run(
            ['--config-file', '/dev/null', *arguments]
        )
        return code, out.getvalue(), err.getvalue()

    return run_it


GOLDEN = builders.CAPTURES.parent / 'golden'
HERE = 'xen:///system'
A, B, C = 'xen+ssh://a/system', 'xen+ssh://b/system', 'xen+ssh://c/system'


def test_one_host_upright_with_all_there_is(hosts, run):
    hosts[HERE] = 'xen-4.14-hvm-6-guests'
    code, out, err = run('facts', 'show')
    assert code == 0
    cells = {tuple(line.split(None, 1)) for line in out.splitlines()}
    for cell in (
        ('host', 'xenhost1.example.org'),
        ('libvirt_version', '7.0.0'),
        ('xen_version', '4.14.6'),
        (
            'guest_types',
            'PV (x86_64), HVM (i686, x86_64), PVH (i686, x86_64)',
        ),
        ('live_migration', 'yes'),
        ('dom0_sizing', 'fixed'),
        ('dom0_pinned', 'yes'),
        ('hvm_guests', '1'),
        ('device_models', 'hvm: 1 of 42.1 MiB, 17.1 its own'),
        ('device_models', 'pv: 3 of 32.5 MiB, 8.5 its own'),
        ('qemu_driver', 'unknown'),
    ):
        assert cell in cells
    assert err == ''


@pytest.mark.parametrize(
    'options', [(), ('--long',), ('--sort-column', 'host')]
)
@pytest.mark.parametrize(
    'formatter', ['plain', 'table', 'json', 'yaml', 'csv', 'value']
)
def test_one_host_in_each_format(hosts, run, formatter, options):
    hosts[HERE] = 'xen-4.14-hvm-6-guests'
    code, out, err = run('facts', 'show', '-f', formatter, *options)
    assert (code, err) == (0, '')
    for text in ('xenhost1.example.org', '4.14.6', '1 of 42.1 MiB'):
        assert formatter in ('json', 'yaml') or text in out


def test_findings_stand_under_the_table_with_their_remedies(hosts, run):
    hosts[HERE] = 'xen-4.14-dom0-ballooned'
    code, out, _ = run('facts', 'show')
    assert code == 1
    told = ' '.join(out.split())
    assert 'dom0_balloons (required): ' in told
    assert 'Remedy: add dom0_mem=1024M,max:1024M (enough for 5 guests' in told
    # Asked for single columns, a person wants these alone.
    _, out, _ = run('facts', 'show', '-c', 'host')
    assert 'Remedy' not in out


def test_several_hosts_one_of_which_does_not_answer(hosts, run):
    hosts.update({A: 'xen-4.17-hvm', B: 'no answer within 30 s'})
    code, out, err = run('facts', 'show', '--connect', A, '--connect', B)
    assert code == 1
    assert 'xenhost3.example.org' in out and '9.0.0' in out
    assert err == (
        'b (xen+ssh://b/system) did not answer: no answer within 30 s.\n'
    )


def test_no_host_answers(hosts, run):
    hosts.update({A: 'refused', B: 'no route'})
    code, out, err = run('facts', 'show', '--connect', A, '--connect', B)
    assert (code, out) == (2, '')
    assert len(err.splitlines()) == 2
    code, out, _ = run('facts', 'show', '--connect', A, '-f', 'json')
    assert code == 2 and json.loads(out)[0]['error'] == 'refused'


COLUMNS = [
    *('host', 'uri', 'hostname', 'hypervisor', 'libvirt_version'),
    *('xen_version', 'guest_types', 'live_migration', 'memory_mb'),
    *('free_memory_mb', 'cpus', 'dom0_memory_mb', 'dom0_maximum_mb'),
    *('dom0_sizing', 'dom0_vcpus', 'dom0_pinned', 'dom0_total_mb'),
    *('dom0_available_mb', 'guests', 'hvm_guests', 'pv_guests'),
    *('pvh_guests', 'unknown_guests', 'guests_memory_mb', 'guests_vcpus'),
    *('device_models', 'qemu_driver', 'findings', 'problems', 'error'),
]


def test_what_machines_read(hosts, run):
    hosts.update({HERE: 'xen-4.14-dom0-ballooned', B: 'refused'})
    connect = ('--connect', HERE, '--connect', B)
    code, out, _ = run('facts', 'show', *connect, '-f', 'json')
    found = json.loads(out)
    assert code == 1
    schemas.check('facts-show', found)
    assert [list(each) for each in found] == [COLUMNS, COLUMNS]
    assert found[0]['guest_types'][0] == ['x86_64', 'xen', 'xen']
    assert found[0]['dom0_pinned'] is False
    assert found[0]['device_models'][1] == {
        'mode': 'pv',
        'count': 1,
        'resident_mb': 32.3,
        'anonymous_mb': None,
    }
    assert set(found[0]['findings'][0]) == {'code', 'level', 'text', 'remedy'}
    assert found[1]['error'] == 'refused' and found[1]['host'] == 'b'
    _, out, _ = run('facts', 'show', *connect, '-f', 'yaml')
    assert yaml.safe_load(out) == found
    _, out, _ = run('facts', 'show', *connect, '-f', 'csv')
    rows = list(csv.DictReader(io.StringIO(out)))
    assert list(rows[0]) == COLUMNS
    assert rows[0]['dom0_pinned'] == 'no'
    assert rows[1]['error'] == 'refused' and rows[1]['guests'] == ''


def test_every_column_is_in_the_help(run):
    code, out, _ = run('facts', 'show', '--help')
    assert code == 0
    for column in COLUMNS:
        assert column in out


@pytest.mark.parametrize('name', sorted(captured.ALL))
def test_the_schema_fits_each_host(hosts, run, name):
    hosts[HERE] = name
    _, out, _ = run('facts', 'show', '-f', 'json')
    schemas.check('facts-show', json.loads(out))


@pytest.mark.parametrize('width', [80, 120, 200])
def test_long_names_fit_a_terminal(hosts, run, monkeypatch, width):
    hosts.update({A: 'xen-4.17-hvm', B: 'xen-4.14-dom0-ballooned'})
    monkeypatch.setattr(plain, 'terminal', lambda stream: (width, False))
    names = [
        'compute-%d.%s.example.org' % (n, 'rack-' * 8 + 'a') for n in (1, 2)
    ]
    assert [len(name) for name in names] == [63, 63]
    options = [word for name in names for word in ('--nova-host', name)]
    _, out, _ = run(
        *('facts', 'show', '--connect', A, '--connect', B, *options)
    )
    page = GOLDEN / ('facts-show-%d.txt' % width)
    if os.environ.get('UPDATE_GOLDEN'):
        page.write_text(out)
    assert out == page.read_text()
    assert max(map(len, out.splitlines())) <= width


# Whom it is called


@pytest.mark.parametrize(
    'arguments, text, name',
    [
        ((), '[DEFAULT]\nhost = xen-a1\n', 'xen-a1'),
        (('--nova-host', 'other'), '[DEFAULT]\nhost = xen-a1\n', 'other'),
        ((), None, 'xenhost3.example.org'),
    ],
)
def test_the_name_of_this_host(hosts, run, tmp_path, arguments, text, name):
    hosts[HERE] = 'xen-4.17-hvm'
    conf = '/dev/null'
    if text is not None:
        conf = str(tmp_path / 'nova.conf')
        with open(conf, 'w') as f:
            f.write(text)
    _, out, _ = run(
        *('--config-file', conf, 'facts', 'show', '-f', 'json', *arguments)
    )
    assert json.loads(out)[0]['host'] == name


def test_nova_conf_is_of_this_host_only(hosts, run, tmp_path):
    hosts.update({HERE: 'xen-4.17-hvm', A: 'xen-4.14-hvm'})
    conf = tmp_path / 'nova.conf'
    conf.write_text('[libvirt]\nvirt_type = kvm\n')
    _, out, _ = run(
        *('--config-file', str(conf), 'facts', 'show', '-f', 'json'),
        *('--connect', HERE, '--connect', A),
    )
    codes = [
        {finding['code'] for finding in each['findings']}
        for each in json.loads(out)
    ]
    assert codes == [{'compute_driver', 'virt_type', 'dom0_not_pinned'}, set()]


# Usage


@pytest.mark.parametrize(
    'arguments, said',
    [
        (
            ('--connect', A, '--nova-host', 'a', '--nova-host', 'b'),
            '--nova-host was given 2 times for 1 host. ',
        ),
        (('--timeout', '0'), "above 0 and up to 86400: '0'"),
        (('--timeout', 'nan'), 'not a number of seconds above 0'),
        (('--timeout', '1e9'), "up to 86400: '1e9'"),
        (('--timeout', 'soon'), "above 0 and up to 86400: 'soon'"),
    ],
)
def test_wrong_usage(run, hosts, arguments, said, capsys):
    hosts[A] = 'xen-4.17-hvm'
    try:
        code, _, err = run('facts', 'show', *arguments)
    except SystemExit as e:
        code, err = e.code, ''
    assert code == 2
    assert said in err + capsys.readouterr().err


def test_a_nova_conf_that_cant_be_read_is_named(run, hosts, tmp_path):
    missing = str(tmp_path / 'none.conf')
    code, _, err = run('--config-file', missing, 'facts', 'show')
    assert code == 2
    assert 'none.conf' in err and '--config-file' in err
    assert len(err.splitlines()) == 1


def test_a_nova_conf_of_no_matter_may_be_unreadable(
    run, hosts, monkeypatch, tmp_path
):
    # Found by itself, and only another host is asked.
    (tmp_path / '.nova').mkdir()
    (tmp_path / '.nova' / 'nova.conf').write_text('[DEFAULT\n')
    hosts.update({A: 'xen-4.14-hvm', HERE: 'xen-4.14-hvm'})
    parsed = application.App(stdout=io.StringIO(), stderr=io.StringIO())
    assert parsed.run(['facts', 'show', '--connect', A]) == 0
    assert parsed.run(['facts', 'show']) == 2


def test_publish_needs_no_nova_conf_either_then(
    run, hosts, monkeypatch, tmp_path
):
    (tmp_path / '.nova').mkdir()
    (tmp_path / '.nova' / 'nova.conf').write_text('[DEFAULT\n')
    hosts.update({A: 'no route', HERE: 'no route'})
    err = io.StringIO()
    parsed = application.App(stdout=io.StringIO(), stderr=err)
    assert parsed.run(['facts', 'publish', '--connect', A]) == 2
    # It got as far as asking.
    assert 'No host answered' in err.getvalue()
    assert parsed.run(['facts', 'publish']) == 2
    assert "nova's configuration is wrong" in err.getvalue()


def test_without_libvirts_binding_it_says_how_to_install_it(run, monkeypatch):
    monkeypatch.setattr(read_many, 'installed', lambda: False)
    code, _, err = run('facts', 'show')
    assert code == 2
    assert 'python3-libvirt' in err and 'nova-xen-sched[libvirt]' in err
    assert len(err.splitlines()) == 1


# Without nova

_WITHOUT_NOVA = """
import sys
# Importing these fails, as where they are not installed.
for name in ('nova', 'openstack', 'keystoneauth1'):
    sys.modules[name] = None
from nova_xen_sched.cmd import application
from nova_xen_sched.cmd import plain
sys.exit(application.run(sys.argv[1:]))
"""


def without_nova(*arguments):
    return subprocess.run(
        [sys.executable, '-c', _WITHOUT_NOVA, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.once
@pytest.mark.parametrize('command', ['show', 'export'])
def test_no_nova_is_needed(command):
    done = without_nova(
        *('--config-file', '/dev/null', 'facts', command),
        *('--connect', 'xen+tcp://127.0.0.1:1/system'),
    )
    assert done.returncode == 2
    # As far as it gets here, with libvirt's binding or without.
    assert (
        'did not answer' in done.stderr
        or "libvirt's Python binding" in done.stderr
    ), done.stderr


@pytest.mark.once
@pytest.mark.parametrize(
    'arguments', [('facts', 'publish'), ('image', 'check')]
)
def test_without_openstacksdk_it_says_how_to_install_it(arguments):
    done = without_nova(*arguments)
    assert done.returncode == 2
    assert 'pip install openstacksdk' in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.once
def test_help_names_all_commands_wherever_it_runs():
    told = without_nova('help').stdout
    for command in (
        *('capacity', 'explain', 'host list', 'host show', 'image check'),
        *('facts export', 'facts publish', 'facts show'),
        *('drain', 'metrics', 'rebalance'),
    ):
        assert '  %s ' % command in told
