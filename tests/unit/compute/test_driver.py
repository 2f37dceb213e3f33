# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

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
