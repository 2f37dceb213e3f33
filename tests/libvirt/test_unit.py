# SPDX-License-Identifier: Apache-2.0

"""The systemd service of the facts file has the least rights it needs."""

from __future__ import annotations

import pathlib
import subprocess

SERVICE = (
    pathlib.Path(__file__).parents[2]
    / 'etc/nova_xen_sched/nova-xen-sched-facts.service'
)


def test_systemd_finds_little_exposed():
    # In tenths: 3.0 of 10.
    command = ['systemd-analyze', 'security', '--offline=true']
    done = subprocess.run(
        [*command, '--threshold=30', '--no-pager', str(SERVICE)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-200:]
    assert 'Overall exposure level' in done.stdout
