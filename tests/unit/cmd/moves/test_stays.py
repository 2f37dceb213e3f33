# SPDX-License-Identifier: Apache-2.0

"""Why a guest stays where it is, in one sentence."""

from __future__ import annotations

import pytest

from nova_xen_sched.cmd.moves import stays
from nova_xen_sched.planner.cloud import Destinations
from nova_xen_sched.planner.cloud import Operation
from nova_xen_sched.planner.state import State
from tests.unit.cmd.moves import clouds

LIVE, COLD = BOTH = (Operation.LIVE, Operation.COLD)


def why(operations=BOTH, guests='a', **more):
    cloud = clouds.cloud({'a': 1, 'b': 1, 'c': 1}, guests, **more)
    return stays.why(State(cloud), cloud.guests[0], operations)


@pytest.mark.parametrize(
    ('refused', 'words'),
    [
        ({LIVE: 'it is locked', COLD: 'it is locked'}, 'it is locked'),
        (
            {LIVE: 'it has a disk', COLD: 'it is busy'},
            'live: it has a disk; cold: it is busy',
        ),
    ],
)
def test_what_nova_refuses_to_begin(refused, words):
    assert why(refused=refused, destinations={}) == words


def test_only_the_operations_that_may_be_count():
    refused = {LIVE: 'it has a disk'}
    assert why((LIVE,), refused=refused, destinations={}) == 'it has a disk'


def test_hosts_that_are_full_or_refused():
    to_c = Destinations({'c': [{}]}, {'b': 'it is disabled'})
    assert why(guests='ac', destinations={LIVE: to_c}, refused={}) == (
        'no host takes it: it is disabled (1 host); '
        'its dom0 would be overcommitted (1 host)'
    )
    assert why(guests='abc') == (
        'no host takes it: its dom0 would be overcommitted (2 hosts)'
    )


def test_of_a_host_the_last_operation_counts():
    to_none = Destinations({}, dict.fromkeys('bc', 'its libvirt is too old'))
    to_c = Destinations({'c': [{}]}, {'b': 'it is disabled'})
    destinations = {LIVE: to_none, COLD: to_c}
    assert why(guests='ac', destinations=destinations) == (
        'no host takes it: it is disabled (1 host); '
        'its dom0 would be overcommitted (1 host)'
    )
    assert why((LIVE,), guests='ac', destinations=destinations) == (
        'no host takes it: its libvirt is too old (2 hosts)'
    )


def test_a_host_alone():
    cloud = clouds.cloud({'a': 1}, 'a')
    assert stays.why(State(cloud), cloud.guests[0], BOTH) == (
        'there is no other Xen host'
    )


def test_a_plan_may_end_before_what_is_possible():
    assert why(guests='aac') == (
        'the plan leaves it there, though b would take it'
    )
