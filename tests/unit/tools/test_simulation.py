# SPDX-License-Identifier: Apache-2.0

"""The simulation's own arithmetic, by hand."""

from __future__ import annotations

import itertools

from nova import objects
import pytest

from tools.simulation import policies
from tools.simulation import report
from tools.simulation import run
from tools.simulation import world

pytestmark = pytest.mark.usefixtures('clean')

SMALL_DOM0 = world.Size(65536, 16, 1280, 1024, 8)
FEW_VCPUS = world.Size(524288, 64, 10240, 4096, 2)


def test_slots():
    # (1024 - 400) MB / (0.6 x 24 + 0.4 x 14) MB = 31.2, of 145 by dom0's
    # CPUs and 27 by RAM: 64512 MB / (2355.2 x 1.00781 + 1.3 x 1.5 + 3) MB.
    assert SMALL_DOM0.slots == 27
    # (2 - 0.75) x 20
    assert FEW_VCPUS.slots == 25


def test_same_seed_same_world():
    assert world.sizes(20, 3) == world.sizes(20, 3)
    assert world.sizes(20, 3) != world.sizes(20, 4)
    first, again = (
        list(itertools.islice(world.guests(3), 20)) for _ in range(2)
    )
    assert first == again


def test_use_of_a_host():
    host = world.Host(SMALL_DOM0)
    guest = world.Guest(0, 'hvm', world.FLAVORS[0], 1)
    for _ in range(13):
        host.add(guest)
    # 13 x 24 MB of 624 MB
    assert host.use()[0] == pytest.approx(0.5)
    for _ in range(13):
        host.add(guest, -1)
    assert host.use() == (0, 0)


def test_placement_sells_what_fits():
    host = world.Host(world.Size(4096 + 512, 16, 40, 1024, 4))
    medium = world.FLAVORS[2]
    assert host.sells(medium)
    host.add(world.Guest(0, 'pv', medium, 1))
    assert not host.sells(world.FLAVORS[0])


@pytest.mark.once
@pytest.mark.parametrize('policy', policies.POLICIES)
def test_a_tiny_run(policy):
    plan = run.Plan(policy, 1, 4, (0.5,))
    told = []
    (outcome,) = run.Run(plan, told.append).outcomes()
    assert outcome.guests == pytest.approx(plan.slots() / 2, rel=0.2)
    assert outcome.arrivals == pytest.approx(plan.arrivals(), rel=0.2)
    assert outcome.refused == 0
    assert sum(told) == outcome.arrivals // 50 * 50
    # The whole of it is what all policies meet alike.
    assert outcome == run.Run(plan, told.append).outcomes()[0]


def _outcome(policy, over, worst, level=0.85):
    return run.Outcome(policy, 1, level, over, 0, worst, worst, 9, 9, 0)


def _found(known=0.0, known_worst=0.7, unknown=0.0, nova=50.0):
    return report.cells(
        [
            _outcome(policies.NOVA, nova, 5.0),
            _outcome(policies.UNKNOWN, unknown, 0.8),
            _outcome(policies.KNOWN, known, known_worst),
            _outcome(policies.GREEDY, 0.0, 0.69),
        ]
    )


def test_targets():
    assert all(each.holds for each in report.targets(_found()))
    for missed in (
        _found(known=0.01),
        _found(known_worst=0.73),
        _found(unknown=0.6),
    ):
        assert [each.holds for each in report.targets(missed)].count(
            False
        ) == 1


def test_helps():
    assert all(each.holds for each in report.helps(_found()))
    for missed in (
        _found(known=6),
        _found(known_worst=2.6),
        _found(unknown=11),
        # Where nova alone does well, nothing is shown.
        _found(nova=0),
    ):
        assert not all(each.holds for each in report.helps(missed))


def test_soft_anti_affinity_wins_between_hosts_within_one_percent():
    # Hosts alike but for dom0's memory, of which 25 HVM guests take 600 MB:
    # 30 % of what is left of 2400 MB, 29 % of what is left of 2469.
    sizes = [
        world.Size(524288, 64, 10240, memory, 8) for memory in (2400, 2469)
    ]
    hosts = [world.Host(size) for size in sizes]
    chooser = policies.make(policies.KNOWN, hosts)
    guests = [
        world.Guest(number, 'hvm', world.FLAVORS[0], 1) for number in range(24)
    ]
    for guest, (index, host) in itertools.product(guests, enumerate(hosts)):
        host.add(guest)
        chooser.came(index, guest)
    left = [world.headroom(host.with_one(guests[0])) for host in hosts]
    assert left == pytest.approx([0.70, 0.71], abs=0.0001)
    assert chooser.choose(guests[0], [0, 1]) == 1
    # The host with more headroom has a member of the group. FULL_SPREAD and
    # the default multiplier are chosen so that this counts for more: with
    # 0.10 and 10 it would not.
    instances = chooser._states[1].instances
    instances['member'] = instances.popitem()[1]
    chooser._spec(guests[0]).instance_group = objects.InstanceGroup(
        policy='soft-anti-affinity', members=['member']
    )
    assert chooser.choose(guests[0], [0, 1]) == 0
