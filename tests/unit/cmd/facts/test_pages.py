# SPDX-License-Identifier: Apache-2.0

"""What the documentation shows of the facts commands, as they write it.

libvirt and nova are stood for, as in test_show.py and test_publish.py.
UPDATE_GOLDEN=1 writes the pages anew.
"""

from __future__ import annotations

import io
import logging
import os

import pytest

from nova_xen_sched.cmd import application
from nova_xen_sched.cmd import plain
from nova_xen_sched.cmd.facts import nova_api
from nova_xen_sched.cmd.facts import publish as publishing
from nova_xen_sched.xenhost import to_facts
from tests.unit.cmd.facts import test_publish

# Fixtures, which pytest finds by their names.
# ruff: noqa: F811
from tests.unit.cmd.facts.test_show import GOLDEN
from tests.unit.cmd.facts.test_show import HERE
from tests.unit.cmd.facts.test_show import hosts  # noqa: F401
from tests.unit.cmd.facts.test_show import run  # noqa: F401

A1 = 'xen+ssh://root@xen-a1/system'


@pytest.fixture(autouse=True)
def surroundings(monkeypatch):
    monkeypatch.setattr(to_facts, 'now', lambda: '2026-11-23T10:00:00Z')
    monkeypatch.setattr(plain, 'terminal', lambda stream: (80, False))


def compare(name, text):
    page = GOLDEN / (name + '.txt')
    if os.environ.get('UPDATE_GOLDEN'):
        page.write_text(text)
    assert text == page.read_text()


def test_one_host(hosts, run):
    hosts[HERE] = 'xen-4.14-dom0-ballooned'
    compare('facts-show-one', run('facts', 'show')[1])


def test_the_difference_of_a_file(hosts, run, tmp_path):
    hosts[A1] = 'xen-4.17-hvm'
    path = tmp_path / 'host-facts.yaml'
    path.write_text('version: 1\nhosts:\n  xen-b1:\n    dom0_vcpus: 2\n')
    _, out, err = run(
        *('facts', 'export', '--file', str(path)),
        *('--connect', A1, '--nova-host', 'xen-a1'),
    )
    text = (out + err).replace(str(path), '/etc/nova/host-facts.yaml')
    compare('facts-export', text)


def test_commands_for_aggregates(hosts, run):
    hosts[A1] = 'xen-4.17-hvm'
    _, out, _ = run(
        *('facts', 'export', '--format', 'aggregates'),
        *('--connect', A1, '--nova-host', 'xen-a1'),
    )
    compare('facts-export-aggregates', out)


def test_what_would_be_published(monkeypatch, tmp_path):
    monkeypatch.setattr(publishing, '_CHATTY', ())
    names = test_publish.NAMES
    cloud = test_publish.Nova(
        names, [test_publish.ours(1, test_publish.OLD, *names)]
    )
    monkeypatch.setattr(nova_api, 'Nova', lambda name: cloud)
    path = tmp_path / 'host-facts.yaml'
    path.write_text(
        'version: 1\nhosts:\n'
        '  xen-a1: {libvirt_version: "1.2.5"}\n'
        '  xen-a2: {libvirt_version: "1.2.5"}\n'
        '  xen-b1: {libvirt_version: "9.0.0"}\n'
    )
    both = io.StringIO()
    root = logging.getLogger()
    before = root.handlers, root.level
    try:
        application.App(stdout=both, stderr=both).run(
            ['--config-file', '/dev/null', 'facts', 'publish']
            + ['--from-file', str(path)]
        )
    finally:
        root.handlers, root.level = before
    compare('facts-publish', both.getvalue())
