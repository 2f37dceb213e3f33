# SPDX-License-Identifier: Apache-2.0

"""Filtering is nova's own, one filter at a time."""

from __future__ import annotations

from nova.scheduler import filters as nova_filters
from nova.scheduler import host_manager
import pytest

from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd.nova import filtering
from tests.unit import builders


class Manager:
    """A HostManager as far as filtering goes, with nova's own methods."""

    get_filtered_hosts = host_manager.HostManager.get_filtered_hosts

    def __init__(self, *enabled):
        self.filter_handler = nova_filters.HostFilterHandler()
        self.enabled_filters = list(enabled)


def refusing(name, *hosts, **attributes):
    """A filter that refuses these hosts."""

    def passes(self, state, spec):
        """Whether it is none of them."""
        return state.host not in hosts

    return type(
        name,
        (nova_filters.BaseHostFilter,),
        dict(
            attributes,
            host_passes=passes,
            __doc__='Keeps some hosts\n    away.\n\n    And more.',
        ),
    )()


def states(*names):
    return [builders.state(name) for name in names]


def spec(**values):
    for name in (
        'ignore_hosts',
        'force_hosts',
        'force_nodes',
        'requested_destination',
    ):
        values.setdefault(name, None)
    return builders.spec(**values)


def refused(found):
    return [(s.name, [h.host for h in s.refused]) for s in found.steps]


def test_each_host_is_with_the_first_filter_that_refused_it():
    manager = Manager(refusing('A', 'a'), refusing('B', 'a', 'b'))
    found = filtering.filtered(manager, states('a', 'b', 'c'), spec())
    assert refused(found) == [('request', []), ('A', ['a']), ('B', ['b'])]
    assert [state.host for state in found.left] == ['c']
    assert not found.skipped


def test_a_step_says_what_its_filter_is_for():
    found = filtering.filtered(Manager(refusing('A')), states('a'), spec())
    assert found.steps[1].why == 'Keeps some hosts away'


def test_what_is_left_is_what_nova_leaves():
    chain = [refusing('A', 'a'), refusing('B', 'c')]
    hosts = states('a', 'b', 'c', 'd')
    left = nova_filters.HostFilterHandler().get_filtered_objects(
        chain, hosts, spec()
    )
    found = filtering.filtered(Manager(*chain), hosts, spec())
    assert list(found.left) == left


def test_filters_after_the_last_host_are_not_asked():
    manager = Manager(refusing('A', 'a'), refusing('B'))
    found = filtering.filtered(manager, states('a'), spec())
    assert refused(found) == [('request', []), ('A', ['a'])]
    assert found.left == ()


def test_a_filter_that_says_to_stop_leaves_nobody():
    class Stops(nova_filters.BaseHostFilter):
        def filter_all(self, filter_obj_list, spec_obj):
            return None

    found = filtering.filtered(Manager(Stops()), states('a'), spec())
    assert refused(found) == [('request', []), ('Stops', ['a'])]


def test_a_rebuild_asks_the_filters_that_run_on_it():
    manager = Manager(
        refusing('Plain', 'host1'),
        refusing('OnRebuild', 'host1', RUN_ON_REBUILD=True),
    )
    request = spec(
        force_hosts=['host1'],
        scheduler_hints={'_nova_check_type': ['rebuild']},
    )
    found = filtering.filtered(manager, states('host1', 'host2'), request)
    assert refused(found) == [
        ('request', ['host2']),
        ('Plain', []),
        ('OnRebuild', ['host1']),
    ]
    assert 'the request is bound to host1' in found.steps[0].why


def test_hosts_to_ignore_are_ruled_out_by_the_request():
    found = filtering.filtered(
        Manager(refusing('A')), states('a', 'b'), spec(ignore_hosts=['a'])
    )
    assert refused(found) == [('request', ['a']), ('A', [])]
    assert found.steps[0].why == 'the server has to leave a'


def test_a_forced_host_skips_the_filters():
    found = filtering.filtered(
        Manager(refusing('A', 'a')), states('a', 'b'), spec(force_hosts=['a'])
    )
    assert found.skipped
    assert [state.host for state in found.left] == ['a']
    assert refused(found) == [('request', ['b'])]


def test_a_filter_that_fails_is_named():
    class Broken(nova_filters.BaseHostFilter):
        def host_passes(self, host_state, spec):
            raise AttributeError('no stats')

    manager = Manager(Broken())
    handler = manager.filter_handler
    with pytest.raises(errors.Failure, match=r'Broken fails.*no stats.*ERROR'):
        filtering.filtered(manager, states('a'), spec())
    # And the manager is as it was.
    assert manager.filter_handler is handler
