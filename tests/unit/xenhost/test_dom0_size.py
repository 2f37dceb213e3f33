# SPDX-License-Identifier: Apache-2.0

"""dom0's size, and the options on Xen's command line."""

from __future__ import annotations

import pytest

from nova_xen_sched.xenhost import dom0_size

GB = 1024 * 1024  # KiB


@pytest.mark.parametrize(
    'memory, maximum, machine, command_line, expected',
    [
        # Through libvirt alone.
        (1 * GB, 1 * GB, 6143, None, 'fixed'),
        (2974084, 3145200, 3071, None, 'ballooning'),
        (3145200, 3145200, 3071, None, 'ballooning'),
        (1 * GB, 1 * GB, None, None, 'unknown'),
        (0, 0, 6143, None, 'unknown'),
        # dom0_mem=1024M, as the guide has it: libvirt's maximum is the
        # machine then, which looks like a dom0 that has shrunk.
        (1 * GB, 6 * GB, 6144, None, 'ballooning'),
        (1 * GB, 6 * GB, 6144, 'loglvl=all dom0_mem=1024M', 'fixed'),
        (1 * GB, 6 * GB, 6144, 'dom0_mem=4G', 'ballooning'),
        (1 * GB, 1 * GB, 6144, 'dom0_mem=1G,max:1G', 'fixed'),
        (1 * GB, 1 * GB, 6144, '', 'ballooning'),
        (1 * GB, 1 * GB, 6144, 'dom0_mem=1G+10%,max:1G', 'fixed'),
        (1 * GB, 2 * GB, 6144, 'dom0_mem=10%,max:2G', 'ballooning'),
    ],
)
def test_whether_dom0s_memory_is_a_size(
    memory, maximum, machine, command_line, expected
):
    assert (
        dom0_size.sizing_of(memory, maximum, machine, command_line) == expected
    )


@pytest.mark.parametrize(
    'text, expected',
    [
        ('', dom0_size.Options()),
        (
            'console=com1 dom0_mem=1024M,max:1024M dom0_max_vcpus=2 '
            'dom0_vcpus_pin',
            dom0_size.Options('1024M,max:1024M', GB, True, '2'),
        ),
        ('dom0_mem=min:512M', dom0_size.Options('min:512M')),
        ('dom0_mem=1048576', dom0_size.Options('1048576', GB)),
        ('dom0_mem=1g dom0_mem=2g', dom0_size.Options('2g', 2 * GB)),
        ('dom0_vcpus_pin=0 dom0_mem=', dom0_size.Options()),
        ('dom0_max_vcpus=2-8', dom0_size.Options(max_vcpus='2-8')),
    ],
)
def test_the_options_of_xens_command_line(text, expected):
    assert dom0_size.options_of(text) == expected
