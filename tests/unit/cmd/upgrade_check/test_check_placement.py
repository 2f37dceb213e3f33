# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from types import SimpleNamespace

import nova.conf
from nova.objects import service
from nova.scheduler import request_filter
from oslo_log import log
from oslo_upgradecheck.upgradecheck import Code
import pytest

from nova_xen_sched.cmd.upgrade_check import check_placement
from tests.unit import builders

CONF = nova.conf.CONF
NEEDED = 'MIN_COMPUTE_VERSION_OWNER_TRAIT'


def checked(monkeypatch, oldest, *services):
    """owner_nova() of hosts with these services, in a nova that asks."""
    monkeypatch.setattr(request_filter, NEEDED, 73, raising=False)
    monkeypatch.setattr(
        service, 'get_minimum_version_all_cells', lambda *_: oldest
    )
    hosts = [
        SimpleNamespace(name='host-%d' % n, state=builders.state(service=each))
        for n, each in enumerate(services)
    ]
    return check_placement.owner_nova(
        SimpleNamespace(hosts=hosts, cloud=SimpleNamespace(context=None))
    )


@pytest.fixture(autouse=True)
def _options():
    if 'default_log_levels' not in CONF:
        log.register_options(CONF)


def test_computes_that_are_too_old_for_owner_nova_are_named(monkeypatch):
    result = checked(
        monkeypatch,
        53,
        {'version': 53},
        {'version': 73},
        # nova counts neither.
        {'version': 53, 'forced_down': True},
        {},
    )
    assert result.code is Code.WARNING
    assert (result.what, result.hosts) == ('old_computes', ['host-0'])
    assert 'version 53, and 73 is needed' in result.details
    assert 'Older computes: 1 (host-0).' in result.details
    assert check_placement._SILENCED in result.remedy


def test_a_record_without_a_host_is_too_old(monkeypatch):
    result = checked(monkeypatch, 53, {'version': 73})
    assert (result.code, result.hosts) == (Code.WARNING, [])
    assert 'Older computes: none with a node.' in result.details


def test_nothing_is_said_where_nova_does_not_warn(monkeypatch):
    assert checked(monkeypatch, 73, {'version': 73}).code is Code.SUCCESS
    monkeypatch.delattr(request_filter, NEEDED)
    monkeypatch.setattr(service, 'get_minimum_version_all_cells', None)
    assert check_placement.owner_nova(None).code is Code.SUCCESS


def test_nothing_is_said_where_nova_does_not_log_it(monkeypatch):
    levels = [*CONF.default_log_levels, check_placement._SILENCED]
    CONF.set_override('default_log_levels', levels)
    try:
        result = checked(monkeypatch, 53, {'version': 53})
    finally:
        CONF.clear_override('default_log_levels')
    assert result.code is Code.SUCCESS
