# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from types import SimpleNamespace

from oslo_upgradecheck.upgradecheck import Code

from nova_xen_sched import conf
from nova_xen_sched import rules
from nova_xen_sched.cmd.nova import request_spec
from nova_xen_sched.cmd.upgrade_check import check_hosts
from tests.unit import builders


def deployment(*states):
    """What the check looks at, with a real filter and no cloud."""
    hosts = [SimpleNamespace(name=s.host, state=s) for s in states]
    return SimpleNamespace(
        hosts=hosts,
        xen=hosts,
        settings=conf.defaults(),
        cloud=SimpleNamespace(plugin=lambda kind: kind()),
    )


def test_hosts_that_are_not_judged_do_not_count_as_left(mocker):
    # A request from an image takes nova's database.
    mocker.patch.object(
        request_spec, 'boot', side_effect=lambda *_: builders.spec()
    )
    states = [builders.state('a'), builders.state('b')]
    result = check_hosts.refused(deployment(*states))
    assert 'PV boot: 2 of 2 left' in result.details
    mocker.patch.object(rules.Judge, '__call__', side_effect=KeyError('x'))
    result = check_hosts.refused(deployment(*states))
    assert result.code is Code.FAILURE
    assert 'PV boot: 0 of 2 left' in result.details
    assert 'could not be judged (10 times)' in result.details
    assert (result.what, result.hosts) == ('no_host_left', ['a', 'b'])
