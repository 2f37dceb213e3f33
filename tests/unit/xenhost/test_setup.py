# SPDX-License-Identifier: Apache-2.0

"""What of dom0 nova and Neutron rest on, and what is missing of it."""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import sys
import types

import pytest

from nova_xen_sched.xenhost import reader
from nova_xen_sched.xenhost import Setup
from nova_xen_sched.xenhost import setup
from nova_xen_sched.xenhost import setup_findings
from nova_xen_sched.xenhost.finding import NOTE
from nova_xen_sched.xenhost.finding import RECOMMENDED
from tests.unit.xenhost import captured
from tests.unit.xenhost.test_findings import NOVA

AGENT = 'etc/neutron/plugins/ml2/linuxbridge_agent.ini'


class Folder:
    """A dom0's files."""

    def __init__(self, path):
        self.path = path

    def put(self, path, text=''):
        target = self.path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def link(self, path, target):
        (self.path / path).parent.mkdir(parents=True, exist_ok=True)
        os.symlink(target, str(self.path / path))

    def read(self):
        return setup.read(str(self.path))


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)


def codes(found, nova=NOVA):
    return {each.code: each for each in setup_findings.findings(found, nova)}


# Reading


def test_an_empty_folder_says_no_more_than_that(folder):
    found = dataclasses.replace(folder.read(), libguestfs=None)
    assert found == Setup(ssh_key=False, tls=False)


@pytest.mark.parametrize('agent', ['linuxbridge', 'openvswitch', 'macvtap'])
def test_neutrons_agents(folder, agent):
    folder.put('etc/neutron/plugins/ml2/%s_agent.ini' % agent)
    assert folder.read().linuxbridge == (agent == 'linuxbridge')


@pytest.mark.parametrize(
    'path, target, nft',
    [
        # Debian
        ('etc/alternatives/ebtables', '/usr/sbin/ebtables-nft', True),
        ('etc/alternatives/ebtables', '/usr/sbin/ebtables-legacy', False),
        # RPM
        ('usr/sbin/ebtables', 'xtables-nft-multi', True),
        ('usr/sbin/ebtables', '/etc/alternatives/ebtables', None),
    ],
)
def test_which_ebtables_it_is(folder, path, target, nft):
    folder.link(path, target)
    assert folder.read().ebtables_nft is nft


def test_an_ebtables_that_is_a_program_of_its_own(folder):
    folder.put('usr/sbin/ebtables', 'a program')
    assert folder.read().ebtables_nft is None


@pytest.mark.parametrize(
    'files, has',
    [
        (['root/.ssh/id_rsa', 'root/.ssh/id_rsa.pub'], True),
        (['var/lib/nova/.ssh/id_ed25519'], True),
        (['root/.ssh/id_rsa.pub', 'root/.ssh/authorized_keys'], False),
        # It may name any file.
        (['root/.ssh/config'], None),
        (['root/.ssh/config', 'root/.ssh/id_rsa'], True),
    ],
)
def test_ssh_keys(folder, files, has):
    for path in files:
        folder.put(path)
    assert folder.read().ssh_key is has


@pytest.mark.parametrize(
    'files, user, key',
    [
        ({}, None, True),
        (
            {'usr/lib/systemd/system/nova-compute.service': 'nova'},
            'nova',
            False,
        ),
        (
            {'lib/systemd/system/openstack-nova-compute.service': 'nova'},
            'nova',
            False,
        ),
        ({'etc/systemd/system/nova-compute.service': ''}, 'root', True),
        ({'etc/systemd/system/nova-compute.service': 'stack'}, 'stack', None),
        (
            {
                'usr/lib/systemd/system/nova-compute.service': 'nova',
                'etc/systemd/system/nova-compute.service.d/ours.conf': 'root',
            },
            'root',
            True,
        ),
    ],
)
def test_whose_ssh_key_matters(folder, files, user, key):
    folder.put('root/.ssh/id_ed25519')
    for path, name in files.items():
        folder.put(path, '[Service]\nUser=%s\nExecStart=/bin/true\n' % name)
    found = folder.read()
    assert (found.compute_user, found.ssh_key) == (user, key)


@pytest.mark.parametrize(
    'text, known',
    [
        (None, None),
        ('', ''),
        ('[securitygroup]\nfirewall_driver = openvswitch\n', 'openvswitch'),
        (
            '[ovs]\nfirewall_driver = a\n[securitygroup]\nfirewall_driver=b',
            'b',
        ),
        ('firewall_driver = openvswitch\n', None),
    ],
)
def test_the_firewall_of_open_vswitch(folder, text, known):
    if text is not None:
        folder.put('etc/neutron/plugins/ml2/openvswitch_agent.ini', text)
    assert folder.read().ovs_firewall == known


def test_hvmloaders(folder):
    folder.put('usr/lib/xen-4.14/boot/hvmloader')
    folder.put('usr/libexec/xen/boot/hvmloader')
    assert folder.read().hvmloaders == (
        '/usr/lib/xen-4.14/boot/hvmloader',
        '/usr/libexec/xen/boot/hvmloader',
    )


def test_ssh_keys_that_may_not_be_looked_for(folder, monkeypatch):
    def refuse(path):
        raise PermissionError(13, 'Permission denied', path)

    monkeypatch.setattr(os, 'listdir', refuse)
    assert folder.read().ssh_key is None


@pytest.mark.parametrize(
    'there, known',
    [((), None), (('nova',), False), (('nova', 'guestfs'), True)],
)
def test_whether_nova_can_import_guestfs(folder, monkeypatch, there, known):
    monkeypatch.setattr(
        importlib.util, 'find_spec', lambda name: name in there or None
    )
    assert folder.read().libguestfs is known


def guestfs(handle):
    """In place of its Python module, whose library isn't on PyPI."""
    return types.SimpleNamespace(GuestFS=handle)


def handle(python_return_dict):
    return types.SimpleNamespace(get_backend=lambda: 'direct')


def refused(python_return_dict):
    raise RuntimeError('invalid backend: x')


@pytest.mark.parametrize(
    'module, known',
    [
        (None, None),
        (guestfs(handle), 'direct'),
        (guestfs(refused), None),
    ],
)
def test_the_backend_of_libguestfs(folder, monkeypatch, module, known):
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)
    # Of None Python makes a ModuleNotFoundError.
    monkeypatch.setitem(sys.modules, 'guestfs', module)
    assert folder.read().libguestfs_backend == known


def test_it_is_read_in_dom0_only_and_not_at_each_update(tmp_path):
    dom0 = captured.Dom0('xen-4.14-hvm', tmp_path)
    dom0.put(AGENT, '')
    here = captured.Connection('xen-4.14-hvm', uri='xen:///system')
    assert reader.read(here, local=dom0).setup.linuxbridge
    assert reader.read(here, local=dom0, brief=True).setup is None
    there = captured.Connection('xen-4.14-hvm')
    assert reader.read(there, local=dom0).setup is None


# Findings


def test_of_what_is_not_known_nothing_is_said():
    assert codes(None) == codes(Setup()) == codes(None, None) == {}
    assert codes(Setup(linuxbridge=True)) == {}


def test_an_ebtables_of_nftables_matters_beside_an_agent():
    assert codes(Setup(ebtables_nft=True)) == {}
    assert codes(Setup(True, ebtables_nft=False)) == {}
    found = codes(Setup(True, ebtables_nft=True), None)['ebtables_nft']
    assert found.level == RECOMMENDED
    assert 'RULE_DELETE failed (Invalid argument)' in found.text
    assert (
        'update-alternatives --set ebtables /usr/sbin/ebtables-legacy'
        in found.remedy
    )


def test_an_ssh_key_matters_to_nova():
    assert codes(Setup(ssh_key=False), None) == {}
    assert codes(Setup(ssh_key=True)) == {}
    assert set(codes(Setup(ssh_key=False))) == {'no_ssh_key'}


@pytest.mark.parametrize('driver', ['', 'openvswitch', 'noop'])
def test_open_vswitch_needs_a_bridge_for_each_guest(driver):
    found = codes(Setup(ovs_firewall=driver), None)['ovs_firewall']
    assert found.level == NOTE
    assert (driver or '(not set)') in found.text
    for hybrid in (
        'iptables_hybrid',
        'neutron.agent.linux.iptables_firewall.'
        'OVSHybridIptablesFirewallDriver',
    ):
        assert codes(Setup(ovs_firewall=hybrid)) == {}


def test_whose_ssh_key_is_missing():
    found = codes(Setup(ssh_key=False, compute_user='nova'))['no_ssh_key']
    assert found.text.startswith('nova has no ssh key here')


def test_an_hvmloader_that_is_elsewhere():
    there = Setup(hvmloaders=('/usr/lib/xen-4.14/boot/hvmloader',))
    found = codes(there)['hvmloader']
    assert found.text.startswith(
        'xen_hvmloader_path is /usr/lib/xen/boot/hvmloader, where no file is'
    )
    assert found.remedy == (
        'set xen_hvmloader_path = /usr/lib/xen-4.14/boot/hvmloader in '
        '[libvirt]'
    )
    for path in (
        '/usr/lib/xen-4.14/boot/hvmloader',
        '/usr/local/lib/xen/boot/hvmloader',
    ):
        assert codes(there, nova(xen_hvmloader_path=path)) == {}
    assert codes(there, nova(virt_type='kvm')) == {}
    assert codes(there, None) == {}


def test_libguestfs_matters_where_files_are_injected():
    assert codes(Setup(libguestfs=False)) == {}
    injects = dataclasses.replace(NOVA, inject_partition=-1)
    assert codes(Setup(libguestfs=True), injects) == {}
    assert set(codes(Setup(libguestfs=False), injects)) == {'no_libguestfs'}


def nova(**changes):
    return dataclasses.replace(NOVA, **changes)


def test_the_uri_of_a_live_migration():
    found = codes(None, nova(live_migration_uri=None))
    assert set(found) == {'live_migration_uri'}
    assert 'xenmigr://' in found['live_migration_uri'].text
    other = nova(live_migration_uri=None, virt_type='kvm')
    assert codes(None, other) == {}


def test_a_live_migration_that_is_not_tunnelled_is_not_encrypted():
    found = codes(None, nova(live_migration_tunnelled=False))
    assert set(found) == {'live_migration_unencrypted'}
    assert found['live_migration_unencrypted'].level == NOTE
    other = nova(live_migration_tunnelled=False, virt_type='kvm')
    assert codes(None, other) == {}
    found = codes(None, nova(live_migration_uri='xen+tcp://%s/system'))
    assert set(found) == {'live_migration_unencrypted'}
    assert 'xen+tcp' in found['live_migration_unencrypted'].text


def test_the_files_of_tls(folder):
    assert folder.read().tls is False
    for path in setup._TLS:
        folder.put(path)
    assert folder.read().tls is True


@pytest.mark.parametrize(
    'uri, there, wanted',
    [
        ('xen+tls://%s/system', False, {'no_tls_certificates'}),
        ('xen+tls://%s/system', None, set()),
        ('xen+tls://%s/system', True, set()),
        ('xen+ssh://root@%s/system', False, set()),
    ],
)
def test_tls_wants_certificates(uri, there, wanted):
    found = codes(Setup(tls=there), nova(live_migration_uri=uri))
    assert set(found) == wanted


@pytest.mark.parametrize(
    'version, waits, level',
    [
        ('22.0.1', True, RECOMMENDED),
        ('22.1.0', True, RECOMMENDED),
        ('22.2.0', True, None),
        ('22.4.0', True, None),
        ('22.0.1', False, None),
        (None, True, NOTE),
        ('22.0.2.dev7', True, NOTE),
    ],
)
def test_a_guest_that_waits_for_its_ports(version, waits, level):
    found = codes(None, nova(version=version, waits_for_vif_plug=waits))
    assert {each.code: each.level for each in found.values()} == (
        {'vif_plug_wait': level} if level else {}
    )


def test_images_that_are_not_converted():
    found = codes(None, nova(force_raw_images=False))
    assert {each.code: each.level for each in found.values()} == {
        'vhd_not_converted': NOTE
    }
    assert codes(None, nova(force_raw_images=False, virt_type='kvm')) == {}
