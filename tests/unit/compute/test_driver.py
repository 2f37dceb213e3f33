# SPDX-License-Identifier: Apache-2.0

"""The driver, on a nova that has Xen.

Its tests are on_nova22.py. They run in a process of their own, because
nova's fake libvirt patches the standard library, as nova-compute does.
"""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys

import pytest

from nova_xen_sched.compute import launcher

TESTS = pathlib.Path(__file__).with_name('on_nova22.py')


def test_the_driver_s_own_tests_pass():
    if launcher.complaint_of_nova():
        pytest.skip('this nova has no Xen: the driver runs on nova 22')
    done = subprocess.run(
        [sys.executable, '-m', 'pytest', '-q', '-rA', str(TESTS)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    passed = re.search(r'(\d+) passed', done.stdout)
    assert passed and int(passed[1]) >= 20, done.stdout
    assert 'skipped' not in done.stdout
