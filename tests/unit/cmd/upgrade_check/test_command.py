# SPDX-License-Identifier: Apache-2.0

"""nova-xen-sched-status where there is no nova."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.unit.cmd import schemas

PROGRAM = """
import sys
sys.modules['nova'] = None
from nova_xen_sched.cmd.upgrade_check import command
sys.exit(command.main(['upgrade', 'check', '--json']))
"""


def test_without_nova_one_check_fails():
    ran = subprocess.run(
        [sys.executable, '-c', PROGRAM],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 2, ran.stderr
    found = json.loads(ran.stdout)
    schemas.check('upgrade-check', found)
    (check,) = found['checks']
    assert check['result'] == 2
    assert "nova can't be imported" in check['details']
