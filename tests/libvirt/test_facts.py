# SPDX-License-Identifier: Apache-2.0

"""The facts commands with a real libvirt, in an environment without nova.

libvirt's own test driver stands for a host that answers, in this process's
libvirt and behind a real libvirtd; frozen, that libvirtd is a host that
hangs.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

import libvirt
import pytest

from nova_xen_sched.xenhost import child
from nova_xen_sched.xenhost import reader
from tests.libvirt import daemon

HERE = 'test:///default'
#: Seconds; a host that hangs costs these.
SHORT = 3


@pytest.fixture
def folder():
    # pytest's own is too long for the path of a socket.
    with tempfile.TemporaryDirectory(prefix='xen') as path:
        yield pathlib.Path(path)


@pytest.fixture
def libvirtd(folder):
    with contextlib.ExitStack() as stack:

        def start(**arguments):
            found = daemon.Libvirtd(folder, **arguments)
            stack.callback(found.end)
            return found

        yield start


@pytest.fixture
def server():
    with contextlib.ExitStack() as stack:

        def start(words):
            found = daemon.Server(words)
            stack.callback(found.end)
            return found

        yield start


def facts(*arguments, command='show', timeout=60):
    """Run the installed command; (exit code, JSON or text, stderr)."""
    done = subprocess.run(
        [
            os.path.join(os.path.dirname(sys.executable), 'nova-xen-sched'),
            *('--config-file', '/dev/null', 'facts', command),
            *('--timeout', str(timeout)),
            *arguments,
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    out = json.loads(done.stdout) if 'json' in arguments else done.stdout
    return done.returncode, out, done.stderr


def show(*uris, **arguments):
    connect = [word for uri in uris for word in ('--connect', uri)]
    return facts('-f', 'json', *connect, **arguments)


def test_there_is_no_nova_here():
    for name in ('nova', 'openstack'):
        assert importlib.util.find_spec(name) is None


def test_what_the_reader_says_is_what_libvirt_says():
    connection = libvirt.openReadOnly(HERE)
    found = reader.read(connection, HERE)
    assert found.hypervisor == connection.getType() == 'TEST'
    assert found.hostname == connection.getHostname()
    number = connection.getLibVersion()
    assert found.libvirt_version == '%d.%d.%d' % (
        number // 1000000,
        number // 1000 % 1000,
        number % 1000,
    )
    info = connection.getInfo()
    assert (found.memory_mb, found.cpus) == (info[1], info[2])
    types = reader.guest_types(connection.getCapabilities())
    assert found.guest_types == tuple(types)
    assert found.guests.count == len(connection.listDomainsID()) == 1
    domain = connection.lookupByID(1)
    assert found.guests.memory_mb == domain.info()[2] // 1024
    assert found.guests.vcpus == domain.info()[3]
    # Another driver's: nothing of a dom0, nor of Xen.
    assert found.dom0 is None and found.xen_version is None
    assert found.problems == {}


def test_a_guest_that_is_shut_off_has_a_name_and_does_not_run():
    connection = libvirt.open(HERE)
    domain = connection.defineXML(
        "<domain type='test'><name>off</name><memory>1024</memory>"
        '<os><type>hvm</type></os></domain>'
    )
    try:
        found = reader.read(connection, HERE)
        assert found.guest_names == ('off', 'test')
        assert found.guests.count == 1
        domain.create()
        assert reader.read(connection, HERE).guests.count == 2
        domain.destroy()
    finally:
        domain.undefine()
    assert reader.read(connection, HERE).guest_names == ('test',)


def test_a_connection_that_broke_raises_nothing():
    connection = libvirt.openReadOnly(HERE)
    connection.close()
    found = reader.read(connection, HERE)
    assert found.hypervisor is None and found.guests is None
    assert len(found.problems) > 5


def test_a_driver_that_is_not_there_is_told_from_one_that_cant_be_asked(
    libvirtd,
):
    # This libvirtd has none, so none of QEMU's.
    started = libvirtd()
    uri = 'xen+tcp://127.0.0.1:%d/system' % started.port
    assert child._qemu(libvirt, uri) is False
    assert child._qemu(libvirt, 'xen+unix:///system?socket=/no/such') is False
    assert child._qemu(libvirt, 'xen+tcp://127.0.0.1:1/system') is None
    # Of the test driver the URI is not rewritten: one that is there.
    assert child._qemu(libvirt, HERE) is True


def test_show():
    code, (found,), err = show(HERE)
    # It is not Xen, which is a finding.
    assert (code, err) == (1, '')
    assert found['hypervisor'] == 'TEST'
    assert [each['code'] for each in found['findings']] == ['not_xen']
    code, out, _ = facts('--connect', HERE)
    assert code == 1 and 'not_xen' in out
    assert re.search('hypervisor +TEST', out, re.IGNORECASE)


def test_a_host_without_xen_has_no_facts_to_export(tmp_path):
    path = tmp_path / 'facts.yaml'
    code, out, err = facts(
        *('--connect', HERE, '--file', str(path)), command='export'
    )
    assert (code, out) == (2, '')
    assert "libvirt's driver here is TEST" in err
    assert not path.exists()


def test_through_a_libvirtd(libvirtd):
    started = libvirtd()
    uris = (
        'test+tcp://127.0.0.1:%d/default' % started.port,
        'test+unix:///default?socket=%s' % started.socket,
    )
    code, found, err = show(*uris)
    assert (code, err) == (1, '')
    assert [each['hypervisor'] for each in found] == ['TEST', 'TEST']
    # A libvirtd without the driver, as one without Xen is.
    code, (found,), _ = show('xen+tcp://127.0.0.1:%d/system' % started.port)
    assert code == 2 and 'no connection driver' in found['error']


def test_a_libvirtd_that_wants_a_password(libvirtd):
    started = libvirtd(auth='sasl')
    uri = 'test+tcp://127.0.0.1:%d/default' % started.port
    code, found, err = show(uri, HERE)
    assert code == 1
    assert re.search('auth|SASL|mechanism', found[0]['error'], re.IGNORECASE)
    assert found[1]['error'] is None
    assert err.startswith('127.0.0.1 (%s) did not answer: ' % uri)


@pytest.mark.skipif(os.geteuid() != 0, reason='only root can become another')
def test_a_user_without_rights(libvirtd, folder):
    started = libvirtd()
    os.chmod(str(folder), 0o755)
    os.chmod(str(started.socket), 0o700)
    uri = 'test+unix:///default?socket=%s' % started.socket
    # What the child does, as nobody.
    done = subprocess.run(
        [
            *(sys.executable, '-c'),
            'import os, sys, libvirt; '
            'from nova_xen_sched.xenhost import child; '
            'os.setgroups([]); os.setgid(65534); os.setuid(65534); '
            'sys.exit(child.main(sys.argv[1:]))',
            uri,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert 'Permission denied' in json.loads(done.stdout)['error']


def test_a_libvirtd_that_hangs_is_named_and_the_rest_go_on(libvirtd):
    started = libvirtd()
    started.freeze()
    uri = 'test+tcp://127.0.0.1:%d/default' % started.port
    # More than are asked at once, so that the last waits for the first.
    code, found, err = show(*[uri] * 17, HERE, timeout=SHORT)
    assert code == 1
    assert [each['error'] for each in found[:-1]] == [
        'no answer within %d s' % SHORT
    ] * 17
    assert found[-1]['error'] is None
    assert len(err.splitlines()) == 17
    assert _asking() == []


@pytest.mark.parametrize(
    'words, said',
    [
        (None, 'no answer within'),
        (b'', 'End of file|reset by peer|Broken pipe'),
        (b'HTTP/1.1 400 Bad Request\r\n\r\n' * 9, 'packet|length|too'),
        (b'\0\0\0\x1c' + b'\xff' * 24, 'packet|program|unknown|got|no answer'),
        (b'\0\0\0\x02xx', 'packet|length|too'),
    ],
    ids=['silent', 'hangs-up', 'http', 'garbage', 'short'],
)
def test_a_server_that_is_no_libvirtd(server, words, said):
    uri = 'xen+tcp://127.0.0.1:%d/system' % server(words).port
    code, found, _ = show(uri, HERE, timeout=SHORT * 2)
    assert code == 1
    assert re.search(said, found[0]['error'])
    assert found[1]['error'] is None
    assert _asking() == []


@pytest.mark.parametrize(
    'uri, said',
    [
        ('xen+tcp://127.0.0.1:1/system', 'refused'),
        ('xen+ssh://127.0.0.1:1/system', 'refused|ssh|spawn'),
        ('xen+tcp://no-such-host.invalid/system', 'no-such-host'),
        ('xen+unix:///system?socket=/no/such', 'No such file'),
        ('nonsense', 'nonsense'),
        ('-x', 'driver'),
        ('xen+tcp://[::1/system', 'URI|parse'),
    ],
)
def test_hosts_that_cant_be_reached(uri, said):
    code, found, err = facts('-f', 'json', '--connect=' + uri)
    assert code == 2
    assert re.search(said, found[0]['error'])
    assert len(err.splitlines()) == 1
    assert 'Traceback' not in err


def test_an_ssh_that_hangs_is_ended_too(server, tmp_path, monkeypatch):
    # In place of ssh: what waits for a host for ever.
    ssh = tmp_path / 'ssh'
    ssh.write_text('#!/bin/sh\necho $$ > %s/pid\nexec sleep 600\n' % tmp_path)
    ssh.chmod(0o755)
    uri = 'xen+ssh://nobody@host.invalid/system?command=%s' % ssh
    code, (found,), _ = show(uri, timeout=SHORT)
    assert code == 2 and found['error'].startswith('no answer')
    pid = int((tmp_path / 'pid').read_text())
    deadline = time.monotonic() + 60
    while _runs(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(pid)


def test_ctrl_c_leaves_nothing_behind(server):
    uri = 'xen+tcp://127.0.0.1:%d/system' % server(None).port
    process = subprocess.Popen(
        [
            os.path.join(os.path.dirname(sys.executable), 'nova-xen-sched'),
            *('--config-file', '/dev/null', 'facts', 'show'),
            *('--connect', uri, '--timeout', '600'),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        # A shell has what it runs in the background ignore it.
        preexec_fn=lambda: signal.signal(  # noqa: PLW1509
            signal.SIGINT, signal.SIG_DFL
        ),
    )
    deadline = time.monotonic() + 60
    while not _asking() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _asking()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode != 0
    assert _asking() == []


def _runs(pid):
    """Whether a process runs; a zombie, which nobody has waited for, not."""
    with contextlib.suppress(OSError):
        text = pathlib.Path('/proc/%d/stat' % pid).read_text()
        return text.rpartition(')')[2].split()[0] != 'Z'
    return False


def _asking():
    """The processes that ask hosts, of all that run."""
    found = []
    for path in pathlib.Path('/proc').glob('[0-9]*/cmdline'):
        with contextlib.suppress(OSError):
            if b'nova_xen_sched.xenhost import child' in path.read_bytes():
                found.append(path.parent.name)
    return found
