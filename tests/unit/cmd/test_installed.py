# SPDX-License-Identifier: Apache-2.0

"""Where the package's files are, of a wheel and of a checkout."""

from __future__ import annotations

from importlib import metadata

import pytest

from nova_xen_sched.cmd import installed

NAME = 'host-facts.yaml'
IN_THE_SOURCE = 'etc/nova_xen_sched/host-facts.yaml'


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """An environment's folder of packages, which has ours by its RECORD."""
    folder = tmp_path / 'lib' / 'site-packages'
    described = folder / 'nova_xen_sched-1.0.dist-info'
    described.mkdir(parents=True)
    (described / 'METADATA').write_text('Name: nova-xen-sched\nVersion: 1.0\n')
    (described / 'RECORD').write_text(
        'nova_xen_sched/__init__.py,,\n../../%s,,\n' % IN_THE_SOURCE
    )
    found = metadata.PathDistribution(described)
    monkeypatch.setattr(metadata.Distribution, 'from_name', lambda name: found)
    return tmp_path


def test_a_wheel_has_put_it_somewhere(packages):
    path = packages / IN_THE_SOURCE
    path.parent.mkdir(parents=True)
    path.write_text('version: 1\n')
    assert installed.where(NAME) == str(path)


def test_it_was_removed(packages):
    assert installed.where(NAME) == IN_THE_SOURCE


def test_nothing_is_installed(monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata.Distribution, 'from_name', missing)
    assert installed.where(NAME) == IN_THE_SOURCE
