# SPDX-License-Identifier: Apache-2.0

"""The systemd services have the least rights they need."""

from __future__ import annotations

import pathlib
import subprocess

import pytest

FOLDER = pathlib.Path(__file__).parents[2] / 'etc/nova_xen_sched'
#: And the only folder that each may write.
SERVICES = {
    'nova-xen-sched-facts.service': '/etc/nova',
    'nova-xen-sched-metrics.service': '/var/lib/prometheus/node-exporter',
}


def test_none_is_left_out():
    assert sorted(SERVICES) == sorted(p.name for p in FOLDER.glob('*.service'))


@pytest.mark.parametrize('name', SERVICES)
def test_it_writes_one_folder(name):
    lines = (FOLDER / name).read_text().splitlines()
    assert 'ReadWritePaths=' + SERVICES[name] in lines
    assert 'ProtectSystem=strict' in lines
    assert sum(line.startswith('ReadWritePaths') for line in lines) == 1


@pytest.mark.parametrize('name', SERVICES)
def test_systemd_finds_little_exposed(name):
    # In tenths: 3.0 of 10.
    command = ['systemd-analyze', 'security', '--offline=true']
    done = subprocess.run(
        [*command, '--threshold=30', '--no-pager', str(FOLDER / name)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-200:]
    assert 'Overall exposure level' in done.stdout
