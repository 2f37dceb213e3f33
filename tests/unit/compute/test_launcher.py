# SPDX-License-Identifier: Apache-2.0

"""nova-compute-xen: what it refuses, and how nova finds the driver."""

from __future__ import annotations

import subprocess
import sys

from nova import version
import pytest

from nova_xen_sched.compute import launcher
from tests.unit import interrupting

MAJOR = int(version.version_string().split('.')[0])
HAS_XEN = MAJOR <= 22


def launch(*arguments, before='pass'):
    """Run it in a process of its own: it lets nova patch the library.

    :param before: what runs before it.
    """
    return subprocess.run(
        [
            sys.executable,
            '-c',
            'import sys\n%s\n'
            'from nova_xen_sched.compute import launcher\n'
            "sys.argv[0] = '/usr/bin/nova-compute-xen'\n"
            'sys.exit(launcher.main())' % before,
            *arguments,
        ],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def nova_conf(tmp_path):
    """Writes a nova.conf, and says how it is named on a command line."""

    def write(driver, virt_type):
        path = tmp_path / 'nova.conf'
        path.write_text(
            '[DEFAULT]\n%s[libvirt]\n%s'
            % (
                'compute_driver = %s\n' % driver if driver else '',
                'virt_type = %s\n' % virt_type if virt_type else '',
            )
        )
        return ['--config-file', str(path)]

    return write


# Which nova


def test_a_nova_has_xen_up_to_22():
    assert (launcher.complaint_of_nova() is None) == HAS_XEN


def test_a_nova_without_xen_is_refused_in_one_line(monkeypatch):
    from nova.conf import libvirt

    monkeypatch.setattr(libvirt, 'libvirt_general_opts', [])
    assert launcher.complaint_of_nova() == (
        'nova %s has no Xen any more; the last that has (virt_type = xen) is '
        'nova 22' % version.version_string()
    )


def test_what_it_says_on_this_nova(nova_conf):
    done = launch(*nova_conf(launcher.DRIVER, 'xen'), '--version')
    if HAS_XEN:
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == version.version_string()
    else:
        assert done.returncode == launcher.MISCONFIGURED
        assert done.stdout == ''
        # Some novas warn of this and that before, while they are imported.
        assert done.stderr.splitlines()[-1] == (
            'nova-compute-xen: %s' % launcher.complaint_of_nova()
        )


# nova.conf


@pytest.mark.parametrize(
    'driver, virt_type, complaint',
    [
        (launcher.DRIVER, 'xen', None),
        (
            'libvirt.LibvirtDriver',
            'xen',
            'compute_driver is libvirt.LibvirtDriver in nova.conf; it must '
            'be xen_libvirt.XenLibvirtDriver here',
        ),
        (
            None,
            'xen',
            'compute_driver is not set in nova.conf; it must be '
            'xen_libvirt.XenLibvirtDriver here',
        ),
        (
            launcher.DRIVER,
            None,
            '[libvirt] virt_type is kvm in nova.conf; it must be xen here',
        ),
    ],
)
def test_what_is_wrong_in_nova_conf(nova_conf, driver, virt_type, complaint):
    argv = ['nova-compute-xen', '--debug', *nova_conf(driver, virt_type)]
    assert launcher.complaint_of_conf(argv) == complaint


@pytest.mark.parametrize(
    'content, words',
    [
        (None, "nova's configuration can't be read: there is no /"),
        (b'[DEFAULT]\nhost = h\xf6chst\n', 'is no text (UTF-8) in line 2'),
        (b'[DEFAULT\n', "nova's configuration is wrong: Failed to parse /"),
    ],
)
def test_a_nova_conf_that_cant_be_read_is_named(tmp_path, content, words):
    path = tmp_path / 'nova.conf'
    if content is not None:
        path.write_bytes(content)
    argv = ['nova-compute-xen', '--config-file', str(path)]
    complaint = launcher.complaint_of_conf(argv)
    assert words in complaint and str(path) in complaint
    assert '\n' not in complaint


def test_a_wrong_option_of_ours_is_named(nova_conf):
    argv = ['nova-compute-xen', *nova_conf(launcher.DRIVER, 'xen')]
    path = argv[-1]
    with open(path, 'a', encoding='utf-8') as f:
        f.write('[xen_scheduler]\nrefuse_dom0_overcommit = maybe\n')
    complaint = launcher.complaint_of_conf(argv)
    assert complaint == (
        '[xen_scheduler] refuse_dom0_overcommit has a wrong value in %s: '
        "'maybe'; allowed: true/false, 1/0, on/off, yes/no" % path
    )


def test_a_nova_conf_folder_counts(nova_conf, tmp_path):
    nova_conf('libvirt.LibvirtDriver', 'xen')
    argv = ['nova-compute-xen', '--config-dir=%s' % tmp_path]
    assert 'libvirt.LibvirtDriver' in launcher.complaint_of_conf(argv)


# What ends it before nova runs


def test_without_nova_it_is_one_line():
    done = launch(before="sys.modules['nova'] = None")
    assert done.returncode == launcher.MISCONFIGURED
    assert done.stderr.startswith("nova-compute-xen: nova can't be imported (")
    assert len(done.stderr.splitlines()) == 1


def test_ctrl_c_while_nova_is_imported_is_one_line():
    done = launch(before=interrupting.on_import_of('nova.cmd'))
    assert done.returncode == launcher.INTERRUPTED
    assert done.stderr.splitlines() == [
        'nova-compute-xen: interrupted before it started'
    ]
