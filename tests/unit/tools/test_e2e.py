# SPDX-License-Identifier: Apache-2.0

"""What make e2e judges by, without any service."""

from __future__ import annotations

import socket
import struct
import threading

import pytest

from tests.e2e import logs
from tests.e2e import proxy
from tests.e2e import report
from tests.e2e.soak import causes

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
_NO_HOST = _TIMEOUT.replace(
    'oslo_messaging.exceptions.MessagingTimeout: Timed out',
    'nova.exception_Remote.NoValidHost_Remote: No valid host was found.',
)
_IN_OURS = _TIMEOUT.replace('/oslo_messaging/rpc', '/nova_xen_sched')


@pytest.mark.parametrize(
    'written, cause',
    [
        ({'nova-conductor': _TIMEOUT}, 'MessagingTimeout in nova-conductor'),
        ({'nova-conductor': _CAUSED}, 'MessagingTimeout in nova-conductor'),
        ({'nova-conductor': _MIXED}, 'MessagingTimeout in nova-conductor'),
        (
            {
                'nova-conductor': _NO_HOST,
                'nova-scheduler': _PREFIX.replace('ERROR', 'WARNING')
                + 'Placement API service is not responding.',
            },
            'Placement API service is not responding. in nova-scheduler',
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
    assert causes.of(_Requests(), written, 'nova', 'uuid') == cause
