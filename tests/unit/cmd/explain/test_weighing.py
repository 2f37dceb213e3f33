# SPDX-License-Identifier: Apache-2.0

"""Weighing is nova's own; the shares and counterfactuals fit to it."""

from __future__ import annotations

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st
from nova.scheduler import host_manager
from nova.scheduler import weights as nova_weights
import pytest

from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd.explain import conductor
from nova_xen_sched.cmd.explain import result
from nova_xen_sched.cmd.explain import weighing
from tests.unit import builders


class Manager:
    """A HostManager as far as weighing goes, with nova's own methods."""

    get_weighed_hosts = host_manager.HostManager.get_weighed_hosts

    def __init__(self, *weighers):
        self.weight_handler = nova_weights.HostWeightHandler()
        self.weighers = list(weighers)


def weigher(name, raw, multiplier=1.0, minval=None, maxval=None):
    """A weigher that gives each host the figure under its name."""

    def weigh(self, state, spec):
        return raw[state.host]

    return type(
        name,
        (nova_weights.BaseHostWeigher,),
        {
            '_weigh_object': weigh,
            'weight_multiplier': lambda self, state: multiplier,
            'minval': minval,
            'maxval': maxval,
        },
    )()


def states(*names):
    return [builders.state(name) for name in names]


def names_of(hosts):
    return [each.state.host for each in hosts]


SPEC = SimpleNamespace()

figures = st.one_of(
    st.integers(-3, 3).map(float), st.floats(-1e6, 1e6, width=32)
)
columns = st.lists(
    st.tuples(
        st.lists(figures, min_size=4, max_size=4),
        st.sampled_from((0.0, 1.0, -2.0, 10.0)),
    ),
    min_size=1,
    max_size=4,
)


def build(table):
    return [
        weigher('W%d' % i, dict(zip('abcd', raw)), multiplier)
        for i, (raw, multiplier) in enumerate(table)
    ]


def by_nova(weighers, hosts):
    """nova's weights by host, without anything of ours."""
    handler = nova_weights.HostWeightHandler()
    return {
        each.obj.host: each.weight
        for each in handler.get_weighed_objects(weighers, hosts, SPEC)
    }


@given(columns)
def test_weights_are_novas_and_shares_add_up_to_them(table):
    weighers = build(table)
    hosts = states('a', 'b', 'c', 'd')
    found = weighing.weighed(Manager(*weighers), hosts, SPEC)
    assert {e.state.host: e.weight for e in found} == by_nova(weighers, hosts)
    for each in found:
        total = sum(share.share for share in each.shares)
        assert weighing.same(total, each.weight)
    assert [e.rank for e in found] == sorted(e.rank for e in found)


@given(columns)
def test_first_without_is_what_nova_says_without_that_weigher(table):
    weighers = build(table)
    hosts = states('a', 'b', 'c', 'd')
    found = weighing.weighed(Manager(*weighers), hosts, SPEC)
    first = {e.state.host for e in found if e.rank == 1}
    said = weighing.first_without(found)
    for left_out in weighers:
        rest = [each for each in weighers if each is not left_out]
        weights = by_nova(rest, hosts)
        best = max(weights.values())
        would = {h for h, w in weights.items() if weighing.same(w, best)}
        name = type(left_out).__name__
        assert set(names_of(said.get(name, ()))) == (
            would if would != first else set()
        )


def test_a_weigher_with_no_share_is_left_out():
    found = weighing.weighed(
        Manager(
            weigher('Same', {'a': 3.0, 'b': 3.0}),
            weigher('Off', {'a': 1.0, 'b': 2.0}, 0.0),
            weigher('Counts', {'a': 1.0, 'b': 2.0}),
        ),
        states('a', 'b'),
        SPEC,
    )
    for each in found:
        assert [share.weigher for share in each.shares] == ['Counts']
    assert names_of(weighing.first_without(found)['Counts']) == ['a', 'b']


def test_raw_normalised_multiplier_and_share_are_those_of_nova():
    found = weighing.weighed(
        Manager(weigher('W', {'a': 10, 'b': 30, 'c': 20}, 4.0)),
        states('a', 'b', 'c'),
        SPEC,
    )
    assert names_of(found) == ['b', 'c', 'a']
    assert found[1].shares == (result.Share('W', 20, 0.5, 4.0),)
    assert found[1].shares[0].share == found[1].weight == 2.0


def test_minval_and_maxval_of_a_weigher_count():
    found = weighing.weighed(
        Manager(weigher('W', {'a': 0.25, 'b': 0.5}, 1.0, 0, 1)),
        states('a', 'b'),
        SPEC,
    )
    assert [each.weight for each in found] == [0.5, 0.25]


def test_equal_weights_have_equal_ranks():
    found = weighing.weighed(
        Manager(weigher('W', {'a': 1, 'b': 2, 'c': 2, 'd': 1})),
        states('a', 'b', 'c', 'd'),
        SPEC,
    )
    assert [each.rank for each in found] == [1, 1, 3, 3]


def test_a_sum_that_rounds_otherwise_is_equal():
    assert weighing.same(0.1 + 0.2, 0.3)
    assert not weighing.same(0.3, 0.3001)


def test_one_host_alone_is_not_weighed():
    (only,) = weighing.weighed(
        Manager(weigher('W', {'a': 1})), states('a'), SPEC
    )
    assert (only.rank, only.weight, only.shares) == (1, 0.0, ())
    assert weighing.first_without([only]) == {}


def test_no_host_is_no_host():
    assert weighing.weighed(Manager(), [], SPEC) == []
    assert weighing.first_without([]) == {}


def test_a_weigher_that_fails_is_named():
    class Broken(nova_weights.BaseHostWeigher):
        def _weigh_object(self, obj, weight_properties):
            raise KeyError('num_foo')

    manager = Manager(Broken())
    with pytest.raises(
        errors.Failure, match=r'Broken fails with KeyError.*foo'
    ):
        weighing.weighed(manager, states('a', 'b'), SPEC)
    # And the manager is as it was.
    assert isinstance(manager.weighers[0], Broken)


# Hosts that nova's conductor passes over


def hypervisors(**versions):
    """States by name, of Xen in these versions as nova has them."""
    return [
        builders.state(name, hypervisor_version=number)
        for name, number in versions.items()
    ]


def passed_over(hosts, raw, retries=-1):
    """Who is left when a live migration leaves s, and who is passed over."""
    conductor.CONF.set_override('migrate_max_retries', retries)
    try:
        found = conductor.weighed(
            Manager(weigher('W', raw)),
            hosts[1:],
            SPEC,
            conductor.unfit(hosts, 's'),
        )
    finally:
        conductor.CONF.clear_override('migrate_max_retries')
    return (
        [(each.host, each.rank) for each in found.hosts],
        [
            (each.why, [state.host for state in each.refused])
            for each in found.steps
        ],
        found.gives_up,
    )


def test_an_older_hypervisor_and_another_one_are_passed_over():
    hosts = hypervisors(s=4014000, a=4013000, b=4014000, c=4017000, d=4011000)
    hosts.append(builders.kvm_state('k'))
    raw = {'a': 5.0, 'b': 2.0, 'c': 2.0, 'd': 1.0, 'k': 4.0}
    left, passed, gives_up = passed_over(hosts, raw)
    assert left == [('b', 1), ('c', 1)]
    kind = hosts[0].hypervisor_type
    # d too, though the scheduler is not asked so often.
    assert passed == [
        ('the hypervisor is older than the %s 4.14.0 of s' % kind, ['a', 'd']),
        ('the hypervisor is another than the %s of s' % kind, ['k']),
    ]
    assert gives_up == []
    # No live migration.
    assert conductor.unfit(hosts, None) == {}


def test_the_conductor_asks_no_more_often_than_it_may():
    hosts = hypervisors(s=4014000, a=4013000, b=4014000, c=4011000)
    raw = {'a': 5.0, 'b': 2.0, 'c': 3.0}
    assert passed_over(hosts, raw, retries=2)[2] == []
    (said,) = passed_over(hosts, raw, retries=1)[2]
    assert (
        'gives up after 2 of 2' in said and 'migrate_max_retries = 1' in said
    )


def test_a_workaround_of_nova_lets_older_ones_pass(monkeypatch):
    group = conductor.CONF.workarounds
    if 'skip_hypervisor_version_check_on_lm' not in group:
        pytest.skip('this nova has none')
    conductor.CONF.set_override(
        'skip_hypervisor_version_check_on_lm', True, 'workarounds'
    )
    try:
        hosts = hypervisors(s=4014000, a=4013000)
        assert passed_over(hosts, {'a': 1.0}) == ([('a', 1)], [], [])
    finally:
        conductor.CONF.clear_override(
            'skip_hypervisor_version_check_on_lm', 'workarounds'
        )
