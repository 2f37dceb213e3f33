# SPDX-License-Identifier: Apache-2.0

"""Reading a Xen host through libvirt: every captured one, and broken ones."""

from __future__ import annotations

import dataclasses
import json

import pytest

from nova_xen_sched import xenhost
from nova_xen_sched.xenhost import reader
from nova_xen_sched.xenhost import to_facts
from tests.unit.xenhost import captured

FIXED = xenhost.FIXED
BALLOONING = xenhost.BALLOONING
UNKNOWN = xenhost.UNKNOWN


def remote(name, **arguments):
    return reader.read(captured.Connection(name, **arguments))


def local(name, folder, **arguments):
    return reader.read(
        captured.Connection(name, uri='xen:///system'),
        local=captured.Dom0(name, folder, **arguments),
    )


# Every captured host


@pytest.mark.parametrize(
    'name, xen, full, libvirt, memory, free, dom0, guests',
    [
        (
            'xen-4.14-dom0-ballooned',
            *('4.14', '4.14.6', '7.0.0', 3071, 5),
            (461, 3071, UNKNOWN, 4),
            (0, 4, 1, 0, 2560, 5),
        ),
        (
            'xen-4.14-dom0-unsized',
            *('4.14', '4.14.6', '7.0.0', 3071, 128),
            (2904, 3071, UNKNOWN, 4),
            (0, 0, 0, 0, 0, 0),
        ),
        (
            'xen-4.14-hvm',
            *('4.14', '4.14.6', '7.0.0', 6143, 5046),
            (1024, 1024, FIXED, 2),
            (0, 0, 0, 0, 0, 0),
        ),
        (
            'xen-4.14-hvm-6-guests',
            *('4.14', '4.14.6', '7.0.0', 6143, 3503),
            (1024, 1024, FIXED, 2),
            (1, 4, 1, 0, 1536, 6),
        ),
        (
            'xen-4.14-pv-only',
            *('4.14', '4.14.6', '7.0.0', 4095, 3020),
            (1024, 1024, FIXED, 2),
            (0, 0, 0, 0, 0, 0),
        ),
        (
            'xen-4.17-hvm',
            *('4.17', '4.17.5', '9.0.0', 4095, 3027),
            (1024, 1024, FIXED, 2),
            (0, 0, 0, 0, 0, 0),
        ),
    ],
    ids=captured.ALL,
)
def test_every_captured_host(
    name, xen, full, libvirt, memory, free, dom0, guests, tmp_path
):
    found = remote(name)
    assert found.is_xen
    assert found.xen_version == xen
    assert found.libvirt_version == libvirt
    assert (found.memory_mb, found.cpus) == (memory, 4)
    assert found.free_memory_mb == free
    assert dataclasses.replace(found.dom0, sizing_reason='') == xenhost.Dom0(
        *dom0
    )
    assert found.guests == xenhost.Guests(*guests)
    assert len(found.guest_names) == found.guests.count
    assert found.live_migration is True
    assert len(found.guest_types) == (1 if 'pv-only' in name else 5)
    # Only dom0 itself can say these.
    assert found.command_line is None
    assert found.device_models is None
    assert found.problems == {}

    own = local(name, tmp_path)
    assert own.xen_version == full
    assert own.dom0.sizing == (FIXED if dom0[2] == FIXED else BALLOONING)
    assert own.dom0.pinned is (
        name in ('xen-4.14-hvm', 'xen-4.14-hvm-6-guests')
    )
    assert own.guests == found.guests
    assert own.problems == {}


def test_what_runs_in_dom0_for_the_guests(tmp_path):
    found = local('xen-4.14-hvm-6-guests', tmp_path)
    # Four QEMUs, and dom0's own; the shell that names them is none.
    assert [
        (model.domain_id, model.mode, model.resident_kb, model.anonymous_kb)
        for model in found.device_models
    ] == [
        (0, 'dom0', 15992, 8288),
        (2, 'pv', 33200, 8616),
        (3, 'pv', 33200, 8700),
        (6, 'hvm', 43132, 17476),
        (7, 'pv', 33304, 8756),
    ]
    assert (found.dom0.total_mb, found.dom0.available_mb) == (894, 752)


def test_dom0s_own_qemu_is_known_by_another_name_too(tmp_path):
    (model,) = local('xen-4.17-hvm', tmp_path).device_models
    assert model == xenhost.DeviceModel(0, 'dom0', 12648, None)


def test_a_dom0_without_xl_knows_its_patch_level(tmp_path):
    found = local('xen-4.17-hvm', tmp_path, has_xl=False)
    assert found.xen_version == '4.17.5'
    assert found.command_line is None
    assert found.dom0.pinned is None
    assert found.dom0.sizing == FIXED


def test_a_machine_that_is_no_dom0_says_nothing_of_itself(tmp_path):
    machine = captured.Dom0('xen-4.17-hvm', tmp_path)
    machine.put('proc/xen/capabilities', '')
    found = reader.read(
        captured.Connection('xen-4.17-hvm', uri='xen:///system'),
        local=machine,
    )
    assert found.xen_version == '4.17'
    assert found.device_models is None


def test_a_remote_host_is_not_described_by_this_machine(tmp_path):
    # Even where this machine is a dom0 itself.
    found = reader.read(
        captured.Connection('xen-4.17-hvm'),
        local=captured.Dom0('xen-4.14-hvm-6-guests', tmp_path),
    )
    assert found.xen_version == '4.17'
    assert found.device_models is None


@pytest.mark.parametrize(
    'uri, here',
    [
        ('xen:///system', True),
        ('xen:///', True),
        ('xen+ssh://root@xen-a1/system', False),
        ('xen+tls://xen-a1/system', False),
        ('xen+unix:///system?socket=/tmp/forwarded', False),
        ('xen://xen-a1/system', False),
        ('', False),
        ('xen+tcp://[::1/system', False),
    ],
)
def test_which_uris_are_of_this_machine(uri, here):
    assert reader.is_local(uri) is here


# What libvirt can't answer


@pytest.mark.parametrize(
    'method, field, part',
    [
        ('getType', 'hypervisor', 'hypervisor'),
        ('getHostname', 'hostname', 'hostname'),
        ('getLibVersion', 'libvirt_version', 'libvirt_version'),
        ('getVersion', 'xen_version', 'xen_version'),
        ('getInfo', 'memory_mb', 'memory'),
        ('getFreeMemory', 'free_memory_mb', 'free_memory_mb'),
        ('listDomainsID', 'guests', 'guests'),
        ('lookupByID', 'dom0', 'dom0'),
        ('getCapabilities', 'guest_types', 'guest_types'),
    ],
)
def test_each_part_alone_may_fail(method, field, part):
    error = captured.LibvirtError('not supported\nby this driver')
    found = remote('xen-4.14-hvm-6-guests', broken={method: error})
    assert getattr(found, field) is None
    assert found.problems[part] == 'not supported by this driver'
    whole = remote('xen-4.14-hvm-6-guests')
    if field not in ('libvirt_version', 'hypervisor'):
        assert found.libvirt_version == whole.libvirt_version


def test_a_libvirtd_that_crashes_in_get_capabilities_is_named():
    connection = captured.Connection(
        'xen-4.14-hvm',
        broken={
            'getCapabilities': captured.LibvirtError(
                'End of file while reading data: Input/output error'
            )
        },
    )
    connection.alive = False
    found = reader.read(connection)
    # It is asked last, so all else is known.
    assert found.dom0.sizing == FIXED
    assert found.guest_types is None
    assert found.problems['guest_types'].startswith('End of file')
    assert 'libvirtd may have crashed' in found.problems['guest_types']


def test_garbage_for_capabilities_is_named():
    connection = captured.Connection('xen-4.14-hvm')
    connection.getCapabilities = lambda: '<html>'
    found = reader.read(connection)
    assert found.guest_types is None and found.live_migration is None
    assert 'not a capabilities document' in found.problems['guest_types']


def test_a_document_that_would_take_long_to_expand_is_refused():
    entities = ''.join(
        '<!ENTITY a%d "%s">' % (n, '&a%d;' % (n - 1) * 10) for n in range(1, 9)
    )
    connection = captured.Connection('xen-4.14-hvm')
    connection.getCapabilities = lambda: (
        '<!DOCTYPE capabilities [<!ENTITY a0 "ha">%s]>'
        '<capabilities><host>&a8;</host></capabilities>' % entities
    )
    found = reader.read(connection)
    assert found.guest_types is None and found.live_migration is None
    assert 'it has a <!DOCTYPE' in found.problems['guest_types']


def test_names_of_several_lines_are_one_line():
    connection = captured.Connection('xen-4.14-hvm')
    connection.conn.update(getHostname='a\nb', getType='Xen\n')
    found = reader.read(connection)
    assert (found.hostname, found.hypervisor) == ('a b', 'Xen')


@pytest.mark.parametrize(
    'info',
    [
        None,
        [],
        ['x'] * 8,
        7,
        [1, None, 2, 3],
        [1, -1, -1, -1],
        [1, 10**400, 10**400, 2**63],
    ],
)
def test_garbage_for_sizes_is_named(info):
    connection = captured.Connection('xen-4.14-hvm')
    connection.conn['getInfo'] = info
    connection.domains[0]['info()'] = info
    found = reader.read(connection)
    assert found.memory_mb is None and found.dom0 is None
    assert set(found.problems) == {'memory', 'dom0'}
    assert found.libvirt_version == '7.0.0'


@pytest.mark.parametrize('number', [-5, 0, 10**9, 10**20, None])
def test_garbage_for_a_version_is_named(number):
    connection = captured.Connection('xen-4.14-hvm')
    connection.conn['getLibVersion'] = number
    found = reader.read(connection)
    assert found.libvirt_version is None
    assert 'libvirt_version' in found.problems
    assert 'libvirt_version' not in to_facts.facts_of(found)


def test_a_guest_that_ends_meanwhile_is_not_counted():
    connection = captured.Connection('xen-4.14-hvm-6-guests')
    del connection.domains[6]
    found = reader.read(connection)
    assert (found.guests.hvm, found.guests.pv, found.guests.pvh) == (0, 4, 1)
    assert found.problems == {}


def test_a_guest_of_an_unknown_type_is_counted_as_that():
    connection = captured.Connection('xen-4.14-hvm-6-guests')
    connection.domains[6]['OSType()'] = 'new'
    found = reader.read(connection).guests
    assert (found.hvm, found.unknown, found.count) == (0, 1, 6)


def test_without_the_machines_size_it_is_unknown_what_dom0s_is():
    error = captured.LibvirtError('no')
    found = remote('xen-4.14-hvm', broken={'getInfo': error})
    assert found.dom0.sizing == xenhost.UNKNOWN


# Facts


def test_the_facts_of_a_dom0(tmp_path):
    found = local('xen-4.17-hvm', tmp_path)
    assert to_facts.facts_of(found, '2026-11-22T10:00:00Z') == {
        'libvirt_version': '9.0.0',
        'xen_version': '4.17.5',
        'dom0_memory_mb': 1024,
        'dom0_vcpus': 2,
        'observed_at': '2026-11-22T10:00:00Z',
    }


def test_from_outside_there_is_no_patch_level_and_so_no_xen_version():
    assert set(to_facts.facts_of(remote('xen-4.17-hvm'))) == {
        'libvirt_version',
        'dom0_memory_mb',
        'dom0_vcpus',
        'observed_at',
    }


@pytest.mark.parametrize(
    'name', ['xen-4.14-dom0-ballooned', 'xen-4.14-dom0-unsized']
)
def test_a_ballooning_dom0_states_no_size(name, tmp_path):
    assert 'dom0_memory_mb' not in to_facts.facts_of(remote(name))
    own = to_facts.facts_of(local(name, tmp_path))
    assert 'dom0_memory_mb' not in own
    assert own['dom0_vcpus'] == 4


def test_a_host_that_is_not_xens_states_nothing():
    connection = captured.Connection('xen-4.17-hvm')
    connection.conn['getType'] = 'QEMU'
    assert to_facts.facts_of(reader.read(connection)) == {}
    assert reader.read(connection).xen_version is None


# As JSON, and back


@pytest.mark.parametrize('name', captured.ALL)
def test_a_host_survives_json(name, tmp_path):
    found = local(name, tmp_path)
    assert xenhost.from_dict(json.loads(json.dumps(found.as_dict()))) == found


@pytest.mark.parametrize(
    'data',
    [
        {'no_such_field': 1},
        {'dom0': {'size': 1}},
        {'guest_types': [['x86_64', 'xen']]},
        {'guest_types': 7},
        [],
        [1],
        7,
    ],
)
def test_what_is_no_host_is_refused(data):
    with pytest.raises(ValueError, match='not a description of a host'):
        xenhost.from_dict(data)
