# SPDX-License-Identifier: Apache-2.0

"""Whether dom0 balloons, and the options on Xen's command line."""

from __future__ import annotations

import re

from hypothesis import example
from hypothesis import given
from hypothesis import strategies as st
import pytest

from nova_xen_sched import xenhost
from nova_xen_sched.xenhost import dom0_mem
from tests.unit.xenhost import captured

GB = 1024 * 1024  # KiB

#: As they stand in libvirt 12.0 and Xen 4.21.
_SIZE = '-?[0-9]+[bBkKmMgGtT]?'
LIBVIRT = re.compile('(^| )dom0_mem=((|min:|max:)[0-9]+[bBkKmMgG]?,?)+($| )')
XL = re.compile(
    r'(^| )dom0_mem=((|min:|max:)(%s|(%s\+)?[0-9]{1,2}%%),?)+($| )'
    % (_SIZE, _SIZE)
)

COMMAND_LINES = st.lists(
    st.sampled_from(
        [
            *('dom0_mem=', ' ', ' dom0_mem=', 'min:', 'max:', ',', 'x'),
            *('-', '+', '%', 'm', 'M', 'G', 't', '1', '23', '456'),
        ]
    ),
    max_size=12,
).map(lambda parts: 'dom0_mem=' + ''.join(parts))


@given(COMMAND_LINES)
@example('dom0_mem=2max:4')
@example('dom0_mem=-1%')
@example('dom0_mem=-12%')
@example('dom0_mem=1G+100%')
def test_the_programs_expressions_are_followed(command_line):
    for ours, theirs in ((dom0_mem._LIBVIRT, LIBVIRT), (dom0_mem._XL, XL)):
        assert bool(ours.search(command_line)) == bool(
            theirs.search(command_line)
        )


@pytest.mark.parametrize('part', ['1', '1,', '1%', '-11%,', '1G+1%'])
def test_a_long_command_line_takes_no_time(part):
    command_line = 'dom0_mem=' + part * 20000 + 'x'
    assert not dom0_mem._LIBVIRT.search(command_line)
    assert not dom0_mem._XL.search(command_line)


def sizing(
    memory_kb=4 * GB,
    maximum_kb=4 * GB,
    command_line=None,
    autoballoon=None,
    libvirt_version='9.0.0',
    memory_mb=65536,
):
    return dom0_mem.sizing_of(
        memory_kb,
        maximum_kb,
        xenhost.XenHost(
            libvirt_version=libvirt_version,
            memory_mb=memory_mb,
            command_line=command_line,
            autoballoon=autoballoon,
        ),
    )


@pytest.mark.parametrize(
    'options, expected',
    [
        ('', 'ballooning'),
        ('dom0_mem=4096M,max:4096M', 'fixed'),
        ('dom0_mem=1024M', 'fixed'),
        ('loglvl=all dom0_mem=4G dom0_max_vcpus=4', 'fixed'),
        # One of several is enough, whichever Xen takes what from.
        ('dom0_mem=2048M dom0_mem=min:2048M', 'fixed'),
        ('dom0_mem=2048M dom0_mem=10%', 'fixed'),
        ('dom0_mem=max:4096M', 'fixed'),
        ('dom0_mem=min:512M', 'fixed'),
        # What libvirt's expression doesn't take.
        ('dom0_mem=-2G,max:-2G', 'ballooning'),
        ('dom0_mem=10%,max:10%', 'ballooning'),
        ('dom0_mem=1G+10%,max:4G', 'ballooning'),
        ('dom0_mem=1T', 'ballooning'),
        ('dom0_mem=', 'ballooning'),
        ('xdom0_mem=4G', 'ballooning'),
        ('dom0_mem=4Gi', 'ballooning'),
    ],
)
@pytest.mark.parametrize('libvirt', ['1.2.2', '9.0.0'])
def test_libvirt_decides_by_xens_command_line(options, expected, libvirt):
    found, reason = sizing(
        command_line=options, autoballoon='auto', libvirt_version=libvirt
    )
    assert found == expected
    assert reason.startswith('libvirt ')
    # Whatever dom0 has now.
    assert sizing(GB, 64 * GB, options, 'auto')[0] == expected


@pytest.mark.parametrize(
    'options', ['dom0_mem=-2G,max:-2G', 'dom0_mem=10%', 'dom0_mem=1T']
)
def test_what_xl_alone_understands_is_told(options):
    _, reason = sizing(command_line=options, autoballoon='auto')
    assert reason == (
        "libvirt doesn't understand %s on Xen's command line; xl does, from "
        'Xen 4.16 on, but decides for guests of its own only' % options
    )
    _, reason = sizing(command_line='dom0_mem=x', autoballoon='auto')
    assert 'xl' not in reason


@pytest.mark.parametrize('options', [None, '', 'dom0_mem=4G'])
@pytest.mark.parametrize(
    'autoballoon, expected', [('on', 'ballooning'), ('off', 'fixed')]
)
def test_what_is_set_in_libxl_conf_wins(options, autoballoon, expected):
    found, reason = sizing(command_line=options, autoballoon=autoballoon)
    assert found == expected
    assert '/etc/libvirt/libxl.conf' in reason


def test_without_libxl_conf_no_dom0_balloons():
    found, reason = sizing(command_line='', autoballoon='no file')
    assert found == 'fixed'
    assert '/etc/libvirt/libxl.conf' in reason
    # libvirt before 1.2.15 has no such file: the command line decides.
    assert (
        sizing(
            command_line='', autoballoon='no file', libvirt_version='1.2.14'
        )[0]
        == 'ballooning'
    )
    # Where xl isn't either, this may be a container, with libvirt elsewhere.
    assert sizing(GB, autoballoon='no file')[0] == 'unknown'


@pytest.mark.parametrize(
    'memory, maximum, machine, expected',
    [
        (1 * GB, 1 * GB, 6143, 'fixed'),
        (4 * GB, 4 * GB * 103 // 100, 65536, 'fixed'),
        (4 * GB, 4 * GB * 104 // 100, 65536, 'unknown'),
        # All of the machine, or what is left of it, or dom0_mem=1024M.
        (2974084, 3145200, 3071, 'unknown'),
        (3145200, 3145200, 3071, 'unknown'),
        (65408 * 1024, 65536 * 1024, 65536, 'unknown'),
        (1 * GB, 6 * GB, 6144, 'unknown'),
        (1 * GB, 1 * GB, None, 'unknown'),
        (0, 0, 6143, 'unknown'),
    ],
)
def test_from_afar_a_size_is_known_by_its_maximum(
    memory, maximum, machine, expected
):
    assert sizing(memory, maximum, memory_mb=machine)[0] == expected
    # dom0 as another user than root: libxl.conf, but no xl.
    for autoballoon in ('auto', 'no file'):
        assert (
            sizing(memory, maximum, None, autoballoon, memory_mb=machine)[0]
            == expected
        )


@pytest.mark.parametrize(
    'text, expected',
    [
        ('#autoballoon = 1\n', 'auto'),
        ('autoballoon = 1\n', 'on'),
        (' autoballoon=0 # as dom0_mem is set\n', 'off'),
        ('lock_manager = "lockd"\nautoballoon = 0\nautoballoon = 1\n', 'off'),
        ('autoballooning = 1', 'auto'),
        ('', 'auto'),
    ],
)
def test_libxl_conf(tmp_path, text, expected):
    dom0 = captured.Dom0('xen-4.17-hvm', tmp_path)
    dom0.put('etc/libvirt/libxl.conf', text)
    assert dom0.read().autoballoon == expected


def test_libxl_conf_that_is_not_there_or_cannot_be_read(tmp_path):
    dom0 = captured.Dom0('xen-4.17-hvm', tmp_path)
    path = tmp_path / 'etc' / 'libvirt' / 'libxl.conf'
    path.unlink()
    assert dom0.read().autoballoon == 'no file'
    path.mkdir()
    assert dom0.read().autoballoon is None
    path.rmdir()
    path.symlink_to(path)
    assert dom0.read().autoballoon is None


@pytest.mark.parametrize(
    'text, expected',
    [
        ('', dom0_mem.Options()),
        (
            'console=com1 dom0_mem=1024M,max:1024M dom0_max_vcpus=2 '
            'dom0_vcpus_pin',
            dom0_mem.Options('dom0_mem=1024M,max:1024M', True, '2'),
        ),
        ('dom0_mem=min:512M', dom0_mem.Options('dom0_mem=min:512M')),
        ('dom0_mem=max:4G', dom0_mem.Options('dom0_mem=max:4G', True)),
        # Xen takes the size of the one and the maximum of the other.
        (
            'dom0_mem=max:2g dom0_mem=2g',
            dom0_mem.Options('dom0_mem=max:2g dom0_mem=2g', True),
        ),
        (
            'dom0_mem=0x800M+10%,max:-1G',
            dom0_mem.Options('dom0_mem=0x800M+10%,max:-1G', True),
        ),
        # It reads no further than what it can't read.
        ('dom0_mem=2x,max:2G', dom0_mem.Options('dom0_mem=2x,max:2G')),
        ('dom0_mem=2G,max:2GB', dom0_mem.Options('dom0_mem=2G,max:2GB')),
        ('dom0_mem=09,max:2G', dom0_mem.Options('dom0_mem=09,max:2G')),
        ('dom0_vcpus_pin=0 dom0_mem=', dom0_mem.Options('dom0_mem=')),
        ('dom0_max_vcpus=2-8', dom0_mem.Options(max_vcpus='2-8')),
    ],
)
def test_the_options_of_xens_command_line(text, expected):
    assert dom0_mem.options_of(text) == expected


def test_a_long_command_line_is_cut_where_it_is_shown():
    options = dom0_mem.options_of('dom0_mem=%s,max:1G' % ('9' * 5000))
    assert options.maximum
    assert options.memory == 'dom0_mem=' + '9' * 91 + '...'
