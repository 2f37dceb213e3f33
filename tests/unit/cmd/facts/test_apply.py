# SPDX-License-Identifier: Apache-2.0

"""Whatever is interrupted, and whoever else is at it: the plan is reached."""

from __future__ import annotations

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import pytest

from nova_xen_sched.cmd.facts import aggregates
from nova_xen_sched.cmd.facts import apply
from nova_xen_sched.cmd.facts import nova_api
from nova_xen_sched.cmd.facts import plan as planning
from tests.unit.cmd.facts import fake
from tests.unit.cmd.facts.test_plan import at
from tests.unit.cmd.facts.test_plan import MINE
from tests.unit.cmd.facts.test_plan import NEW
from tests.unit.cmd.facts.test_plan import OLD
from tests.unit.cmd.facts.test_plan import ours

HOSTS = ('a', 'b', 'c', 'd')

metadata = st.builds(
    lambda libvirt, memory, day: {
        **({'xen:libvirt_version': libvirt} if libvirt else {}),
        **({'xen:dom0_memory_mb': memory} if memory else {}),
        **(at({}, day) if day and (libvirt or memory) else {}),
    },
    st.sampled_from([None, '1.2.5', '9.0.0']),
    st.sampled_from([None, '1024', '4096']),
    st.sampled_from([None, 1, 2, 3]),
)
desireds = st.dictionaries(st.sampled_from(HOSTS), metadata, max_size=4)
runs = st.tuples(desireds, st.booleans(), st.integers(1, 40))
FOREIGN = [
    aggregates.Aggregate(
        101, 'az1', {'availability_zone': 'az1', **MINE}, frozenset('ab')
    ),
    aggregates.Aggregate(
        102, aggregates.name_of(OLD), {'x': 'y'}, frozenset('c')
    ),
    aggregates.Aggregate(103, 'nova-xen-sched-00000000', OLD, frozenset('d')),
]


def seen(nova, host, owned=True):
    return aggregates.facts_in(
        [
            each
            for each in nova.now
            if host in each.hosts and (each.owned or not owned)
        ]
    )


def no_better(key, value, than):
    return aggregates.lower(key, value, than) == value


def undated(facts):
    return {k: v for k, v in facts.items() if k != aggregates.OBSERVED_AT}


def before(history):
    """A cloud after runs that were interrupted anywhere."""
    nova = fake.FakeNova(HOSTS, FOREIGN)
    for desired, prune, steps in history:
        fake.run(nova, desired, prune, steps)
    nova.calls.clear()
    return nova


@pytest.mark.once
@settings(max_examples=300, deadline=None)
@given(st.lists(runs, max_size=3), desireds, st.booleans())
def test_every_moment_of_a_run(history, desired, prune):
    nova = before(history)
    old = {host: seen(nova, host) for host in HOSTS}
    blocked = planning.plan(desired, nova.now, prune).blocked
    blocked = {host for hosts in blocked.values() for host in hosts}
    applying = apply.Applying(nova, desired, prune, pause=None)
    for _ in applying.steps():
        assert [each for each in nova.now if each.id > 100][:3] == FOREIGN
        for host in HOSTS:
            now = seen(nova, host)
            if host in blocked:
                assert now.keys() == old[host].keys()
            elif host not in desired:
                if not prune:
                    # All but the time is as it was.
                    assert undated(now) == undated(old[host])
                    assert now.keys() == old[host].keys()
            else:
                new = desired[host]
                # What is not known any more vanishes; of several aggregates
                # the host leaves one after the other.
                assert now.keys() <= old[host].keys() | new.keys()
                for key in now.keys() & new.keys():
                    assert any(
                        key in each and no_better(key, now[key], each[key])
                        for each in (old[host], new)
                    )
                for key in new:
                    assert key in now or key not in old[host]
    assert applying.converged
    assert not applying.failed
    for host in set(desired) - blocked:
        now = dict(seen(nova, host))
        new = dict(desired[host])
        # The oldest of its group.
        time = now.pop(aggregates.OBSERVED_AT, None)
        assert (time is None) == (
            new.pop(aggregates.OBSERVED_AT, None) is None
        )
        assert now == new
    assert all(
        'availability_zone' not in each.metadata
        for each in nova.now
        if each.owned
    )
    nova.calls.clear()
    again = fake.run(nova, desired, prune)
    assert not nova.calls
    assert not again.outcomes


@pytest.mark.once
@settings(max_examples=300, deadline=None)
@given(
    st.lists(runs, max_size=2),
    desireds,
    st.booleans(),
    st.lists(st.booleans(), max_size=80),
)
def test_two_that_do_the_same(history, desired, prune, turns):
    nova = before(history)
    both = [
        apply.Applying(nova, desired, prune, pause=lambda s: None)
        for _ in range(2)
    ]
    interleave(both, turns)
    for each in both:
        assert each.converged
        assert not each.failed
    nova.calls.clear()
    fake.run(nova, desired, prune)
    assert not nova.calls
    assert [each for each in nova.now if each.id > 100][:3] == FOREIGN


@pytest.mark.once
@settings(max_examples=300, deadline=None)
@given(desireds, desireds, st.lists(st.booleans(), max_size=200))
def test_two_that_want_different_facts(first, second, turns):
    nova = before([])
    interleave(
        [
            apply.Applying(nova, each, pause=lambda s: None)
            for each in (first, second)
        ],
        turns,
    )
    for host in set(first) & set(second):
        facts = [each[host] for each in (first, second)]
        names = [aggregates.name_of(each) for each in facts if each]
        if len(names) < 2 or aggregates.name_of(OLD) in names:
            continue
        # It never ends up without any.
        assert any(
            host in each.hosts and each.name in names
            for each in nova.now
            if each.owned
        )
    fake.run(nova, second)
    nova.calls.clear()
    fake.run(nova, second)
    assert not nova.calls


def interleave(both, turns):
    iterators = [each.steps() for each in both]
    for turn in turns:
        next(iterators[turn], None)
    for rest in iterators:
        for _ in rest:
            pass


def test_a_host_that_nova_refuses_keeps_what_it_has():
    nova = fake.FakeNova('b', [ours(1, OLD, 'a', 'b')])
    applying = fake.run(nova, {'a': NEW, 'b': NEW})
    assert applying.converged
    assert {(c.action, c.host): w for c, w in applying.failed.items()} == {
        ('add_host', 'a'): 'nova answers 404: no host.',
        ('remove_host', 'a'): 'left, as the host was not added to the '
        'other one',
        ('delete', ''): 'left, for what was refused before',
    }
    assert seen(nova, 'a') == OLD
    assert seen(nova, 'b') == NEW
    tries = [call for call in nova.calls if call.host == 'a']
    assert len(tries) == apply.STRIKES


def test_an_aggregate_that_can_not_be_made_leaves_its_hosts():
    class Full(fake.FakeNova):
        def create(self, name):
            raise nova_api.RefusedError('nova answers 409: no.')

    nova = Full('ab', [ours(1, OLD, 'a', 'b')])
    applying = fake.run(nova, {'a': NEW})
    assert applying.converged
    assert seen(nova, 'a') == OLD
    assert nova.calls == []
    assert len(applying.failed) == 4


def test_what_was_changed_is_told_to_the_schedulers_in_the_end():
    nova = fake.FakeNova('ab', [ours(1, OLD, 'a', 'b')])
    fake.run(nova, {'a': NEW})
    last = nova.calls[-2:]
    assert [(c.action, dict(c.metadata)) for c in last] == [('set', MINE)] * 2


def test_two_that_never_agree_end_and_leave_both():
    class Stubborn(fake.FakeNova):
        """Someone puts the host back whenever the list is read."""

        def aggregates(self):
            self.now = [
                each
                if each.id != 1
                else planning.dataclasses.replace(each, hosts=frozenset('a'))
                for each in self.now
            ]
            return super().aggregates()

    nova = Stubborn('ab', [ours(1, OLD, 'a', pinned='so it stays')])
    applying = fake.run(nova, {'a': NEW})
    assert not applying.converged
    assert [each.name for each in nova.now if 'a' in each.hosts] == [
        aggregates.name_of(OLD),
        aggregates.name_of(NEW),
    ]
