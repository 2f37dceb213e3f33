# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import datetime

from nova.scheduler import host_manager
from oslo_config import cfg
import pytest

from nova_xen_sched import conf
from nova_xen_sched import facts
from nova_xen_sched.facts import gather
from tests.unit import builders

EVERY = frozenset(facts.BY_NAME)
ALL = ('stats', 'file', 'aggregate', 'service_version')


@pytest.fixture
def parsed():
    config = cfg.ConfigOpts()
    config([])
    conf.register_opts(config)
    return config


class Site:
    """A site's own source of facts.

    :param of: what it has of a host, by the HostState.
    """

    def __init__(self, of):
        self._of = of

    def for_request(self, host_states):
        return self._of


class Down:
    def for_request(self, host_states):
        raise RuntimeError('no CMDB')


def gathered(config, *states, names=ALL, max_age=0, site=None):
    gatherer = gather.Gatherer(config, names)
    if site:
        gatherer._sources.insert(0, ('cmdb', site))
    request = gatherer.for_request(list(states), EVERY, max_age)
    found = [request(state) for state in states]
    request.noticed.warn()
    return found


def state(name='h', stats=None, metadata=None, service=None):
    result = builders.state(name)
    if stats is not None:
        result.stats = stats
    if metadata is not None:
        result.aggregates = [builders.aggregate(**metadata)]
    if service is not None:
        result.service = host_manager.ReadOnlyDict({'version': service})
    return result


@pytest.mark.parametrize(
    'names, said',
    [
        (
            ('stats', 'agregate'),
            'agregate is not installed; there are aggregate, file, ',
        ),
        (('stats', 'file', 'stats'), 'stats is named twice'),
    ],
)
def test_wrong_names_of_sources(parsed, names, said):
    with pytest.raises(conf.OptionError, match=said):
        gather.Gatherer(parsed, names)


def test_each_fact_from_the_first_source_that_knows_it(parsed, tmp_path):
    path = tmp_path / 'facts.yaml'
    path.write_text('version: 1\nhosts: {h: {xen_version: "4.17.5"}}')
    parsed.set_override('host_facts_file', str(path), 'xen_scheduler')
    (found,) = gathered(
        parsed,
        state(
            stats={'xen_libvirt_version': '9.0.0'},
            metadata={
                'libvirt_version': '1.2.5',
                'version': '4.4.1',
                'dom0_vcpus': '4',
            },
            service=53,
        ),
    )
    assert found.known == {
        'libvirt_version': facts.Fact((9, 0, 0), 'stats'),
        'xen_version': facts.Fact((4, 17, 5), 'file'),
        'dom0_vcpus': facts.Fact(4, 'aggregate'),
    }


def test_the_order_is_the_operator_s(parsed):
    known = state(
        stats={'xen_libvirt_version': '9.0.0'},
        metadata={'libvirt_version': '1.2.5'},
    )
    (found,) = gathered(parsed, known, names=('aggregate', 'stats'))
    assert found.get('libvirt_version').value == (1, 2, 5)
    (found,) = gathered(parsed, known, names=('service_version',))
    assert found.get('libvirt_version') is None


def test_a_service_version_is_a_lower_bound(parsed):
    (found,) = gathered(parsed, state(service=53))
    assert found.get('libvirt_version') == facts.Fact(
        (4, 0, 0), 'service_version', exact=False
    )


def test_a_stated_version_below_the_bound_wins_with_one_warning(
    parsed, logged
):
    states = [
        state(
            'h%02d' % i,
            metadata={'libvirt_version': '1.2.5'},
            service=53,
        )
        for i in range(12)
    ]
    for _ in range(3):
        found = gathered(parsed, *states)
        assert {f.get('libvirt_version').value for f in found} == {(1, 2, 5)}
    assert logged('WARNING') == [
        'libvirt 1.2.5 from aggregate is used, although '
        'service_version shows that nova-compute needs at least 4.0.0 (12): '
        '%s; ...' % '; '.join('h%02d' % i for i in range(10))
    ]


def test_an_unreadable_value_is_unknown_there(parsed, logged):
    bad = state('h1', stats={'xen_libvirt_version': 'new'}, service=53)
    (found,) = gathered(parsed, bad)
    assert found.get('libvirt_version').source == 'service_version'
    assert logged('WARNING') == [
        "libvirt_version from stats can't be read and is unknown, such as "
        "'new': not a version like 1.2.15 (1): h1"
    ]


def test_a_bad_value_that_changes_is_no_news(parsed, logged):
    for i in range(5):
        bad = {'xen_facts_observed_at': '170000000%d' % i}
        gathered(parsed, *[state('h%d' % n, bad) for n in range(20)])
    assert len(logged('WARNING')) == 1


def test_stale_facts_are_used_and_warned_of(parsed, logged):
    now = datetime.datetime.now(datetime.timezone.utc)

    def observed(days):
        then = now - datetime.timedelta(days=days)
        return {
            'xen_libvirt_version': '9.0.0',
            'xen_facts_observed_at': then.isoformat(),
        }

    old, new = state('old', observed(8)), state('new', observed(6))
    found = gathered(parsed, old, new, max_age=7)
    assert [f.get('libvirt_version').stale for f in found] == [True, False]
    assert logged('WARNING') == [
        'Facts from stats are older than facts_max_age and still used (1): old'
    ]
    found = gathered(parsed, old, new)
    assert not any(f.get('libvirt_version').stale for f in found)


def test_age_is_the_source_s_own(parsed):
    (found,) = gathered(
        parsed,
        state(
            stats={'xen_version': '4.17.5'},
            metadata={
                'libvirt_version': '9.0.0',
                'observed_at': '2001-01-01T00:00:00Z',
            },
        ),
        max_age=1,
    )
    assert not found.get('xen_version').stale
    assert found.get('libvirt_version').stale


def test_equal_hosts_share_their_facts(parsed):
    one, other = gathered(
        parsed,
        state('a', {'xen_version': '4.17.5'}),
        state('b', {'xen_version': '4.17.5'}),
    )
    assert one is other


KNOWN = {'xen_version': '4.17.5'}


@pytest.mark.parametrize('answer', [None, {}, [], ['x'], 'x', 7])
def test_a_source_that_answers_oddly_is_skipped(parsed, answer):
    odd = Site(lambda state: answer)
    (found,) = gathered(parsed, state(stats=KNOWN), site=odd)
    assert found.get('xen_version').value == (4, 17, 5)


def _no_such_host(state):
    raise RuntimeError('no such host')


@pytest.mark.parametrize('broken', [Down(), Site(_no_such_host)])
def test_a_source_that_raises_is_skipped(parsed, logged, broken):
    for _ in range(3):
        (found,) = gathered(parsed, state(stats=KNOWN), site=broken)
        assert found.get('xen_version').value == (4, 17, 5)
    (error,) = logged('ERROR')
    assert 'reading the source of facts cmdb; it is skipped' in error


def test_a_source_that_fails_for_one_host_fails_for_that_host_alone(parsed):
    site = Site(lambda state: {'dom0_vcpus': {'a': 2, 'c': 4}[state.host]})
    states = [state('a'), state('b', {'xen_dom0_vcpus': '7'}), state('c')]
    found = gathered(parsed, *states, site=site)
    assert [each.get('dom0_vcpus').value for each in found] == [2, 7, 4]


def test_a_source_that_does_not_load_is_skipped(parsed, logged, mocker):
    mocker.patch(
        'nova_xen_sched.facts.reported.Stats', side_effect=ImportError('no x')
    )
    for _ in range(2):
        (found,) = gathered(parsed, state(service=53))
        assert found.get('libvirt_version').source == 'service_version'
    assert logged('ERROR') == [
        "The source of facts stats can't be loaded and is skipped: "
        "ImportError('no x')"
    ]


def test_equal_words_of_different_kinds_are_not_mixed_up(parsed):
    for said in ('8.0.0', facts.AtLeast('8.0.0')) * 3:
        site = Site(lambda state, said=said: {'libvirt_version': said})
        (found,) = gathered(parsed, state(), site=site)
        exact = not isinstance(said, facts.AtLeast)
        assert found.get('libvirt_version').exact is exact


def test_answers_that_live_for_a_moment_are_not_mixed_up(parsed):
    """A source may make its answers anew for each host."""
    states = [state(str(i)) for i in range(1, 200)]
    fresh = Site(lambda state: {'dom0_vcpus': int(state.host)})
    found = gathered(parsed, *states, site=fresh)
    assert [each.get('dom0_vcpus').value for each in found] == [*range(1, 200)]


def test_one_dict_that_is_changed_for_each_host(parsed):
    answer = {}

    def changed(state):
        answer['dom0_vcpus'] = int(state.host)
        return answer

    states = [state(str(i)) for i in range(1, 4)]
    found = gathered(parsed, *states, site=Site(changed))
    assert [each.get('dom0_vcpus').value for each in found] == [1, 2, 3]
