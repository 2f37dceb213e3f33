# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import math
import time

from hypothesis import given
from hypothesis import strategies as st
from nova import objects
import nova.conf
from nova.scheduler import weights as nova_weights
import pytest

from nova_xen_sched import conf
from nova_xen_sched import filters
from nova_xen_sched import log
from nova_xen_sched import weights
from tests.unit import builders

pytestmark = pytest.mark.usefixtures('clean')

CONF = nova.conf.CONF
OPTION = 'dom0_headroom_weight_multiplier'


@pytest.fixture
def weigher():
    return weights.Dom0HeadroomWeigher()


def xen(name, guests=0, dom0_mb=1024, vcpus=4, ram_mb=262144, **attributes):
    """A Xen host with HVM guests of 1 GiB."""
    values = {
        'stats': {
            'num_instances': str(guests),
            'xen_dom0_memory_mb': str(dom0_mb),
            'xen_dom0_vcpus': str(vcpus),
        },
        'num_instances': guests,
        'instances': {
            str(i): builders.instance(vm_mode='hvm') for i in range(guests)
        },
        'total_usable_ram_mb': ram_mb,
        'free_ram_mb': ram_mb - 512 - guests * 1024,
        'vcpus_used': guests,
    }
    values.update(attributes)
    return builders.state(name, **values)


def kvm(name, **attributes):
    return builders.kvm_state(
        name,
        stats={},
        total_usable_ram_mb=262144,
        free_ram_mb=200000,
        **attributes,
    )


def spec(**properties):
    return builders.spec(
        dict({'hypervisor_type': 'xen', 'vm_mode': 'hvm'}, **properties),
        flavor=objects.Flavor(memory_mb=1024, vcpus=1),
    )


def weighed(weigher, *states, request=None):
    """Through nova's own handler: name -> weight, in the order it gives."""
    handler = nova_weights.HostWeightHandler()
    found = handler.get_weighed_objects(
        [weigher], list(states), request or spec()
    )
    return {each.obj.host: each.weight for each in found}


def test_more_room_comes_first(weigher):
    found = weighed(weigher, xen('full', 20), xen('empty', 0), xen('half', 10))
    assert list(found) == ['empty', 'half', 'full']
    assert found['empty'] == 0 > found['half']


def test_a_larger_dom0_comes_first(weigher):
    found = weighed(weigher, xen('1G', 15), xen('4G', 15, 4096))
    assert list(found) == ['4G', '1G']


def test_worked_by_hand(weigher):
    # dom0 memory has 1024 - 400 = 624 MiB for guests of 24, that is 26; its
    # CPUs (4 - 0.75) x 20 = 65. After one more guest:
    handrooms = [1 - 24 * 1 / 624, 1 - 24 * 11 / 624]
    states = [xen('a', 0), xen('b', 10)]
    found = weigher.headrooms(builders.weighed(*states), spec())
    assert found == pytest.approx(handrooms)


def test_multiplier(weigher, option):
    states = [xen('a', 0), xen('b', 10)]
    once = weighed(weigher, *states)
    option(OPTION, 2 * CONF.xen_scheduler[OPTION])
    twice = weighed(weigher, *states)
    assert twice['a'] == pytest.approx(2 * once['a'])
    option(OPTION, -1)
    assert list(weighed(weigher, *states)) == ['b', 'a']
    option(OPTION, 0)
    assert set(weighed(weigher, *states).values()) == {0}


def test_aggregates_set_the_multiplier(weigher):
    three, five, bad, nan = map(
        builders.multiplying, ['3.0', '5', 'much', 'nan']
    )
    odd = map(
        builders.multiplying,
        ['NaN', 'inf', '-inf', ' nan ', '1e999', '1e308', '-1000000001'],
    )
    states = [
        xen('a', aggregates=[three]),
        xen('b', aggregates=[three, five]),
        xen('c', aggregates=[five]),
        xen('d', aggregates=[bad]),
        xen('e'),
        xen('f', aggregates=[five, three]),
        xen('g', aggregates=[nan]),
    ]
    weighed(weigher, *states)
    default = CONF.xen_scheduler[OPTION]
    assert [weigher.weight_multiplier(s) for s in states] == [
        3,
        3,
        5,
        default,
        default,
        3,
        default,
    ]
    for each in odd:
        # nova takes now the one, now the other
        for both in ([each, five], [five, each], [three, each, five]):
            state = xen('h', aggregates=both)
            weighed(weigher, state, xen('i'))
            assert weigher.weight_multiplier(state) == default
    # and as nova's own function has it, where nothing was worked out before
    fresh = xen('g', aggregates=[three, five])
    assert weigher.weight_multiplier(fresh) == 3
    assert weigher.weight_multiplier(xen('h')) == default


def test_a_multiplier_that_is_none_is_warned_of_once(weigher, caplog):
    bad = builders.multiplying('ten')
    weighed(weigher, *[xen('h%d' % i, aggregates=[bad]) for i in range(20)])
    assert caplog.text.count("Could not decode '%s'" % OPTION) == 1


def test_an_error_while_warning_leaves_the_weights(weigher, mocker):
    mocker.patch.object(log.LOG, 'warning', side_effect=TypeError)
    found = weighed(weigher, xen('a', dom0_mb=10**6), xen('b', 20))
    assert found['a'] == 0 > found['b']


def test_other_hosts_weigh_nothing(weigher, option):
    for multiplier in (10, -10, 1):
        option(OPTION, multiplier)
        found = weighed(
            weigher,
            kvm('k1'),
            xen('a', 0),
            xen('b', 20),
            kvm('k2'),
            builders.state('xapi', hypervisor_type='XenServer'),
        )
        assert found['k1'] == found['k2'] == found['xapi'] == 0
        best, worst = ('a', 'b') if multiplier > 0 else ('b', 'a')
        assert found[best] == 0 > found[worst]


def test_hosts_with_unknown_mixes_are_compared_by_the_average_guest(weigher):
    host = xen('a', 30, instances={})
    hvm, pv = (
        weigher.headrooms(builders.weighed(host), spec(**mode))
        for mode in ({'hw_vm_mode': 'hvm'}, {'hw_vm_mode': 'xen'})
    )
    assert hvm == pv


@given(st.permutations(range(6)))
def test_the_order_of_hosts_changes_no_weight(order):
    hosts = [
        xen('x0', 3),
        kvm('k0'),
        xen('x1', 20, dom0_mb=4096),
        kvm('k1'),
        xen('x2', 50),
        kvm('k2'),
    ]
    weigher = weights.Dom0HeadroomWeigher()

    def weighed(states):
        found = weigher.weigh_objects(builders.weighed(*states), spec())
        return {
            state.host: pytest.approx(weight)
            for state, weight in zip(states, found)
        }

    found = weighed([hosts[i] for i in order])
    assert found == weighed(hosts)
    assert found['k0'] == found['k1'] == found['k2'] == 0


def test_one_xen_host_among_others_weighs_nothing(weigher):
    found = weighed(weigher, kvm('k1'), xen('a', 20), kvm('k2'))
    assert set(found.values()) == {0}


def test_a_sliver_of_difference_speaks_softly(weigher):
    # dom0s so large that one guest is less than 1 % of them
    one, other = xen('a', 10, 4096, 16), xen('b', 11, 4096, 16)
    found = weighed(weigher, one, other)
    assert 0 < found['a'] - found['b'] < 1


def test_far_overcommitted_hosts_do_not_hide_the_others(weigher):
    found = weighed(
        weigher, xen('a', 0), xen('b', 13), xen('lost', 20, dom0_mb=401)
    )
    assert found['a'] - found['b'] > 1


def test_overcommitted_weighs_less_than_full(weigher):
    found = weighed(weigher, xen('full', 25), xen('over', 30))
    assert list(found) == ['full', 'over']


def test_unknown_mixes_count_by_share(weigher):
    unknown = xen('u', 20, instances={})
    known = xen('k', 20)
    found = weighed(weigher, unknown, known)
    # 60 % of them count as HVM
    assert list(found) == ['u', 'k']


def test_hosts_that_never_reported(weigher):
    silent = builders.state('silent')
    found = weighed(weigher, silent, xen('a', 20), xen('b', 0))
    assert all(map(math.isfinite, found.values()))


def test_it_never_raises(weigher, logged):
    broken = xen('broken')
    broken.free_ram_mb = 'much'
    found = weighed(weigher, broken, xen('a', 0), xen('b', 20))
    assert found['a'] == 0 > found['b'] == found['broken']
    both = builders.weighed(xen('a'), xen('b'))
    assert weigher.weigh_objects(both, object()) == [0, 0]
    assert len(logged('ERROR')) == 2


def test_options_are_read_once_a_request(weigher, mocker):
    read = mocker.spy(conf, 'read')
    weighed(weigher, *[xen('h%d' % i) for i in range(20)])
    assert read.call_count == 1


@pytest.mark.parametrize('path', ['Dom0HeadroomWeigher', 'all_weighers'])
def test_nova_loads_it(path):
    handler = nova_weights.HostWeightHandler()
    classes = handler.get_matching_classes(['nova_xen_sched.weights.' + path])
    assert classes == [weights.Dom0HeadroomWeigher]


def test_a_wrong_value_stops_nova_scheduler(tmp_path):
    path = tmp_path / 'nova.conf'
    path.write_text('[xen_scheduler]\n%s = much\n' % OPTION)
    CONF(['--config-file', str(path)], project='nova')
    with pytest.raises(SystemExit, match=OPTION):
        weights.Dom0HeadroomWeigher()


@pytest.mark.parametrize(
    'attribute', ['total_usable_ram_mb', 'free_ram_mb', 'vcpus_used']
)
@pytest.mark.parametrize('value', [math.nan, math.inf, -math.inf])
def test_a_host_that_is_no_number_leaves_the_others_alone(
    weigher, attribute, value
):
    odd = xen('odd', 5)
    setattr(odd, attribute, value)
    alone = weighed(weigher, xen('a', 0), xen('b', 20))
    found = weighed(weigher, odd, xen('a', 0), xen('b', 20))
    assert found['a'] - found['b'] == alone['a'] - alone['b']
    assert all(map(math.isfinite, found.values()))
    assert found['a'] == 0
    assert found['odd'] <= 0


@pytest.mark.parametrize('text', ['//a:' * 16000, "'a:" * 21000 + '@'])
def test_long_texts_where_numbers_belong_take_no_long(
    tmp_path, text, caplog, option
):
    path = tmp_path / 'facts.json'
    known = {
        'dom0_memory_mb': text,
        'dom0_vcpus': text,
        'libvirt_version': text,
    }
    path.write_text(json.dumps({'version': 1, 'hosts': {'a': known}}))
    option('host_facts_file', str(path))
    states = [
        xen('a', stats={'xen_free_memory_mb': text, 'xen_dom0_vcpus': text}),
        xen('b'),
    ]
    xen_filter, weigher = (
        filters.XenHostFilter(),
        weights.Dom0HeadroomWeigher(),
    )
    option('refuse_dom0_overcommit', True)
    start = time.process_time()
    passed = list(xen_filter.filter_all(states, spec()))
    assert len(weighed(weigher, *passed)) == 2
    assert time.process_time() - start < 1
    # Three facts of the file, and two that the compute reports.
    assert caplog.text.count('text of %d characters' % len(text)) == 5


def test_a_xen_host_that_cannot_be_weighed_is_the_least(weigher, option):
    odd = xen('odd')
    odd.total_usable_ram_mb = math.nan
    for multiplier in (10, -10):
        option(OPTION, multiplier)
        found = weighed(weigher, odd, xen('a', 0), xen('b', 20), kvm('k'))
        assert found['odd'] == min(found['a'], found['b']) < 0
        assert found['k'] == 0
        # Its own multiplier makes it no better than the others.
        assert scaled([(math.nan, 10), (0.5, -10), (0.2, -10)])[0] < 0
        less = scaled([(math.nan, 1), (0.9, 10), (0.2, 10)])[0]
        assert less == pytest.approx(-10)
        # With none to compare with it is as good as any.
        assert weighed(weigher, odd, kvm('k')) == {'odd': 0, 'k': 0}


def test_in_an_aggregate_with_a_larger_multiplier_fuller_hosts_lose_more(
    weigher,
):
    larger = builders.multiplying('20')
    found = weighed(
        weigher, xen('a', 0), xen('b', 10), xen('c', 10, aggregates=[larger])
    )
    assert found['a'] == 0
    assert found['b'] < 0
    assert found['c'] == pytest.approx(2 * found['b'])


def test_signs_are_compared_apart(weigher):
    filled = builders.multiplying('-10')
    off = builders.multiplying('0')
    found = weighed(
        weigher,
        xen('a', 0),
        xen('b', 10),
        xen('c', 0, aggregates=[filled]),
        xen('d', 10, aggregates=[filled]),
        xen('e', 5, aggregates=[off]),
    )
    assert found['a'] == found['d'] == found['e'] == 0
    assert found['b'] < 0
    assert found['c'] == pytest.approx(found['b'])


def test_where_the_first_dom0_is_nearly_full_other_hosts_come_first(
    weigher, option
):
    # 26 is what the dom0 of each serves
    for multiplier, guests in ((10, (24, 25)), (-10, (24, 0))):
        option(OPTION, multiplier)
        a, b = guests
        found = weighed(weigher, xen('a', a), xen('b', b), kvm('k'))
        assert max(found['a'], found['b']) < found['k'] == 0
        assert found['a'] > found['b']


# None: not a Xen host; nan: one that can't be weighed
headrooms = st.none() | st.just(math.nan) | st.floats(-100, 1)
multipliers = st.sampled_from((0.0, 10.0, 3.5, -10.0, -0.5))
clouds = st.lists(st.tuples(headrooms, multipliers), max_size=20)


def scaled(cloud):
    return weights.scaled([h for h, _ in cloud], [m for _, m in cloud])


@given(clouds)
def test_scaled(cloud):
    result = scaled(cloud)
    assert len(result) == len(cloud)
    assert all(math.isfinite(each) for each in result)
    for (headroom, multiplier), weight in zip(cloud, result):
        assert multiplier * weight <= 0
        if headroom is None or multiplier == 0:
            assert weight == 0
    known, unknown = [], []
    for sign in (1, -1):
        group = [
            (headroom, weight)
            for (headroom, multiplier), weight in zip(cloud, result)
            if headroom is not None
            and not math.isnan(headroom)
            and multiplier * sign > 0
        ]
        found = [weight * sign for _, weight in group]
        assert max(found, default=0) - min(found, default=0) <= 1 + 1e-9
        if group:
            first = (max if sign > 0 else min)(h for h, _ in group)
            assert (max(found) == 0) is (first >= weights.NEARLY_FULL)
    for (headroom, multiplier), weight in zip(cloud, result):
        if headroom is not None and multiplier:
            which = unknown if math.isnan(headroom) else known
            which.append(multiplier * weight)
    assert unknown == pytest.approx([min(known, default=0)] * len(unknown))


@given(clouds, st.randoms())
def test_the_order_of_hosts_does_not_matter(cloud, random):
    shuffled = list(range(len(cloud)))
    random.shuffle(shuffled)
    straight = scaled(cloud)
    mixed = scaled([cloud[i] for i in shuffled])
    for position, i in enumerate(shuffled):
        assert mixed[position] == pytest.approx(straight[i], abs=1e-9)


@given(
    st.lists(st.floats(-100, 1), min_size=2, max_size=20),
    st.sampled_from((10, -10)),
)
def test_more_headroom_never_weighs_less(found, multiplier):
    result = weights.scaled(found, [multiplier] * len(found))
    pairs = sorted(zip(found, result))
    for (_, lower), (_, higher) in zip(pairs, pairs[1:]):
        assert lower <= higher + 1e-9


def test_the_more_overcommitted_host_is_always_the_worse_one():
    found = weights.scaled([0.5, -0.9, -1.0, -1.1, -6.0, -100.0], [1] * 6)
    assert found == sorted(found, reverse=True)
    assert len(set(found)) == len(found)


def test_one_broken_dom0_does_not_make_the_others_alike():
    sound = weights.scaled([0.9, 0.6], [1] * 2)
    beside = weights.scaled([0.9, 0.6, -100.0], [1] * 3)
    assert sound[0] - sound[1] == pytest.approx(1)
    assert beside[0] - beside[1] > 0.1


def test_a_multiplier_that_cannot_be_read_is_the_option_s(weigher, caplog):
    class Broken:
        host = 'xen-a1'

        @property
        def aggregates(self):
            raise RuntimeError('odd')

    assert weigher.weight_multiplier(Broken()) == 10.0
    assert 'the option is used' in caplog.text


def test_garbage_in_a_host_s_aggregates_leaves_the_others_theirs(
    weigher, caplog
):
    three = builders.multiplying('3')
    nothing = objects.Aggregate(name='a')
    nothing._obj_metadata = None
    states = [
        xen('g', aggregates=['no aggregate', three]),
        xen('a', aggregates=[three]),
        xen('b', aggregates=None),
        xen('c', aggregates=[[]]),
        xen('d', aggregates=[nothing]),
        xen('e', aggregates=[three, 'no aggregate']),
        xen('f', 20, aggregates=[three]),
    ]
    found = weighed(weigher, *states)
    multipliers = [weigher.weight_multiplier(state) for state in states]
    assert multipliers == [3, 3, 10, 10, 10, 3, 3]
    assert found['f'] < found['a']
    assert "reading a host's multiplier; the option is used" in caplog.text


def test_no_multiplier_of_an_aggregate_makes_a_weight_infinite(weigher):
    most = builders.multiplying('1e308')
    full = [xen('a', 500, aggregates=[most]), xen('b', 500)]
    assert all(map(math.isfinite, weighed(weigher, *full).values()))
