# SPDX-License-Identifier: Apache-2.0

"""nova.conf on a compute host, read without nova."""

from __future__ import annotations

import os
import socket

import pytest

from nova_xen_sched.xenhost import nova_conf


def written(tmp_path, text):
    path = tmp_path / 'nova.conf'
    path.write_text(text)
    return [str(path)]


def test_what_matters_for_a_xen_host(tmp_path):
    files = written(
        tmp_path,
        """
[DEFAULT]
host = xen-a1
compute_driver = libvirt.LibvirtDriver
reserved_host_memory_mb = 1536
my_ip = 192.0.2.1
[libvirt]
virt_type = xen
inject_partition = -1
[xen_scheduler]
dom0_memory_mb_per_hvm_guest = 40
""",
    )
    found = nova_conf.read(files)
    assert found.files == tuple(files)
    assert found.host == 'xen-a1'
    assert found.compute_driver == 'libvirt.LibvirtDriver'
    assert found.virt_type == 'xen'
    assert found.inject_partition == -1
    assert found.reserved_host_memory_mb == 1536
    assert found.settings.dom0_model.hvm_memory_mb == 40


def test_an_empty_one_says_nothing_but_the_machines_name(tmp_path):
    found = nova_conf.read(written(tmp_path, ''))
    assert found.host == socket.gethostname()
    assert found.compute_driver is found.virt_type is None


def test_what_one_does_not_set_has_novas_default(tmp_path):
    compute = pytest.importorskip('nova.conf.compute')
    (default,) = (
        option.default
        for option in compute.ALL_OPTS
        if option.name == 'reserved_host_memory_mb'
    )
    driver = '[DEFAULT]\ncompute_driver = libvirt.LibvirtDriver\n'
    found = nova_conf.read(written(tmp_path, driver))
    assert found.reserved_host_memory_mb == default == 512
    # With this one nova-compute doesn't start: it is not what it reads.
    found = nova_conf.read(written(tmp_path, '[DEFAULT]\nhost = a1\n'))
    assert found.reserved_host_memory_mb is None


def test_empty_numbers(tmp_path):
    found = nova_conf.read(
        written(
            tmp_path,
            '[DEFAULT]\nreserved_host_memory_mb =\n'
            '[libvirt]\ninject_partition =\n',
        )
    )
    assert found.reserved_host_memory_mb is found.inject_partition is None


def test_dev_null_is_none():
    assert nova_conf.read(['/dev/null']) == nova_conf.NovaConf()


@pytest.mark.skipif(
    os.path.exists('/etc/nova') or os.path.exists('/etc/nova.conf'),
    reason='this machine has one',
)
def test_where_there_is_none_nothing_is_known(monkeypatch, tmp_path):
    monkeypatch.setenv('HOME', str(tmp_path))
    assert nova_conf.read() == nova_conf.NovaConf()


def test_what_nova_compute_reads_by_itself_is_read(monkeypatch, tmp_path):
    # One of the places where oslo.config looks, before /etc/nova. Debian's
    # nova-compute-xen has virt_type in a file of its own.
    monkeypatch.setenv('HOME', str(tmp_path))
    folder = tmp_path / '.nova'
    folder.mkdir()
    (folder / 'nova.conf').write_text('[DEFAULT]\nhost = one\n')
    (folder / 'nova-compute.conf').write_text('[libvirt]\nvirt_type = xen\n')
    found = nova_conf.read()
    assert (found.host, found.virt_type) == ('one', 'xen')


@pytest.mark.parametrize(
    'text, said',
    [
        ('[DEFAULT]\nreserved_host_memory_mb = much\n', 'much'),
        ('[DEFAULT\n', 'Invalid section'),
        ('[xen_scheduler]\ndom0_hvm_share = 2\n', 'dom0_hvm_share'),
        ('[libvirt]\ninject_partition = x\n', 'inject_partition'),
        ('[libvirt]\nvirt_type = $virt_type\n', 'recursion'),
        ('[libvirt]\nvirt_type = $nothing\n', 'nothing'),
        ('[xen_scheduler]\ndom0_memory_mb =\n', 'allowed: a number of MiB'),
        ('[xen_scheduler]\ndom0_vcpus = $dom0_vcpus\n', 'names itself'),
    ],
)
def test_a_wrong_one_is_named(tmp_path, text, said):
    with pytest.raises(nova_conf.ConfError, match=said) as raised:
        nova_conf.read(written(tmp_path, text))
    assert '\n' not in str(raised.value)


def test_one_that_is_not_there_is_named(tmp_path):
    with pytest.raises(nova_conf.ConfError, match=r'nothing\.conf'):
        nova_conf.read([str(tmp_path / 'nothing.conf')])


def test_files_and_folders_are_looked_for_each_for_itself(
    monkeypatch, tmp_path
):
    # As oslo.config has it, with nova's arguments.
    monkeypatch.setenv('HOME', str(tmp_path))
    usual = tmp_path / '.nova'
    for folder, text in (
        (usual, '[DEFAULT]\nhost = one\n'),
        (usual / 'nova.conf.d', '[libvirt]\nvirt_type = xen\n'),
        (tmp_path / 'own', '[libvirt]\ninject_partition = -1\n'),
    ):
        folder.mkdir()
        (folder / 'nova.conf').write_text(text)
    by_folder = nova_conf.read(None, [str(tmp_path / 'own')])
    assert (by_folder.host, by_folder.inject_partition) == ('one', -1)
    assert by_folder.virt_type is None
    by_file = nova_conf.read([str(tmp_path / 'own' / 'nova.conf')])
    assert (by_file.virt_type, by_file.inject_partition) == ('xen', -1)
    assert by_file.host == socket.gethostname()


def test_one_that_is_no_text_is_named(tmp_path):
    path = tmp_path / 'nova.conf'
    path.write_bytes(b'[DEFAULT]\nhost = h\xf6chst\n')
    with pytest.raises(nova_conf.ConfError) as raised:
        nova_conf.read([str(path)])
    assert '%s is no text (UTF-8) in line 2' % path in str(raised.value)


@pytest.mark.parametrize(
    'text, waits',
    [
        ('', True),
        ('[compute]\nlive_migration_wait_for_vif_plug = false\n', False),
        ('[DEFAULT]\nvif_plugging_timeout = 0\n', False),
        ('[DEFAULT]\nvif_plugging_timeout = 60\n', True),
    ],
)
def test_whether_a_guest_that_comes_waits_for_its_ports(tmp_path, text, waits):
    assert nova_conf.read(written(tmp_path, text)).waits_for_vif_plug == waits


def test_the_uri_of_a_live_migration(tmp_path):
    text = '[libvirt]\nlive_migration_uri = xen+tls://%s/system\n'
    found = nova_conf.read(written(tmp_path, text))
    assert found.live_migration_uri == 'xen+tls://%s/system'
    assert not found.live_migration_tunnelled
    found = nova_conf.read(
        written(tmp_path, '[libvirt]\nlive_migration_tunnelled = true\n')
    )
    assert found.live_migration_uri is None
    assert found.live_migration_tunnelled


@pytest.mark.parametrize('there', [True, False])
def test_the_nova_of_this_python(tmp_path, monkeypatch, there):
    def version(name):
        assert name == 'nova'
        if not there:
            raise nova_conf.metadata.PackageNotFoundError(name)
        return '22.0.1'

    monkeypatch.setattr(nova_conf.metadata, 'version', version)
    found = nova_conf.read(written(tmp_path, ''))
    assert found.version == ('22.0.1' if there else None)


@pytest.mark.parametrize('value', ['true', 'false', None])
def test_whether_images_are_converted(tmp_path, value):
    text = '[DEFAULT]\nforce_raw_images = %s\n' % value if value else ''
    found = nova_conf.read(written(tmp_path, text))
    assert found.force_raw_images == (value != 'false')
