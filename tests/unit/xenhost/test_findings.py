# SPDX-License-Identifier: Apache-2.0

"""What of a Xen host differs from the guide, and the remedies."""

from __future__ import annotations

import dataclasses

import pytest

from nova_xen_sched import conf
from nova_xen_sched import xenhost
from nova_xen_sched.xenhost import dom0_mem
from nova_xen_sched.xenhost import dom0_size
from nova_xen_sched.xenhost import findings
from nova_xen_sched.xenhost import nova_conf
from nova_xen_sched.xenhost import reader
from nova_xen_sched.xenhost import to_facts
from tests.unit.xenhost import captured

GOOD = xenhost.XenHost(
    hypervisor='Xen',
    libvirt_version='9.0.0',
    xen_version='4.17.5',
    live_migration=True,
    memory_mb=65536,
    cpus=16,
    command_line='dom0_mem=4096M,max:4096M dom0_max_vcpus=4 dom0_vcpus_pin',
    dom0=xenhost.Dom0(4096, 4096, xenhost.FIXED, 4, True),
    guests=xenhost.Guests(hvm=2, pv=3, memory_mb=20480, vcpus=5),
    qemu_driver=True,
)
NOVA = nova_conf.NovaConf(
    files=('/etc/nova/nova.conf',),
    host='xen-a1',
    compute_driver='libvirt.LibvirtDriver',
    virt_type='xen',
    live_migration_uri='xen+tls://%s/system',
    live_migration_tunnelled=True,
    version='22.4.0',
)


def of(host=GOOD, nova=NOVA, **changes):
    return {
        each.code: each
        for each in findings.findings(
            dataclasses.replace(host, **changes), nova
        )
    }


def dom0(**changes):
    return dataclasses.replace(GOOD.dom0, **changes)


def test_a_host_as_the_guide_wants_it():
    assert of() == {}
    assert of(nova=None) == {}
    # From outside less is known, and nothing is made of that.
    assert (
        of(command_line=None, xen_version='4.17', dom0=dom0(pinned=None)) == {}
    )


@pytest.mark.parametrize(
    'name, here, outside',
    [
        (
            'xen-4.14-dom0-ballooned',
            {'dom0_balloons', 'dom0_max_vcpus_unset', 'dom0_not_pinned'},
            {'dom0_size_unknown'},
        ),
        (
            'xen-4.14-dom0-unsized',
            {'dom0_balloons', 'dom0_max_vcpus_unset', 'dom0_not_pinned'},
            {'dom0_size_unknown'},
        ),
        ('xen-4.14-hvm', set(), set()),
        ('xen-4.14-hvm-6-guests', set(), set()),
        ('xen-4.14-pv-only', {'dom0_not_pinned'}, set()),
        ('xen-4.17-hvm', {'dom0_not_pinned'}, set()),
    ],
    ids=captured.ALL,
)
def test_every_captured_host(name, here, outside, tmp_path):
    local = reader.read(
        captured.Connection(name, uri='xen:///system'),
        local=captured.Dom0(name, tmp_path),
    )
    assert set(of(local, None)) == here
    assert set(of(reader.read(captured.Connection(name)), None)) == outside
    for each in findings.findings(local):
        assert each.level in (findings.REQUIRED, findings.RECOMMENDED)


# nova.conf


@pytest.mark.parametrize(
    'changes, code, level',
    [
        ({'compute_driver': None}, 'compute_driver', 'required'),
        ({'compute_driver': 'own.Driver'}, 'compute_driver', 'recommended'),
        ({'virt_type': None}, 'virt_type', 'required'),
        ({'virt_type': 'kvm'}, 'virt_type', 'required'),
    ],
)
def test_nova_conf(changes, code, level):
    found = of(nova=dataclasses.replace(NOVA, **changes))
    assert set(found) == {code}
    assert found[code].level == level
    assert '/etc/nova/nova.conf' in found[code].text
    assert found[code].remedy.startswith('set ' + code)


def test_the_driver_of_nova_compute_xen_is_one():
    driver = 'xen_libvirt.XenLibvirtDriver'
    assert of(nova=dataclasses.replace(NOVA, compute_driver=driver)) == {}


def test_without_nova_conf_nothing_is_said_of_it():
    assert of(nova=nova_conf.NovaConf()) == {}


# Versions: what the filter's own rules say


@pytest.mark.parametrize(
    'libvirt, level',
    [
        ('1.2.2', 'required'),
        ('1.2.14', 'required'),
        ('1.2.15', 'recommended'),
        ('1.3.1', 'recommended'),
        ('1.3.2', None),
    ],
)
def test_libvirts_versions(libvirt, level):
    found = of(libvirt_version=libvirt)
    if level is None:
        assert found == {}
    else:
        assert set(found) == {'libvirt_too_old', 'no_live_migration'}
        assert found['libvirt_too_old'].level == level
        assert libvirt in found['no_live_migration'].text


@pytest.mark.parametrize(
    'xen, code',
    [
        ('4.4.2', 'xen_too_old'),
        ('4.4.3', None),
        ('4.5.0', 'xen_too_old'),
        ('4.5.1', None),
        ('4.3', 'xen_too_old'),
        ('4.4', 'xen_unknown'),
        ('4.5', 'xen_unknown'),
        ('4.6', None),
        (None, 'xen_unknown'),
    ],
)
def test_xens_versions(xen, code):
    assert set(of(xen_version=xen)) == ({code} if code else set())


@pytest.mark.parametrize(
    'xen, extra, code',
    [
        ('4.4', '.3-pre', 'xen_unknown'),
        ('4.5', '.1-rc1', 'xen_unknown'),
        ('4.5', '.1', None),
        ('4.17', '.5-pre', None),
    ],
)
def test_a_build_before_a_release_of_xen(xen, extra, code, tmp_path):
    dom0 = captured.Dom0('xen-4.17-hvm', tmp_path)
    major, minor = xen.split('.')
    dom0.put('sys/hypervisor/version/major', major)
    dom0.put('sys/hypervisor/version/minor', minor)
    dom0.put('sys/hypervisor/version/extra', extra)
    dom0.xl = lambda *_: 'xen_version : %s%s\n' % (xen, extra)
    connection = captured.Connection('xen-4.17-hvm', uri='xen:///system')
    connection.conn['getVersion'] = int(major) * 1000000 + int(minor) * 1000
    host = reader.read(connection, local=dom0)
    assert host.xen_version == (xen if '-' in extra else xen + extra)
    assert set(of(xen_version=host.xen_version)) == ({code} if code else set())
    assert ('xen_version' in to_facts.facts_of(host)) == ('-' not in extra)


def test_live_migration_that_the_capabilities_dont_name():
    found = of(live_migration=False)
    assert set(found) == {'no_live_migration'}
    host = dataclasses.replace(GOOD, live_migration=None)
    assert findings.live_migration(host) is None
    assert findings.live_migration(GOOD) is True


# dom0


def sized(memory_mb, maximum_mb, options, **host):
    """dom0, and whether it balloons as libvirt decides it."""
    sizing, reason = dom0_mem.sizing_of(
        memory_mb * 1024,
        maximum_mb * 1024,
        dataclasses.replace(GOOD, command_line=options or '', **host),
    )
    return dom0(
        memory_mb=memory_mb,
        maximum_mb=maximum_mb,
        sizing=sizing,
        sizing_reason=reason,
    )


def test_a_ballooning_dom0_gets_the_line_for_its_guests():
    found = of(
        dom0=sized(30000, 65536, None, autoballoon='auto'),
        command_line='loglvl=all dom0_max_vcpus=4 dom0_vcpus_pin',
    )
    assert set(found) == {'dom0_balloons'}
    assert found['dom0_balloons'].text == (
        "dom0's memory is no fixed size: it has 30000 of at most 65536 MiB, "
        'and gives memory to each guest that starts, because libvirt found '
        "no dom0_mem= on Xen's command line"
    )
    assert (
        'add dom0_mem=1024M,max:1024M (enough for 15 guests like the 5'
        in found['dom0_balloons'].remedy
    )


def test_a_ballooning_dom0_whose_options_libvirt_does_not_understand():
    options = 'dom0_mem=-2G,max:-2G'
    found = of(
        dom0=sized(63488, 65536, options, autoballoon='auto'),
        command_line=options + ' dom0_max_vcpus=4 dom0_vcpus_pin',
    )
    assert set(found) == {'dom0_balloons'}
    assert "libvirt doesn't understand" in found['dom0_balloons'].text
    remedy = found['dom0_balloons'].remedy
    assert remedy.startswith('write dom0_mem=1024M,max:1024M (')
    assert ') in place of dom0_mem=-2G,max:-2G in ' in remedy


def test_a_dom0_that_libxl_conf_lets_balloon():
    options = 'dom0_mem=4096M,max:4096M'
    found = of(
        dom0=sized(2048, 4096, options, autoballoon='on'), autoballoon='on'
    )
    assert set(found) == {'dom0_balloons'}
    remedy = found['dom0_balloons'].remedy
    assert remedy.startswith(
        'set autoballoon = 0 in /etc/libvirt/libxl.conf, and write dom0_mem='
    )


@pytest.mark.parametrize(
    'options, autoballoon',
    [
        ('dom0_mem=max:65536M', 'auto'),
        ('dom0_mem=min:2048M', 'auto'),
        ('dom0_mem=65000M', 'auto'),
        ('', 'no file'),
        ('', 'off'),
    ],
)
def test_a_dom0_that_gives_none_of_nearly_everything(options, autoballoon):
    found = of(
        dom0=sized(65408, 65536, options, autoballoon=autoballoon),
        command_line=options + ' dom0_max_vcpus=4 dom0_vcpus_pin',
        guests=xenhost.Guests(),
    )
    assert set(found) == {'dom0_takes_all'}
    assert found['dom0_takes_all'].level == 'required'
    assert found['dom0_takes_all'].text.startswith(
        "dom0 has 65408 of the machine's 65536 MiB, and gives none to guests: "
        'libvirt '
    )


def test_a_maximum_alone_is_a_size():
    # Xen starts dom0 with all that is left, but no more than that.
    found = of(
        dom0=sized(4096, 65536, 'dom0_mem=max:4096M', autoballoon='auto'),
        command_line='dom0_mem=max:4096M dom0_max_vcpus=4 dom0_vcpus_pin',
    )
    assert found == {}


def test_from_afar_a_size_below_the_maximum_is_unknown():
    found = of(dom0=sized(4096, 65536, None), command_line=None)
    assert set(found) == {'dom0_size_unknown'}
    assert found['dom0_size_unknown'].level == 'recommended'
    assert found['dom0_size_unknown'].text == (
        'dom0 has 4096 of at most 65536 MiB, and it is unknown whether that '
        "is a fixed size: libvirt decides whether dom0 balloons, by Xen's "
        'command line and /etc/libvirt/libxl.conf, which can be read only as '
        'root in dom0'
    )
    assert found['dom0_size_unknown'].remedy.startswith(
        'run this as root in dom0; or add dom0_mem='
    )


@pytest.mark.parametrize(
    'guests, expected',
    [
        # None yet: the least that the guide names.
        (xenhost.Guests(), 1024),
        # The defaults: 400 MiB itself, 24 for HVM, 14 for PV, 3 for PVH.
        (xenhost.Guests(hvm=100, memory_mb=6000, vcpus=100), 4096),
        # What runs now counts, also above the guide's 4 GB.
        (xenhost.Guests(hvm=200, memory_mb=6000, vcpus=200), 5248),
        # 60 more would fit: 400 + 76 * 14 is 1464.
        (xenhost.Guests(pv=16, memory_mb=13107, vcpus=16), 1536),
        (xenhost.Guests(pvh=10, memory_mb=60000, vcpus=10), 1024),
    ],
)
def test_the_size_of_dom0_by_the_model(guests, expected):
    host = dataclasses.replace(GOOD, guests=guests)
    size_mb, _ = dom0_size.for_dom0(host, conf.defaults().dom0_model)
    assert size_mb == expected


def test_dom0_mem_without_a_maximum():
    found = of(
        command_line='dom0_mem=4096M dom0_max_vcpus=4 dom0_vcpus_pin',
        dom0=dom0(maximum_mb=65536),
    )
    assert set(found) == {'dom0_no_maximum'}
    remedy = found['dom0_no_maximum'].remedy
    assert 'dom0_mem=4096M,max:4096M' in remedy


def test_a_dom0_below_1_gb():
    found = of(dom0=dom0(memory_mb=752, maximum_mb=752), command_line=None)
    assert found['dom0_too_small'].level == 'required'
    assert 'dom0_mem=1024M,max:1024M' in found['dom0_too_small'].remedy


def test_dom0s_vcpus():
    line = 'dom0_mem=4096M,max:4096M'
    found = of(command_line=line, dom0=dom0(vcpus=16, pinned=False))
    assert set(found) == {'dom0_max_vcpus_unset', 'dom0_not_pinned'}
    remedy = found['dom0_max_vcpus_unset'].remedy
    assert 'dom0_max_vcpus=4 dom0_vcpus_pin' in remedy
    # From outside: all of a larger machine is what unset looks like.
    assert set(of(command_line=None, dom0=dom0(vcpus=16, pinned=None))) == {
        'dom0_max_vcpus_unset'
    }
    # A host that serves many needs more: 0.75 + 145 / 20.
    many = xenhost.Guests(pvh=145, memory_mb=1000, vcpus=145)
    found = of(command_line=line, guests=many)
    remedy = found['dom0_max_vcpus_unset'].remedy
    assert 'dom0_max_vcpus=8' in remedy
    assert 'overcommitted_dom0_cpu' in found


def test_rooms_that_the_guests_overcommit():
    many = xenhost.Guests(hvm=60, memory_mb=70000, vcpus=60)
    found = of(
        guests=many,
        dom0=dom0(memory_mb=1024, maximum_mb=1024),
        command_line=None,
    )
    assert set(found) == {
        'overcommitted_dom0_memory',
        'overcommitted_host_memory',
    }
    text = found['overcommitted_dom0_memory'].text
    assert text == (
        "its 60 guests take 1440 MiB of the 624 that dom0's memory has by "
        'the dom0 model'
    )


# libguestfs


def test_no_qemu_driver_matters_where_files_are_injected():
    found = of(qemu_driver=False, nova=None)
    assert found['no_qemu_driver'].level == 'note'
    # nova's default, -2, injects none.
    assert of(qemu_driver=False) == {}
    nova = dataclasses.replace(NOVA, inject_partition=-1)
    found = of(qemu_driver=False, nova=nova)
    assert found['no_qemu_driver'].level == 'recommended'
    assert of(qemu_driver=None, nova=nova) == {}
    empty = dataclasses.replace(NOVA, inject_partition=None)
    found = of(qemu_driver=False, nova=empty)
    assert 'inject_partition is empty' in found['no_qemu_driver'].text


@pytest.mark.parametrize(
    'backend, said',
    [
        (None, True),
        ('libvirt', True),
        ('libvirt:qemu:///session', True),
        ('direct', False),
    ],
)
def test_no_qemu_driver_matters_where_libguestfs_uses_it(backend, said):
    nova = dataclasses.replace(NOVA, inject_partition=-1)
    there = xenhost.Setup(libguestfs_backend=backend)
    found = of(qemu_driver=False, nova=nova, setup=there)
    assert ('no_qemu_driver' in found) is said


# Others


def test_a_host_of_another_driver_has_one_finding():
    assert set(of(hypervisor='QEMU')) == {'not_xen'}


def test_of_a_host_that_said_nothing_nothing_is_said():
    assert of(xenhost.XenHost()) == {}
