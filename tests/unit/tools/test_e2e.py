# SPDX-License-Identifier: Apache-2.0

"""What make e2e judges by, without any service."""

from __future__ import annotations

import collections
import datetime
import os
import socket
import struct
import subprocess
import sys
import threading

import pytest

from tests.e2e import logs
from tests.e2e import proxy
from tests.e2e import report
from tests.e2e.soak import causes
from tests.e2e.soak import faults
from tests.e2e.soak import memory
from tests.e2e.soak import users

_PREFIX = '2026-11-23 12:00:00.000 12 ERROR nova.context [req-1 - - -] '


def _logged(*lines):
    return '\n'.join(_PREFIX + line for line in lines)


def test_a_traceback_with_a_frame_of_the_plugin_is_found():
    log = _logged(
        'Error gathering result: Boom',
        'Traceback (most recent call last):',
        '  File "/v/lib/nova/context.py", line 4, in gather',
        '    result = fn()',
        '  File "/v/lib/nova_xen_sched/request.py", line 9, in _read',
        '    raise Boom()',
        'Boom: bad',
        'Traceback (most recent call last):',
        '  File "/v/lib/nova/context.py", line 4, in gather',
        'Other: nova alone',
    )
    (found,) = logs.tracebacks(log)
    assert found.startswith('Traceback')
    assert found.endswith('Boom: bad')


def test_a_traceback_without_one_is_not_ours():
    log = _logged(
        'Traceback (most recent call last):',
        '  File "/v/lib/nova/context.py", line 4, in gather',
        'Other: nova_xen_sched is only mentioned',
    )
    assert logs.tracebacks(log) == []


_OF_NOVA = '  File "/v/lib/nova/virt/libvirt/guest.py", line 4, in launch'
_OF_US = '  File "/v/lib/nova_xen_sched/compute/guest.py", line 9, in migrate'


@pytest.mark.parametrize(
    'frames, said, ours',
    [
        # Through our spawn, from nova's own.
        ([_OF_US, _OF_NOVA], 'internal error: libxenlight failed', False),
        ([_OF_US, _OF_NOVA], "parameter 'x' not supported", False),
        # What we ask ourselves, rightly or not.
        ([_OF_NOVA, _OF_US], 'operation failed: migration', False),
        ([_OF_NOVA, _OF_US], "parameter 'x' not supported", True),
        ([_OF_NOVA, _OF_US], 'unsupported flags (0x80)', True),
    ],
)
def test_an_error_of_libvirt_that_passes_is_not_ours(frames, said, ours):
    log = _logged(
        'Traceback (most recent call last):',
        *frames,
        '  File "/usr/lib/python3/dist-packages/libvirt.py", line 1, in x',
        'libvirt.libvirtError: ' + said,
    )
    assert bool(logs.tracebacks(log)) == ours


def test_a_request_that_nova_s_own_code_lost():
    of_nova = _logged(
        'Exception during message handling [req-1]',
        'Traceback (most recent call last):',
        '  File "/v/lib/nova/report.py", line 4, in candidates',
        'JSONDecodeError: nothing',
    )
    assert logs.lost_in_nova(of_nova, 'req-1', 'candidates')
    assert not logs.lost_in_nova(of_nova, 'req-2', 'candidates')
    assert not logs.lost_in_nova(of_nova, 'req-1', 'candidate')
    of_ours = of_nova.replace(
        'JSONDecodeError', '  File "/v/nova_xen_sched/a.py", line 1\nJSON'
    )
    assert not logs.lost_in_nova(of_ours, 'req-1', 'candidates')


def test_an_unprefixed_traceback_is_found():
    log = (
        'Traceback (most recent call last):\n'
        '  File "/v/lib/nova_xen_sched/filters.py", line 9, in f\n'
        'Boom\n'
    )
    assert len(logs.tracebacks(log)) == 1


def _packet(sql):
    body = b'\x03' + sql
    return len(body).to_bytes(3, 'little') + b'\x00' + body


def _sign_in(client, pid):
    body = b'...\x04_pid' + bytes([len(pid)]) + pid + b'\x0fx'
    packet = len(body).to_bytes(3, 'little') + b'\x01' + body
    client.sendall(packet)
    assert client.recv(4096) == packet


@pytest.fixture
def proxied():
    """A proxy before a server that sends back what it gets."""
    server = socket.create_server(('127.0.0.1', 0))

    def echo():
        connection, _ = server.accept()
        while True:
            data = connection.recv(65536)
            if not data:
                return
            connection.sendall(data)

    threading.Thread(target=echo, daemon=True).start()
    with socket.create_server(('127.0.0.1', 0)) as free:
        port = free.getsockname()[1]
    between = proxy.Proxy(
        port, server.getsockname()[1], lambda pid: pid == 123
    )
    between.start()
    client = socket.create_connection(('127.0.0.1', port))
    client.settimeout(30)
    _sign_in(client, b'123')
    yield between, client
    client.close()
    server.close()


_READ = _packet(b"SELECT x FROM instances WHERE instances.uuid = 'u'")
_OTHER = _packet(b'SELECT 1')


def test_the_proxy_lets_all_pass_by_default(proxied):
    between, client = proxied
    client.sendall(_READ)
    assert client.recv(4096) == _READ
    assert between.met == 0


def test_the_proxy_fails_the_read_of_an_instance_alone(proxied):
    between, client = proxied
    with between.doing(proxy.FAIL):
        client.sendall(_READ)
        answer = client.recv(4096)
        assert answer[3:5] == b'\x01\xff'
        assert struct.unpack('<H', answer[5:7]) == (1205,)
        client.sendall(_OTHER)
        assert client.recv(4096) == _OTHER
    assert between.met == 1


def test_the_proxy_lets_other_processes_read(proxied):
    between, client = proxied
    between._concerns = lambda pid: pid == 124
    with between.doing(proxy.FAIL):
        client.sendall(_READ)
        assert client.recv(4096) == _READ
    assert between.met == 0


def test_the_proxy_stalls_it_until_the_end(proxied):
    between, client = proxied
    with between.doing(proxy.STALL):
        client.sendall(_READ)
        client.settimeout(0.2)
        with pytest.raises(socket.timeout):
            client.recv(4096)
        client.settimeout(30)
    assert client.recv(4096) == _READ
    assert between.met == 1


def test_a_failed_step_fails_the_run_and_the_next_is_still_done(capsys):
    told = report.Report()
    with told.step('the first') as step:
        step.check(False, 'it did not')
    with told.step('the second') as step:
        step.says('fine', 'a line')
    told.table()
    assert told.end('logs') == 1
    printed = capsys.readouterr().out
    assert 'FAILED: it did not' in printed
    assert '| a line' in printed
    assert '1 of 2 as expected' in printed


class _Requests:
    """A cell's database, in which a server has two requests."""

    @property
    def database(self):
        return self

    def execute(self, statement, *values):
        assert values == ('uuid',)
        return [('req-1',), ('req-0',)]


_TIMEOUT = _logged(
    'Failed to schedule',
    'Traceback (most recent call last):',
    '  File "/v/lib/oslo_messaging/rpc/client.py", line 4, in call',
    'oslo_messaging.exceptions.MessagingTimeout: Timed out',
)
_CAUSED = (
    _logged(
        'Failed to schedule',
        'Traceback (most recent call last):',
        '  File "/v/lib/queue.py", line 4, in get',
        '_queue.Empty',
        '',
        'During handling of the above exception, another exception occurred:',
        '',
    )
    + '\n'
    + _TIMEOUT.partition('\n')[2]
)
#: Two workers write to one log.
_MIXED = '\n'.join(
    each
    for line in _TIMEOUT.split('\n')
    for each in (line, '2026-11-23 12:00:00.001 13 INFO nova.context [-] hi')
)
_AT = datetime.datetime(2026, 11, 23, 12)  # noqa: DTZ001  as in logs
_RESTART = faults.Restart(
    'RabbitMQ restarted',
    _AT - datetime.timedelta(seconds=30),
    _AT - datetime.timedelta(seconds=10),
)
_AS_IT_RESTARTED = 'MessagingTimeout in nova-conductor (RabbitMQ restarted)'
_NO_HOST = _TIMEOUT.replace(
    'oslo_messaging.exceptions.MessagingTimeout: Timed out',
    'nova.exception_Remote.NoValidHost_Remote: No valid host was found.',
)
_IN_OURS = _TIMEOUT.replace('/oslo_messaging/rpc', '/nova_xen_sched')


@pytest.mark.parametrize(
    'written, cause',
    [
        ({'nova-conductor': _TIMEOUT}, _AS_IT_RESTARTED),
        ({'nova-conductor': _CAUSED}, _AS_IT_RESTARTED),
        ({'nova-conductor': _MIXED}, _AS_IT_RESTARTED),
        (
            {
                'nova-conductor': _NO_HOST,
                'nova-scheduler': _PREFIX.replace('ERROR', 'WARNING')
                + 'Placement API service is not responding.',
            },
            'Placement API service is not responding. in nova-scheduler',
        ),
        # The nearest service says it.
        (
            {
                'nova-compute': _TIMEOUT.replace('MessagingTimeout', 'Boom'),
                'nova-conductor': _TIMEOUT,
            },
            'Boom in nova-compute',
        ),
        ({'nova-scheduler': _IN_OURS}, 'nova-xen-sched: MessagingTimeout'),
        (
            {
                'nova-scheduler': _PREFIX
                + 'XenHostFilter: 0 of 9 hosts left for instance uuid: '
                'vm_mode=9'
            },
            'nova-xen-sched: XenHostFilter refused all in nova-scheduler',
        ),
        (
            {
                'nova-scheduler': _PREFIX
                + 'XenHostFilter: 3 of 9 hosts left for instance uuid\n'
                + _PREFIX
                + 'Filter ComputeFilter returned 0 hosts'
            },
            'no host left by ComputeFilter in nova-scheduler',
        ),
        ({'nova-conductor': _TIMEOUT.replace('req-1', 'req-2')}, 'unknown'),
        ({}, 'unknown'),
    ],
)
def test_a_server_in_error_is_traced(written, cause):
    server = causes.Server('nova', 'uuid')
    assert causes.of(_Requests(), written, server, [_RESTART]) == cause


_HANGS = causes.Server('nova', 'uuid', 'spawning')


@pytest.mark.parametrize(
    'seconds, cause',
    [
        # Since it ended: a minute is waited for an answer.
        (-20, 'MessagingTimeout in nova-conductor (RabbitMQ restarted)'),
        (0, 'MessagingTimeout in nova-conductor (RabbitMQ restarted)'),
        (85, 'MessagingTimeout in nova-conductor (RabbitMQ restarted)'),
        # A scheduler that hangs, perhaps.
        (95, 'unknown: MessagingTimeout in nova-conductor'),
        (-35, 'unknown: MessagingTimeout in nova-conductor'),
    ],
)
def test_a_timeout_is_a_cause_where_something_was_restarted(seconds, cause):
    ended = _AT - datetime.timedelta(seconds=seconds)
    restart = faults.Restart(
        'RabbitMQ restarted', ended - datetime.timedelta(seconds=30), ended
    )
    server = causes.Server('nova', 'uuid')
    written = {'nova-conductor': _TIMEOUT}
    found = causes.of(_Requests(), written, server, [restart])
    assert found == cause


def test_a_server_that_hangs_is_traced():
    said = _PREFIX.replace('ERROR', 'INFO') + 'Boots it'
    written = {'nova-conductor': said, 'nova': ''}
    found = causes.of(_Requests(), written, _HANGS, [_RESTART])
    assert found == 'hangs in spawning: RabbitMQ restarted'
    # Such a message is lost after it was logged, too.
    later = _RESTART._replace(
        began=_AT + datetime.timedelta(seconds=50),
        ended=_AT + datetime.timedelta(seconds=70),
    )
    found = causes.of(_Requests(), written, _HANGS, [later])
    assert found == 'hangs in spawning: RabbitMQ restarted'
    assert causes.of(_Requests(), written, _HANGS) == 'unknown'
    # One in ERROR is not traced so.
    server = _HANGS._replace(task=None)
    assert causes.of(_Requests(), written, server, [later]) == 'unknown'
    found = causes.of(_Requests(), {'nova-scheduler': _IN_OURS}, _HANGS)
    assert found == 'nova-xen-sched: MessagingTimeout'


class _API:
    def __init__(self, status, task):
        self.found = {'status': status, 'OS-EXT-STS:task_state': task}
        self.deleted = []

    def server(self, server_id):
        return self.found

    def ask(self, method, path):
        self.deleted.append((method, path))


@pytest.mark.parametrize(
    'status, task, kept',
    [
        ('ERROR', None, True),
        ('BUILD', 'spawning', True),
        ('ACTIVE', 'deleting', True),
        ('ACTIVE', None, False),
    ],
)
def test_a_user_leaves_what_is_to_be_traced(status, task, kept):
    api = _API(status, task)
    assert users._leave(api, 'x')
    assert api.deleted == ([] if kept else [('DELETE', '/servers/x')])


def _samples(pid, begin, end, kib=1024.0):
    return {pid: [(float(at), kib) for at in range(begin, end)]}


def test_memory_is_judged_of_workers_that_lived_long_enough():
    lived = {**_samples(1, 20, 90), **_samples(2, 0, 90)}
    assert memory.thirds(lived, 90, 2) == (1.0, 1.0)
    # Killed, or started, within the two thirds.
    for dead in (_samples(2, 0, 70), _samples(2, 40, 90)):
        assert memory.thirds({**lived, **dead}, 90, 2) is None
    assert memory.thirds(_samples(1, 0, 90), 90, 2) is None
    assert memory.thirds({}, 90, 2) is None
    # Others beside them don't count.
    dead = {3: [(0.0, 1e9)], 4: [(70.0, 1e9)]}
    assert memory.thirds({**lived, **dead}, 90, 2) == (1.0, 1.0)


def test_the_memory_of_a_process_s_children_is_read():
    child = subprocess.Popen(
        [sys.executable, '-c', 'input()'], stdin=subprocess.PIPE
    )
    try:
        assert dict(memory._workers_kib(os.getpid()))[child.pid] > 0
        assert not dict(memory._workers_kib(child.pid))
    finally:
        child.communicate(b'')


def test_memory_that_grows_is_found():
    grown = {
        pid: [(float(at), 1024.0 * (1 + (at >= 60))) for at in range(90)]
        for pid in (1, 2)
    }
    second, last = memory.thirds(grown, 90, 2)
    assert (second, last) == (1.0, 2.0)
    assert abs(last / second - 1) > memory.MOST


class _Clock:
    """Time that passes when one waits; each fault takes three seconds."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now

    def wait(self, seconds):
        self.now += seconds
        return False


@pytest.mark.parametrize('minutes', [3, 6, 30])
def test_workers_live_through_the_second_and_the_last_third(
    monkeypatch, minutes
):
    broken, times = _broken(monkeypatch)
    broken._do(broken._restarts, minutes * 60)
    for name in ('options reloaded', 'nova-scheduler killed -9'):
        assert times[name]
        # A start takes some seconds.
        assert max(times[name]) < minutes * 20 - 14
    assert max(times['RabbitMQ restarted']) > minutes * 20
    assert broken.not_restarted == []
    assert len(broken.restarts) == sum(broken.counts.values())


def test_what_is_not_back_is_no_silence(monkeypatch):
    broken, _ = _broken(monkeypatch, 'waited 180 s for the start')
    broken._do(broken._restarts, 180)
    assert broken.counts == {}
    failed = 'nova-scheduler killed -9: waited 180 s for the start'
    assert failed in broken.not_restarted
    # What changes things may fail while nova's API is not there.
    broken.not_restarted.clear()
    broken._do(broken._changes, 180)
    assert broken.not_restarted == []
    assert broken.failed[-1].endswith('waited 180 s for the start')


def _broken(monkeypatch, failure=None):
    """Faults that do nothing, but fail if they are told to."""
    broken, clock = faults.Faults(None, 1), _Clock()
    times = collections.defaultdict(list)

    def planned(each):
        def fault():
            if failure:
                raise Exception(failure)
            times[each.name].append(clock.now)
            clock.now += 3

        return each._replace(fault=fault)

    monkeypatch.setattr(faults, 'time', clock)
    broken._over = clock
    clock.is_set = lambda: False
    broken._restarts = tuple(map(planned, broken._restarts))
    broken._changes = tuple(map(planned, broken._changes))
    return broken, times
