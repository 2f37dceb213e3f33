# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import copy
import datetime
import time

from oslo_utils import timeutils
import pytest

from nova_xen_sched.cmd.nova import xen_hosts
from nova_xen_sched.cmd.nova.kept_up import KeptUp
from tests.unit import builders


@pytest.mark.parametrize('name', ['last_seen_up', 'created_at'])
def test_computes_stay_up_or_down_as_they_were_read(name):
    now = timeutils.utcnow()
    minute = datetime.timedelta(seconds=60)
    read = [
        builders.state('a', service={}),
        builders.state('a', service={}),
        builders.state('none', service=None),
        builders.state('text', service={name: 'yesterday'}),
    ]
    # Two that were up and down when it was another time: an hour ago.
    hour = datetime.timedelta(hours=1)
    read[0].service = {name: now - hour - minute / 2}
    read[1].service = {name: now - hour - minute * 2}
    states = [copy.copy(each) for each in read]
    keep = KeptUp(states, time.monotonic() - 3600)
    keep()
    assert [xen_hosts.is_up(each) for each in states[:2]] == [True, False]
    assert not xen_hosts.is_up(read[0])
    assert not states[2].service
