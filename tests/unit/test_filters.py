# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import logging

from nova import objects
import nova.conf
from nova.scheduler import filters as nova_filters
import pytest

from nova_xen_sched import conf
from nova_xen_sched import filters
from nova_xen_sched import log
from nova_xen_sched import rules
from tests.unit import builders

pytestmark = pytest.mark.usefixtures('clean')

CONF = nova.conf.CONF


@pytest.fixture
def xen_filter():
    return filters.XenHostFilter()


def hosts():
    return [
        builders.state('hvm1'),
        builders.state('pv1', builders.XEN_PV),
        builders.state('hvmonly1', builders.XEN_HVM_ONLY),
        builders.kvm_state('kvm1'),
    ]


def names(passed):
    return [state.host for state in passed]


HVM_IMAGE = {'hypervisor_type': 'xen', 'vm_mode': 'hvm'}
PV_IMAGE = {'hypervisor_type': 'xen', 'vm_mode': 'xen'}


@pytest.mark.parametrize(
    'image, expected',
    [
        (HVM_IMAGE, ['hvm1', 'hvmonly1']),
        (PV_IMAGE, ['hvm1', 'pv1']),
        ({'hypervisor_type': 'xen'}, ['hvm1', 'pv1']),
        ({'hypervisor_type': 'kvm'}, ['kvm1']),
        ({}, ['hvm1', 'pv1', 'kvm1']),
    ],
)
def test_filter_all(xen_filter, image, expected):
    passed = xen_filter.filter_all(iter(hosts()), builders.spec(image))
    assert names(passed) == expected


def test_host_passes_agrees(xen_filter):
    spec = builders.spec(HVM_IMAGE)
    assert [
        state.host for state in hosts() if xen_filter.host_passes(state, spec)
    ] == ['hvm1', 'hvmonly1']


def test_no_hosts_and_no_image(xen_filter):
    assert xen_filter.filter_all([], builders.spec()) == []
    spec = builders.spec()
    spec.image = None
    assert len(xen_filter.filter_all(hosts(), spec)) == 3


def test_it_runs_on_rebuild_and_once_per_request(xen_filter):
    assert xen_filter.RUN_ON_REBUILD
    assert xen_filter.run_filter_for_index(0)
    assert not xen_filter.run_filter_for_index(1)
    passed = xen_filter.filter_all(hosts(), builders.rebuilt(HVM_IMAGE))
    assert names(passed) == ['hvm1', 'hvmonly1']


def test_a_limit_counts_for_each_server_of_a_request(xen_filter, option):
    option('refuse_dom0_overcommit', True)
    assert xen_filter.run_filter_for_index(0)
    assert xen_filter.run_filter_for_index(1)


def test_default_architecture_of_nova(xen_filter, option):
    option('image_properties_default_architecture', 'i686', 'filter_scheduler')
    passed = xen_filter.filter_all(hosts(), builders.spec())
    assert names(passed) == []


def test_options_count_from_the_next_request_on(xen_filter, option):
    spec = builders.spec(image={'disk_format': 'vmdk'})
    assert names(xen_filter.filter_all(hosts(), spec)) == [
        'hvm1',
        'pv1',
        'kvm1',
    ]
    option('disk_formats', ['raw'])
    assert names(xen_filter.filter_all(hosts(), spec)) == ['kvm1']
    option('disk_formats', [])
    option('require_hypervisor_type', True)
    assert names(xen_filter.filter_all(hosts(), spec)) == ['kvm1']


def test_moves_are_not_stranded(xen_filter, option):
    option('disk_formats', ['raw'])
    option('require_hypervisor_type', True)
    spec = builders.moved(image={'disk_format': 'vmdk'})
    assert names(xen_filter.filter_all(hosts(), spec)) == [
        'hvm1',
        'pv1',
        'kvm1',
    ]


@pytest.mark.parametrize('make', [builders.spec, builders.moved])
def test_a_forged_rebuild_hint_changes_nothing(xen_filter, option, make):
    option('disk_formats', ['raw'])
    forged = {'scheduler_hints': {'_nova_check_type': ['rebuild']}}
    for image in (HVM_IMAGE, PV_IMAGE, {}):
        honest = make(image, image={'disk_format': 'vmdk'})
        liar = make(image, image={'disk_format': 'vmdk'}, **forged)
        assert names(xen_filter.filter_all(hosts(), liar)) == names(
            xen_filter.filter_all(hosts(), honest)
        )


def test_each_distinct_host_is_judged_once(xen_filter, mocker):
    judge = mocker.spy(rules.Judge, '__call__')
    many = [builders.state('x%d' % i) for i in range(50)]
    many += [builders.kvm_state('k%d' % i) for i in range(50)]
    xen_filter.filter_all(many, builders.spec(HVM_IMAGE))
    assert judge.call_count == 2


def test_options_are_read_once_a_request(xen_filter, mocker):
    read = mocker.spy(conf, 'read')
    xen_filter.filter_all(hosts(), builders.spec(HVM_IMAGE))
    assert read.call_count == 1


def test_verdicts_tell_all_reasons(xen_filter, option):
    option('report_only', ['all'])
    (verdict,) = xen_filter.verdicts(
        [builders.state('pv1', builders.XEN_PV)],
        builders.spec({'hypervisor_type': 'kvm', 'vm_mode': 'hvm'}),
        every=True,
    )
    assert [str(r.code) for r in verdict.refusals] == [
        'hypervisor_type',
        'vm_mode',
    ]


@pytest.mark.parametrize('free, passes', [(None, True), ('2001', False)])
def test_what_xen_reports_as_left_is_a_limit(xen_filter, option, free, passes):
    """As measured: dom0 has 1280 MiB, of which nothing told the scheduler."""
    option('refuse_dom0_overcommit', True)
    state = builders.state(
        total_usable_ram_mb=3583,
        free_ram_mb=3583 - 512,
        stats={} if free is None else {'xen_free_memory_mb': free},
    )
    spec = builders.spec(
        {'vm_mode': 'xen'}, flavor=objects.Flavor(memory_mb=2432, vcpus=1)
    )
    (verdict,) = xen_filter.verdicts([state], spec)
    assert xen_filter.host_passes(state, spec) == passes
    assert [str(refusal.code) for refusal in verdict.refusals] == (
        [] if passes else ['host_memory']
    )


# What it logs


def test_one_info_line_a_request(xen_filter, caplog, logged):
    with caplog.at_level(logging.INFO):
        xen_filter.filter_all(hosts(), builders.spec(HVM_IMAGE))
    assert logged('INFO') == [
        'XenHostFilter: 2 of 4 hosts left for instance %s: '
        'hypervisor_type=1 vm_mode=1' % builders.UUID
    ]


def test_sorting_by_type_is_no_news(xen_filter, caplog, logged):
    two = [builders.state('hvm1'), builders.kvm_state('kvm1')]
    with caplog.at_level(logging.DEBUG):
        xen_filter.filter_all(two, builders.spec(HVM_IMAGE))
    assert logged('INFO') == []
    debug = logged('DEBUG')
    assert debug[0].startswith(
        'XenHostFilter: kvm1 is refused: hypervisor_type: the image'
    )
    assert debug[1].startswith('XenHostFilter: 1 of 2 hosts left')
    assert len(debug) == 2


def test_none_left_is_news(xen_filter, caplog, logged):
    with caplog.at_level(logging.INFO):
        xen_filter.filter_all([builders.kvm_state()], builders.spec(HVM_IMAGE))
    assert logged('INFO') == [
        'XenHostFilter: 0 of 1 hosts left for instance %s: hypervisor_type=1'
        % builders.UUID
    ]


def test_no_line_where_nothing_was_refused(xen_filter, caplog, logged):
    with caplog.at_level(logging.DEBUG):
        xen_filter.filter_all([builders.state()], builders.spec(HVM_IMAGE))
    assert logged('DEBUG') == logged('INFO') == []


def test_report_only_refuses_nothing_and_says_so(
    xen_filter, option, caplog, logged
):
    option('report_only', ['all'])
    with caplog.at_level(logging.DEBUG):
        passed = xen_filter.filter_all(hosts(), builders.spec(HVM_IMAGE))
    assert len(passed) == 4
    assert logged('INFO') == [
        'XenHostFilter: 4 of 4 hosts left for instance %s: '
        'report_only: hypervisor_type=1 vm_mode=1' % builders.UUID
    ]
    assert logged('DEBUG')[0].startswith(
        'XenHostFilter: pv1 would be refused (report_only): vm_mode: '
    )


# It never raises into nova


def test_an_error_with_one_host_accepts_that_host(xen_filter, logged):
    broken = builders.state('broken')
    broken.supported_instances = 42
    for _ in range(3):
        passed = xen_filter.filter_all(
            [broken] + hosts(), builders.spec(HVM_IMAGE)
        )
        assert names(passed) == ['broken', 'hvm1', 'hvmonly1']
    assert len(logged('ERROR')) == 1


def test_an_error_with_the_request_accepts_all(xen_filter, logged):
    for _ in range(3):
        assert len(xen_filter.filter_all(hosts(), object())) == 4
    assert len(logged('ERROR')) == 1


def test_an_error_while_warning_leaves_the_verdicts(xen_filter, mocker):
    mocker.patch.object(log.LOG, 'warning', side_effect=TypeError)
    old, new = builders.state('old'), builders.state('new')
    old.stats = {'xen_libvirt_version': '1.2.5', 'xen_version': 'odd'}
    new.stats = {'xen_libvirt_version': '9.0.0', 'xen_version': 'odd'}
    passed = xen_filter.filter_all([old, new], builders.spec(HVM_IMAGE))
    assert names(passed) == ['new']


def test_one_broken_aggregate_leaves_the_facts_of_the_others(xen_filter):
    states = [builders.state(name) for name in ('old', 'new')]
    stating = objects.Aggregate(
        name='a', metadata={'xen:libvirt_version': '1.2.5'}
    )
    # Its metadata isn't loaded, and can't be.
    states[0].aggregates = [objects.Aggregate(name='b'), stating]
    states[1].aggregates = [objects.Aggregate(name='b')]
    passed = xen_filter.filter_all(states, builders.spec(HVM_IMAGE))
    assert names(passed) == ['new']


def test_an_error_while_logging_leaves_the_verdicts(xen_filter, mocker):
    mocker.patch.object(filters, '_counted', side_effect=TypeError)
    passed = xen_filter.filter_all(hosts(), builders.spec(HVM_IMAGE))
    assert names(passed) == ['hvm1', 'hvmonly1']


def test_an_error_in_a_rule_accepts(xen_filter, mocker, logged):
    mocker.patch.object(rules.Judge, '__call__', side_effect=ZeroDivisionError)
    assert len(xen_filter.filter_all(hosts(), builders.spec())) == 4
    assert len(logged('ERROR')) == 1


# How nova loads it


@pytest.mark.parametrize('path', ['XenHostFilter', 'all_filters'])
def test_nova_loads_it(path):
    handler = nova_filters.HostFilterHandler()
    classes = handler.get_matching_classes(['nova_xen_sched.filters.' + path])
    assert classes == [filters.XenHostFilter]


def test_a_wrong_value_stops_nova_scheduler(tmp_path, logged):
    path = tmp_path / 'nova.conf'
    path.write_text('[xen_scheduler]\ndefault_vm_mode = pvh\n')
    CONF(['--config-file', str(path)], project='nova')
    with pytest.raises(SystemExit) as raised:
        filters.XenHostFilter()
    assert str(raised.value) == (
        'nova-xen-sched: [xen_scheduler] default_vm_mode has a wrong value '
        "in %s: 'pvh'; allowed: xen, hvm or any" % path
    )
    assert len(logged('CRITICAL')) == 1
