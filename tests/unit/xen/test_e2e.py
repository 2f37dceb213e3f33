# SPDX-License-Identifier: Apache-2.0

"""What make xen-e2e judges by, without any host."""

from __future__ import annotations

import datetime
import time
import types

import pytest

from tests.e2e.client import Client
from tests.e2e.processes import Failure
from tests.e2e.report import Report
from tests.e2e.report import Step
from tests.xen.e2e import blame
from tests.xen.e2e import boots
from tests.xen.e2e import guests
from tests.xen.e2e import libxl

#: As libvirt has libxl write them (libxl_logger.c), with the words of Xen
#: 4.14's source.
_AT = '2026-11-29 18:20:11.123+0000: libxl: '
GAVE_UP = [
    _AT + words
    for words in (
        'libxl_exec.c:403:spawn_timeout: domain 3 device model: startup '
        'timed out',
        'libxl_aoutils.c:539:async_exec_timeout: killing execution of '
        '/etc/xen/scripts/vif-bridge online because of timeout',
        'libxl_bootloader.c:634:bootloader_timeout: Domain 3:killing '
        'bootloader because of timeout',
        'libxl_create.c:1912:domcreate_console_available: xenconsoled: '
        'timed out',
        'libxl_dom_suspend.c:372:suspend_common_wait_guest_timeout: '
        'Domain 3:guest did not suspend, timed out',
        "libxl_pci.c:1816:pci_add_dm_done: Domain 3:Device Model didn't "
        'respond in time',
        'libxl_qmp.c:419:qmp_timeout: Domain 3:timeout',
        'libxl_dm.c:3318:device_model_postconfig_done: Domain 3:Post DM '
        'startup configs failed, rc=-9',
        'libxl_create.c:1833:domcreate_devmodel_started: Domain 3:device '
        'model did not start: -9',
    )
]
OTHERS = [
    _AT + words
    for words in (
        'libxl_dm.c:2981:device_model_spawn_outcome: Domain 3:domain 3 '
        'device model: spawn failed (rc=-3)',
        'libxl_device.c:1105:device_backend_callback: Domain 3:unable to '
        'add device with path /local/domain/0/backend/vif/3/0',
        'xc: error: panic: xc_dom_core.c:208: failed to open file',
    )
]


class Host:
    """A dom0, whose libxl writes."""

    def __init__(self, name):
        self.name = name
        self.log = list(OTHERS)

    def run(self, command):
        assert 'grep' in command and '/var/log/libvirt/libxl' in command
        return '\n'.join(self.log) + '\n'


@pytest.fixture
def pair():
    hosts = [Host('xen1'), Host('xen2')]
    return types.SimpleNamespace(all=hosts, told=0)


def now(line):
    """A line of libxl's, as it would be written now: each at another time."""
    time.sleep(0.002)
    at = datetime.datetime.now(datetime.timezone.utc)
    return line.replace(_AT[:23], at.isoformat(' ', 'milliseconds')[:23])


@pytest.mark.parametrize('line', GAVE_UP)
def test_libxl_gave_up(pair, line):
    pair.all[0].log += [line, *OTHERS]
    assert libxl.since(pair, 0) == {'xen1': [line]}


def test_other_errors_are_no_time_outs(pair):
    assert libxl.since(pair, 0) == {}


def tries(pair, *outcomes):
    """Does each in turn: a host's line and failure, or a value."""
    left = list(outcomes)

    def do():
        outcome = left.pop(0)
        if not isinstance(outcome, tuple):
            return outcome
        number, line = outcome
        if line:
            pair.all[number].log.append(now(line))
        raise Failure('no guest')

    return do


def test_what_works_is_done_once(pair):
    step, undone = Step('boot'), []
    # What libxl gave up before is no matter.
    pair.all[0].log.append(GAVE_UP[0])
    do = tries(pair, 'a server')
    assert libxl.repeated(step, pair, do, lambda: undone.append(1)) == (
        'a server'
    )
    assert not step.happened and not undone


def test_what_libxl_gave_up_is_done_again_and_told(pair):
    step, undone = Step('boot'), []
    do = tries(pair, (1, GAVE_UP[1]), 'a server')
    assert libxl.repeated(step, pair, do, lambda: undone.append(1)) == (
        'a server'
    )
    assert step.happened == 'done again, as libxl of xen2 gave up waiting'
    (line,) = step.lines
    assert line.startswith('xen2: ') and 'vif-bridge' in line
    assert undone == [1]
    assert not step.failed


def test_what_fails_otherwise_is_not_done_again(pair):
    pair.all[0].log.append(GAVE_UP[0])
    do = tries(pair, (0, ''), 'a server')
    with pytest.raises(Failure, match='no guest') as caught:
        libxl.repeated(Step('boot'), pair, do)
    assert not isinstance(caught.value, libxl.GaveUp)
    assert blame.whose(caught.value) == 'ours'


def test_libxl_that_always_gives_up(pair):
    step, undone = Step('boot'), []
    do = tries(pair, *[(0, GAVE_UP[0])] * libxl.TRIES, 'never')
    with pytest.raises(libxl.GaveUp, match=r'xen1 .* each of 3 tries') as e:
        libxl.repeated(step, pair, do, lambda: undone.append(1))
    assert len(undone) == libxl.TRIES - 1
    assert len(step.lines) == libxl.TRIES
    assert blame.whose(e.value) == "the machine's"


@pytest.fixture
def whose(pair):
    """What is said of a failure in a step that was begun now."""
    report = Report()
    report.since = time.time()
    return blame.of(pair, report)


def test_a_failure_in_whose_step_libxl_gave_up_is_the_machine_s(pair, whose):
    pair.all[1].log.append(GAVE_UP[0])
    failures = {
        'migrate: libxenlight failed': ("libxl's", "the machine's"),
        'waited 6 s for x': ("ours or the machine's", "the machine's"),
        'it is on xen1': ('ours', "ours or the machine's"),
        'migrate: ' + OURS: ('ours', 'ours'),
    }
    for said, (before, _) in failures.items():
        assert whose(Failure(said)) == before
    pair.all[1].log.append(now(GAVE_UP[0]))
    for said, (_, then) in failures.items():
        assert whose(Failure(said)) == then


def test_what_was_done_again_is_nobody_s_next_failure(pair, whose):
    do = tries(pair, (1, GAVE_UP[1]), 'a server')
    libxl.repeated(Step('boot'), pair, do)
    assert whose(Failure('waited 6 s for x')) == "ours or the machine's"


def test_what_libxc_says_of_a_suspend(pair):
    line = _AT.replace('libxl', 'xc') + 'save callback suspend() failed: 0'
    pair.all[0].log += [line, now(line)]
    found = libxl.since(pair, time.time(), libxl.NOT_SUSPENDED)
    assert found == {'xen1': pair.all[0].log[-1:]}
    assert not libxl.since(pair, time.time())


# Whose


NOVAS = '  File "/usr/lib/python3/dist-packages/nova/virt/libvirt/guest.py"\n'
OURS = '  File "/usr/local/lib/nova_xen_sched/compute/driver.py", line 2\n'


@pytest.mark.parametrize(
    'said, whose',
    [
        ('not where explain said', 'ours'),
        ('create: Boom\n' + NOVAS + OURS + 'Boom', 'ours'),
        ('create: internal error: libxenlight failed to create', "libxl's"),
        (
            'create: x\n' + OURS + NOVAS + 'libvirt.libvirtError: internal',
            "libxl's",
        ),
        (
            'create: x\n' + NOVAS + OURS + 'libvirt.libvirtError: parameter '
            "'bandwidth' not supported",
            'ours',
        ),
        ('GET /servers: HTTP 503 gone', "nova's"),
        ('GET /servers: HTTP 400 no such field', 'ours'),
        ('rebuild: KeyError\n' + NOVAS, "nova's"),
        ('waited 600 s for create of 1', "ours or the machine's"),
        (
            "In dom0 of xen1, 'xl list' was not done within 300 s; see x",
            "ours or the machine's",
        ),
        (
            'nova rescheduled it, xen1 to xen2: libvirt.libvirtError: '
            'internal error: libxenlight failed to create new domain',
            "libxl's",
        ),
    ],
)
def test_whose_a_failure_is(said, whose):
    assert blame.whose(Failure(said)) == whose


@pytest.mark.parametrize(
    'failures, code, last',
    [
        ([], 0, '1 of 1 as expected'),
        (['not where explain said'], 1, 'Failed: ours: step 0'),
        (
            ['libxenlight failed', 'HTTP 500 x', 'HTTP 502 x'],
            3,
            "Failed: libxl's: step 0; nova's: step 1, step 2",
        ),
        (
            ['libxenlight failed', 'it was started anew'],
            1,
            "Failed: libxl's: step 0; ours: step 1",
        ),
        (
            ['waited 6 s for x'],
            1,
            "Failed: ours or the machine's: step 0",
        ),
    ],
)
def test_the_last_line_says_what_failed_and_whose_it_is(
    capsys, failures, code, last
):
    report = Report()
    report.whose = blame.whose
    for number, said in enumerate(failures):
        with report.step('step %d' % number):
            raise Failure(said)
    with report.step('fine'):
        pass
    capsys.readouterr()
    assert report.end('/logs') == code
    assert capsys.readouterr().out.strip().split('\n')[-1].startswith(last)


# What a guest says


@pytest.mark.parametrize(
    'before, after, said',
    [
        ('GUEST UP 0004', 'GUEST UP 000c', 'its uptime goes on'),
        ('GUEST UP 0004', 'GUEST UP 0004', 'its uptime goes on'),
        ('GUEST UP 0000', 'GUEST UP 0002', 'it was up for 0 s'),
        ('GUEST UP 0000', 'GUEST UP 0000', 'it was up for 0 s'),
    ],
)
def test_a_guest_that_was_moved_goes_on(before, after, said):
    assert guests.goes_on(before, after, 'hvm').startswith(said)


@pytest.mark.parametrize(
    'before, after, mode',
    [
        ('GUEST UP 29.33', 'GUEST UP 0.14', 'pv'),
        ('GUEST UP 0004', 'GUEST UP 0001', 'hvm'),
    ],
)
def test_a_guest_that_was_started_anew(before, after, mode):
    with pytest.raises(Failure, match='started anew'):
        guests.goes_on(before, after, mode)


def said_by(monkeypatch, *lines):
    left = list(lines)
    monkeypatch.setattr(
        guests, 'console', lambda *_: left.pop(0) if left else ''
    )
    server = {'OS-EXT-SRV-ATTR:instance_name': 'instance-1'}
    return types.SimpleNamespace(name='xen1', host=None), server


def test_the_last_line_is_one_above_0_if_it_comes(monkeypatch):
    host, server = said_by(
        monkeypatch, '', 'GUEST UP 0000', 'GUEST UP 0001', 'GUEST UP 0002'
    )
    assert guests.last_line(host, server, 'hvm') == 'GUEST UP 0001'


def test_the_last_line_may_be_0(monkeypatch):
    host, server = said_by(monkeypatch, 'GUEST UP 0000', '')
    assert guests.last_line(host, server, 'hvm') == 'GUEST UP 0000'


@pytest.mark.parametrize('line', [guests.first_line, guests.last_line])
def test_a_guest_that_says_nothing(monkeypatch, line):
    host, server = said_by(monkeypatch)
    with pytest.raises(Failure, match='instance-1 says nothing on xen1'):
        line(host, server, 'pv')


# What nova did


LOG = (
    '2026 1 ERROR nova.compute.manager [req-1] [instance: %s] Failed to build '
    'and run instance: libvirt.libvirtError: internal error: libxenlight '
    "failed to create new domain 'instance-1'\n"
    '2026 1 ERROR nova.compute.manager [instance: %s] Traceback'
)


def test_why_a_host_could_not_build_a_server():
    log = LOG.replace('%s', 'other') + '\n' + LOG.replace('%s', 'mine')
    said = boots.spawn_error(log.replace('instance-1', 'x', 1), 'mine')
    assert said == (
        'libvirt.libvirtError: internal error: libxenlight failed to create '
        "new domain 'instance-1'"
    )
    assert 'does not say' in boots.spawn_error(log, 'another')


def test_the_hosts_that_tried_stand_in_the_server_s_events():
    events = [
        {'event': 'conductor_schedule', 'start_time': '1', 'host': 'c'},
        {
            'event': 'compute__do_build_and_run_instance',
            'start_time': '3',
            'host': 'xen2',
        },
        {
            'event': 'compute__do_build_and_run_instance',
            'start_time': '2',
            'host': 'xen1',
        },
    ]
    actions = [
        {'action': 'live-migration', 'request_id': 'req-2'},
        {'action': 'create', 'request_id': 'req-1'},
    ]
    answers = {
        '/servers/mine/os-instance-actions': {'instanceActions': actions},
        '/servers/mine/os-instance-actions/req-1': {
            'instanceAction': {'events': events}
        },
    }
    asked = Client(None)
    asked.ask = lambda method, path: answers[path]
    assert asked.tried('mine') == ['xen1', 'xen2']


@pytest.mark.parametrize('tried', [['xen1'], ['xen1', 'xen2']])
def test_a_reschedule_is_told_as_one(tried):
    cloud = types.SimpleNamespace(
        client=types.SimpleNamespace(tried=lambda _: tried),
        computes=types.SimpleNamespace(
            log=lambda name: LOG.replace('%s', 'mine')
        ),
    )
    if len(tried) == 1:
        boots.not_rescheduled(cloud, {'id': 'mine'})
        return
    with pytest.raises(
        Failure, match='nova rescheduled it, xen1 to xen2: libvirt'
    ):
        boots.not_rescheduled(cloud, {'id': 'mine'})
