# SPDX-License-Identifier: Apache-2.0


"""Hosts as the filter and the weigher see them."""

from __future__ import annotations

import datetime
import time

import nova.conf
from oslo_utils import timeutils
import pytest

from nova_xen_sched import conf
from nova_xen_sched import dom0
from nova_xen_sched import log
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd.nova import xen_hosts
from nova_xen_sched.refusal import Code
from tests.unit import builders

CONF = nova.conf.CONF
LONG_AGO = datetime.datetime(2025, 1, 1)  # noqa: DTZ001  as nova has it


@pytest.fixture(autouse=True)
def _configuration(monkeypatch):
    monkeypatch.setattr(log, 'NOTICES', log.Notices())
    CONF([], project='nova', default_config_files=[])
    yield
    CONF.reset()


def state(name='a', **attributes):
    attributes.setdefault('stats', {})
    attributes.setdefault('total_usable_ram_mb', 32768)
    attributes.setdefault('free_ram_mb', 32768 - 512)
    attributes.setdefault('aggregates', [])
    attributes.setdefault('service', {'version': 53})
    return builders.state(name, **attributes)


def read(**attributes):
    return xen_hosts.read([state(**attributes)])[0]


def settings(**options):
    return conf.defaults(**options)


@pytest.mark.parametrize(
    'look', [xen_hosts.settings, lambda: xen_hosts.read([])]
)
def test_a_wrong_option_is_a_failure_of_one_line(tmp_path, look):
    path = tmp_path / 'nova.conf'
    path.write_text('[xen_scheduler]\ndom0_vcpus =\n')
    CONF(['--config-file', str(path)], project='nova')
    with pytest.raises(
        errors.Failure, match='dom0_vcpus has a wrong value in'
    ):
        look()


def test_the_load_is_that_of_now():
    found = read(
        stats={'num_instances': '3', 'xen_dom0_memory_mb': '2048'},
        num_instances=3,
        free_ram_mb=32768 - 512 - 3 * 1024,
        vcpus_used=5,
    )
    assert found.load.guests == found.load.unknown == 3
    assert found.load.guests_memory_mb == 3 * 1024
    assert found.load.guests_vcpus == 5
    assert found.load.dom0_memory_mb == 2048


@pytest.mark.parametrize('overhead', ['none', 'xenapi', 'libxl'])
def test_what_xen_reports_as_left_is_left(overhead):
    CONF.set_override('guest_memory_overhead', overhead, group='xen_scheduler')
    found = read(stats={'xen_free_memory_mb': '9000'})
    ram = found.resources[-1]
    assert (ram.resource, ram.source) == (
        dom0.Resource.HOST_MEMORY,
        dom0.REPORTED,
    )
    assert ram.capacity - ram.used == 9000


def test_other_hosts_have_no_rooms():
    (found,) = xen_hosts.read([builders.kvm_state(aggregates=[])])
    assert (found.load, found.resources) == (None, ())
    assert xen_hosts.migration(found, settings()).answer == ''


@pytest.mark.parametrize(
    ('stats', 'service', 'options', 'answer', 'code'),
    [
        ({'xen_libvirt_version': '9.0.0'}, 53, {}, 'yes', None),
        ({}, 53, {}, 'yes', None),
        ({}, 17, {}, 'unknown', Code.LIBVIRT_UNKNOWN),
        ({}, 1, {}, 'unknown', Code.LIBVIRT_UNKNOWN),
        (
            {'xen_libvirt_version': '1.2.5'},
            53,
            {},
            'no',
            Code.LIBVIRT_TOO_OLD,
        ),
        # Whatever is done about it.
        (
            {'xen_libvirt_version': '1.2.5'},
            53,
            {
                'live_migration_check': 'never',
                'report_only': frozenset(Code),
            },
            'no',
            Code.LIBVIRT_TOO_OLD,
        ),
        ({}, 53, {'min_libvirt_version': None}, '', None),
        ({}, 53, {'min_libvirt_version': (5,)}, 'unknown', 'libvirt_unknown'),
    ],
)
def test_live_migration(stats, service, options, answer, code):
    seen = read(stats=stats, service={'version': service})
    found = xen_hosts.migration(seen, settings(**options))
    assert (found.answer, found.code) == (answer, code)
    assert bool(found.remedy) == (answer in ('no', 'unknown'))


def test_an_image_without_vm_mode_has_no_say_in_live_migration():
    seen = read(
        types=builders.XEN_HVM_ONLY, stats={'xen_libvirt_version': '9.0.0'}
    )
    assert xen_hosts.migration(seen, settings()).answer == 'yes'


def test_hosts_by_name_in_any_case():
    seen = xen_hosts.read([state('Xen-A'), state('xen-b')])
    assert [h.name for h in xen_hosts.named(seen, ['XEN-a'])] == ['Xen-A']
    assert xen_hosts.named(seen, []) == seen
    with pytest.raises(errors.Failure, match=r'xen-c \(nearest: xen-b\)'):
        xen_hosts.named(seen, ['xen-a', 'xen-c'])


def test_a_host_of_another_number_is_not_the_nearest():
    seen = xen_hosts.read([state('xen1'), state('xen12'), state('xen-a21')])
    for name in ('xen13', 'xen2', 'xen-b21x1', 'xen'):
        with pytest.raises(errors.Failure, match='host: %s. See' % name):
            xen_hosts.named(seen, [name])
    with pytest.raises(errors.Failure, match=r'xem12 \(nearest: xen12\)'):
        xen_hosts.named(seen, ['xem12'])


@pytest.mark.parametrize(
    ('names', 'found'),
    [
        (['xen-a*'], ['Xen-A1', 'xen-a2']),
        (['XEN-?1', 'xen-a1'], ['Xen-A1', 'xen-b1']),
        (['xen-[!a]*'], ['xen-b1']),
        (['xen-a2', '*'], ['Xen-A1', 'xen-a2', 'xen-b1']),
    ],
)
def test_hosts_by_pattern_each_once_and_in_order(names, found):
    seen = xen_hosts.read([state('Xen-A1'), state('xen-a2'), state('xen-b1')])
    assert [h.name for h in xen_hosts.named(seen, names)] == found


def test_a_pattern_of_no_host_is_refused():
    seen = xen_hosts.read([state('xen-a')])
    with pytest.raises(errors.Failure, match=r'No host matches xen-b\*\. See'):
        xen_hosts.named(seen, ['xen-a', 'xen-b*'])
    with pytest.raises(
        errors.Failure, match=r'a\.\.\.: it has more than 1000'
    ):
        xen_hosts.named(seen, ['a' * 1000 + '*'])


def test_no_pattern_takes_long():
    """On Python 3.8, whose fnmatch took more than 20 s for this one."""
    seen = xen_hosts.read([state('a' * 40)])
    began = time.process_time()
    with pytest.raises(errors.Failure, match='No host matches'):
        xen_hosts.named(seen, ['*a' * 22 + '*b'])
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    ('fields', 'found'),
    [
        ({}, 'up'),
        ({'forced_down': True}, 'down'),
        ({'last_seen_up': LONG_AGO}, 'down'),
        # As ComputeFilter has it.
        ({'last_seen_up': LONG_AGO, 'disabled': True}, 'disabled'),
    ],
)
def test_the_state_of_a_host_is_that_of_its_service(fields, found):
    service = {
        'host': 'a',
        'topic': 'compute',
        'disabled': False,
        'forced_down': False,
        'last_seen_up': timeutils.utcnow(),
        **fields,
    }
    assert xen_hosts.service_state(state(service=service)) == found


def test_a_host_without_a_service_has_no_state():
    assert xen_hosts.service_state(state(service=None)) == ''
