# SPDX-License-Identifier: Apache-2.0

"""nova-xen-sched in dom0 and elsewhere, installed as an operator does."""

from __future__ import annotations

import io
import json
from pathlib import Path
import shutil
import tarfile
import typing as ty

from tests.xen.emulator import machine
from tests.xen.emulator.host import Host

PROJECT = Path(__file__).resolve().parents[3]
#: Debian packages for the commands on this machine.
PACKAGES = (
    'python3',
    'python3-cliff',
    'python3-libvirt',
    'python3-oslo.config',
    'python3-oslo.log',
    'python3-setuptools',
    'python3-stevedore',
    'python3-venv',
    'python3-wheel',
    'python3-yaml',
)
#: An emulated processor is slow to start Python: seconds.
PATIENCE = 1200
_SHOW = 'facts show -f json --timeout %d' % PATIENCE
_SOURCE = (
    'LICENSE',
    'MANIFEST.in',
    'README.md',
    'etc',
    'nova_xen_sched',
    'pyproject.toml',
    'setup.cfg',
)


def install_lines() -> list[str]:
    """Those of the documentation, for a dom0 without nova."""
    lines = PROJECT / 'docs/source/install/dom0-lines.txt'
    return lines.read_text().splitlines()


def install_inside(host: Host, log: machine.Log) -> None:
    """Into dom0, from a copy of this checkout, as the documentation says."""
    host.write('/root/source.tar', _source())
    host.run('mkdir -p source && tar xf source.tar -C source')
    for line in install_lines():
        log('%s: in dom0: %s' % (host.hardware.name, line))
        host.run('cd source && ' + line, patience=PATIENCE)


def install_outside(folder: Path, log: machine.Log) -> Path:
    """Into an environment of its own, over Debian's packages.

    :returns: the command.
    """
    logs = log.folder / 'outside.log'
    shutil.rmtree(folder, ignore_errors=True)
    source = folder / 'source'
    source.mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(_source())) as tar:
        tar.extractall(source)
    venv = folder / 'venv'
    machine.run(
        [
            '/usr/bin/python3',
            '-m',
            'venv',
            '--system-site-packages',
            str(venv),
        ],
        logs,
        'python3 -m venv',
    )
    machine.run(
        [str(venv / 'bin/pip'), 'install', '--no-build-isolation', '--no-deps']
        + ['.'],
        logs,
        'pip install',
        cwd=source,
    )
    return venv / 'bin/nova-xen-sched'


def show_inside(host: Host) -> dict[str, ty.Any]:
    """What ``facts show`` says in dom0."""
    code, text, errors = host.status(
        '/opt/nova-xen-sched/bin/nova-xen-sched ' + _SHOW,
        patience=PATIENCE + 60,
    )
    return _one(code, text, errors, 'in dom0')


def show_outside(command: Path, host: Host) -> dict[str, ty.Any]:
    """What it says from this machine, over libvirt's remote URI."""
    done = machine.result(
        [str(command), *_SHOW.split(), '--connect', host.uri]
    )
    return _one(done.returncode, done.stdout, done.stderr, 'from outside')


def _one(code: int, text: str, errors: str, where: str) -> dict[str, ty.Any]:
    """The one host of the answer; 1 says that there are findings."""
    if code not in (0, 1):
        raise machine.Failure(
            'facts show %s failed (%d): %s' % (where, code, errors.strip())
        )
    (row,) = json.loads(text)
    if row['error'] or row['problems']:
        raise machine.Failure(
            'facts show %s: %s %s' % (where, row['error'], row['problems'])
        )
    found: dict[str, ty.Any] = row
    return found


def _source() -> bytes:
    """What is installed: the package and what describes it, as a tar."""

    def wanted(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        return None if '__pycache__' in member.name else member

    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode='w') as tar:
        for name in _SOURCE:
            tar.add(str(PROJECT / name), arcname=name, filter=wanted)
    return packed.getvalue()
