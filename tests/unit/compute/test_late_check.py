# SPDX-License-Identifier: Apache-2.0

"""What is refused on the host itself."""

from __future__ import annotations

import threading

import pytest

from nova_xen_sched import conf
from nova_xen_sched import dom0
from nova_xen_sched import log
from nova_xen_sched.compute import late_check
from nova_xen_sched.refusal import Code
from tests.unit.compute.instances import booting
from tests.unit.compute.instances import instance

ON = conf.defaults(refuse_dom0_overcommit=True)
OFF = conf.defaults()


@pytest.fixture(autouse=True)
def said(monkeypatch):
    monkeypatch.setattr(log, 'NOTICES', log.Notices())


class Host:
    """A host of 8 GiB, with a dom0 for so many HVM guests.

    By the defaults dom0 itself uses 400 MiB, and each takes 24.
    """

    def __init__(self, slots=2, guests=(), free_mb=None):
        self.slots = slots
        self.guests = list(guests)
        self.free_mb = free_mb
        self.check = late_check.LateCheck(
            lambda: list(self.guests), self.load, lambda: self.free_mb
        )

    def load(self, found):
        return dom0.Load(
            memory_mb=8192,
            dom0_memory_mb=400 + 24 * self.slots,
            dom0_vcpus=4,
            hvm=len(found),
            guests_memory_mb=sum(each.memory_mb for each in found),
        )

    def refusal(self, guest, settings=ON):
        return self.check.refusal(guest, guest.vm_mode, settings)


def test_the_last_that_fits_and_the_first_that_does_not():
    host = Host(2, [instance()])
    guest = booting()
    host.guests.append(guest)
    assert host.refusal(guest) is None
    assert host.refusal(booting()).startswith(
        'dom0_memory: with this guest, guests would take 72 MiB of dom0'
    )


def test_guests_that_are_built_at_once_are_judged_one_after_the_other():
    """nova has claimed for all of them: the first ones may start."""
    guests = [booting() for _ in range(5)]
    host = Host(2, guests)
    answers = [host.refusal(guest) is None for guest in guests]
    assert answers == [True, True, False, False, False]
    # nova sends those that were refused elsewhere, and one fails.
    host.guests = guests[1:2]
    again = booting()
    host.guests.append(again)
    assert host.refusal(again) is None
    assert host.refusal(booting())


def test_threads_never_admit_more_than_fit():
    guests = [booting() for _ in range(40)]
    host = Host(7, guests)
    admitted = []

    def build(guest):
        if host.refusal(guest) is None:
            admitted.append(guest)

    threads = [threading.Thread(target=build, args=(g,)) for g in guests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(admitted) == 7


def test_one_that_runs_by_now_counts_once():
    guest = booting()
    host = Host(2, [guest])
    assert host.refusal(guest) is None
    guest.vm_state = 'active'
    assert host.refusal(booting()) is None


def test_a_database_that_lags_behind_takes_none_away():
    """A cluster's next node may not know yet what the last one said."""
    guest = booting()
    host = Host(1, [guest])
    assert host.refusal(guest) is None
    for vm_state in ('active', 'building'):
        guest.vm_state = vm_state
        assert host.refusal(booting())


def test_a_guest_that_is_here_already_is_not_counted_twice():
    guest = instance(vm_state='active', task_state='rebuild_spawning')
    assert Host(1, [guest]).refusal(guest) is None


def test_off_is_off(caplog):
    host = Host(0, [instance()] * 3, free_mb=4096)

    def fail():
        raise AssertionError('nothing is to be read')

    host.check._read_guests = fail
    assert host.refusal(booting(), OFF) is None
    assert not caplog.records
    assert not host.check._admitted


@pytest.mark.parametrize('settings', [ON, OFF])
def test_ram_that_xen_lacks_is_refused_always(settings):
    # 512 x 1.00781 + 1.5 + 3
    host = Host(9, free_mb=520)
    assert host.refusal(booting(), settings) == (
        'host_memory: Xen itself has 520 MiB of RAM left, and this guest '
        'takes 521 MiB with its overhead; use another host, or a smaller '
        'flavor'
    )
    host.free_mb = 521
    assert host.refusal(booting(), settings) is None


def test_what_guests_before_it_will_take_counts():
    """Xen has given it to none of them yet."""
    first, second = booting(memory_mb=4000), booting(memory_mb=4000)
    host = Host(9, [first, second], free_mb=6000)
    assert host.refusal(first) is None
    assert host.refusal(second).startswith('host_memory: ')


def test_report_only_reports(caplog):
    settings = conf.defaults(
        refuse_dom0_overcommit=True, report_only=frozenset({Code.DOM0_MEMORY})
    )
    host = Host(0)
    assert host.refusal(booting(), settings) is None
    assert 'This guest does not fit on this host: dom0_memory' in caplog.text
    host.free_mb = 1
    assert host.refusal(booting(), settings).startswith('host_memory')


@pytest.mark.parametrize('reader', ['_read_guests', '_read_free_mb'])
def test_a_guest_that_cant_be_judged_may_start(caplog, reader):
    host = Host(0)

    def fail():
        raise RuntimeError('unforeseen')

    setattr(host.check, reader, fail)
    assert host.refusal(booting()) is None
    assert 'it may start' in caplog.text
    # And the next one is judged.
    host = Host(0)
    assert host.refusal(booting())


@pytest.mark.parametrize(
    'vm_state, task_state, expected',
    [
        ('building', 'spawning', True),
        ('active', 'rebuild_spawning', False),
        ('error', 'rebuild_spawning', False),
        ('shelved_offloaded', 'spawning', False),
        ('building', 'networking', False),
        ('resized', 'spawning', False),
    ],
)
def test_what_nova_builds_elsewhere(vm_state, task_state, expected):
    guest = instance(vm_state=vm_state, task_state=task_state)
    assert late_check.is_boot(guest) is expected
