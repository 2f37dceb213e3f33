# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st
import pytest

from nova_xen_sched import conf
from nova_xen_sched import rules
from nova_xen_sched import versions
from nova_xen_sched.facts import Fact
from nova_xen_sched.facts.gather import HostFacts
from nova_xen_sched.refusal import Code
from nova_xen_sched.request import ANY_MOVE
from nova_xen_sched.request import GuestRequest
from nova_xen_sched.request import Kind
from tests.unit import builders


def host(
    libvirt='1.3.2',
    backports=None,
    xen='4.17.5',
    exact=True,
    reported=4017000,
    types=builders.XEN_HVM,
    hypervisor_type='Xen',
):
    known = {}
    if libvirt:
        known['libvirt_version'] = Fact(versions.parse(libvirt), 'file', exact)
    if backports is not None:
        known['libvirt_migration_backports'] = Fact(backports, 'file')
    if xen:
        known['xen_version'] = Fact(versions.parse(xen), 'file')
    return builders.host(
        types, hypervisor_type, reported, facts=HostFacts(known)
    )


def refusals(host, kinds=(Kind.BOOT,), tell=lambda: None, **settings):
    for name in ('min_libvirt_version', 'min_xen_version'):
        if isinstance(settings.get(name), str):
            settings[name] = versions.parse(settings[name])
    verdict = rules.Judge(
        GuestRequest(kinds=frozenset(kinds)), conf.defaults(**settings), tell
    )(host, every=True)
    return list(verdict.refusals)


def codes(*args, **kwargs):
    return [str(refusal.code) for refusal in refusals(*args, **kwargs)]


TOO_OLD = ['libvirt_too_old']
UPGRADE = (
    "; upgrade the host's libvirt; if it was patched, set the fact "
    'libvirt_version to the release that it equals'
)


@pytest.mark.parametrize(
    'libvirt, minimum, expected',
    [
        ('1.2.5', '1.3.2', TOO_OLD),
        ('1.2.15', '1.2.5', []),  # numbers, not text
        ('1.2.5', '1.2.15', TOO_OLD),
        ('1.3.1', '1.3.2', TOO_OLD),
        ('1.3.2', '1.3.2', []),
        ('1.3.2', '1.3.2.0', []),
        ('9.0.0', '10.0.0', TOO_OLD),
        ('10.0.0', '9.0.0', []),
    ],
)
def test_libvirt(libvirt, minimum, expected):
    assert codes(host(libvirt), min_libvirt_version=minimum) == expected


def test_0_is_off():
    assert codes(host('1.0.0'), min_libvirt_version=None) == []
    old = host(xen='3.0.0')
    assert codes(old, min_xen_version=None) == []
    assert codes(host(xen='4.5.0'), min_xen_version=None) == []


@pytest.mark.parametrize(
    'libvirt, minimum, expected',
    [
        # counts as 1.3.1: accepted there, refused at 1.3.2
        ('1.2.15', '1.3.1', []),
        ('1.2.15', '1.3.2', TOO_OLD),
        ('1.3.0', '1.3.1', []),
        # newer ones count as what they are
        ('1.3.2', '1.3.2', []),
        ('9.0.0', '8.0.0', []),
    ],
)
def test_backports(libvirt, minimum, expected):
    patched = host(libvirt, backports=True)
    assert codes(patched, min_libvirt_version=minimum) == expected


def test_a_refusal_names_whose_backports_count():
    patched = host('1.2.15')
    patched.facts.known['libvirt_migration_backports'] = Fact(True, 'stats')
    (refusal,) = refusals(patched, min_libvirt_version='1.3.2')
    assert '1.2.15 (from file), counted as 1.3.1 for' in refusal.reason
    assert 'for its migration backports (from stats)' in refusal.reason


def test_no_backports():
    stock = host('1.2.15', backports=False)
    assert codes(stock, min_libvirt_version='1.3.1') == TOO_OLD


@pytest.mark.parametrize('policy', ['accept', 'refuse'])
def test_unknown_libvirt(policy):
    unknown = ['libvirt_unknown'] if policy == 'refuse' else []

    def judged(minimum, **facts):
        return codes(
            host(**facts),
            min_libvirt_version=minimum,
            unknown_version=policy,
        )

    assert judged('1.3.2', libvirt=None) == unknown
    # a bound proves "new enough", never "too old"
    assert judged('1.3.2', libvirt='4.0.0', exact=False) == []
    assert judged('4.0.0', libvirt='4.0.0', exact=False) == []
    assert judged('5.0.0', libvirt='4.0.0', exact=False) == unknown
    # backports prove 1.3.1 whatever the version
    assert judged('1.3.1', libvirt=None, backports=True) == []
    assert judged('1.3.2', libvirt=None, backports=True) == unknown


@pytest.mark.parametrize(
    'xen, reported, expected',
    [
        # also a patched 4.4.1 that equals 4.4.3 and is stated so
        ('4.4.3', 4004000, []),
        ('4.4.2', 4004000, ['xen_too_old']),
        ('4.5.0', 4005000, ['xen_too_old']),  # known to be bad
        ('4.5.1', 4005000, []),
        ('4.17.5', 4017000, []),
        (None, 4003000, ['xen_too_old']),
        (None, 4006000, []),
        (None, 4014000, []),
        # where the patch level matters and is not known
        (None, 4004000, ['xen_unknown']),
        (None, 4005000, ['xen_unknown']),
        ('4.4', 4004000, ['xen_unknown']),
        ('4', 4017000, ['xen_unknown']),
        (None, -1, ['xen_unknown']),
        # a compute that does report the patch level
        (None, 4004003, []),
        (None, 4004002, ['xen_too_old']),
        (None, None, ['xen_unknown']),
        (None, 0, ['xen_unknown']),
    ],
)
def test_xen(xen, reported, expected):
    judged = host(xen=xen, reported=reported)
    assert codes(judged, unknown_version='refuse') == expected
    known = [code for code in expected if code != 'xen_unknown']
    assert codes(judged, unknown_version='accept') == known


def test_other_hosts_have_no_such_versions():
    old = {'libvirt': '1.0.0', 'xen': '3.0.0'}
    xapi = host(hypervisor_type='XenServer', **old)
    kvm = host(types=builders.KVM, hypervisor_type='QEMU', **old)
    assert codes(xapi, unknown_version='refuse') == []
    assert codes(kvm, unknown_version='refuse') == []


BOTH = ['xen_too_old', 'libvirt_too_old']
XEN = ['xen_too_old']


@pytest.mark.parametrize(
    'check, kind, expected',
    [
        ('always', Kind.BOOT, BOTH),
        ('always', Kind.MOVE, BOTH),
        ('always', Kind.LIVE_MIGRATION, BOTH),
        ('always', Kind.EVACUATION, []),
        ('always', Kind.REBUILD, []),
        ('live_migration', Kind.BOOT, XEN),
        ('live_migration', Kind.MOVE, XEN),
        ('live_migration', Kind.LIVE_MIGRATION, BOTH),
        ('live_migration', Kind.EVACUATION, []),
        ('live_migration', Kind.REBUILD, []),
        ('never', Kind.BOOT, XEN),
        ('never', Kind.MOVE, XEN),
        ('never', Kind.LIVE_MIGRATION, XEN),
        ('never', Kind.EVACUATION, []),
        ('never', Kind.REBUILD, []),
    ],
)
def test_which_rules_count_for_which_request(check, kind, expected):
    old = host('1.2.5', xen='4.4.1')
    settings = {'live_migration_check': check}
    assert codes(old, [kind], **settings) == expected
    if kind in ANY_MOVE:  # where the cell must tell
        assert codes(old, ANY_MOVE, lambda: kind, **settings) == expected


@pytest.mark.parametrize('check', ['always', 'live_migration'])
def test_when_nothing_can_tell(check):
    old = host('1.2.5')
    settings = {'live_migration_check': check}
    assert codes(old, ANY_MOVE, **settings) == ['live_migration_unknown']
    settings['live_migration_unknown'] = 'accept'
    assert codes(old, ANY_MOVE, **settings) == []


def test_what_is_only_reported_is_not_enforced_for_want_of_an_answer():
    asked = GuestRequest(kinds=ANY_MOVE)
    settings = conf.defaults(report_only=frozenset({Code.LIBVIRT_TOO_OLD}))
    verdict = rules.Judge(asked, settings)(host('1.2.5'))
    assert verdict.refusal is None
    (reported,) = verdict.refusals
    assert reported.code is Code.LIVE_MIGRATION_UNKNOWN
    assert reported.otherwise is Code.LIBVIRT_TOO_OLD
    strict = rules.Judge(asked, conf.defaults())(host('1.2.5'))
    assert strict.refusal == reported


def test_it_is_asked_only_where_a_refusal_depends_on_it(mocker):
    tell = mocker.Mock(return_value=Kind.LIVE_MIGRATION)
    codes(host('9.0.0'), ANY_MOVE, tell)
    codes(host('1.2.5'), [Kind.BOOT], tell)
    codes(host('1.2.5'), [Kind.LIVE_MIGRATION], tell)
    codes(host('1.2.5'), ANY_MOVE, tell, live_migration_check='never')
    assert tell.call_count == 0
    # A host already refused costs no read.
    asked = GuestRequest(vm_mode='uml', kinds=ANY_MOVE)
    verdict = rules.Judge(asked, conf.defaults(), tell)(host('1.2.5'))
    assert verdict.refusal.code is Code.VM_MODE
    assert tell.call_count == 0
    codes(host('1.2.5'), ANY_MOVE, tell)
    assert tell.call_count == 1


@pytest.mark.parametrize(
    'judged, settings, sentence',
    [
        (
            host('1.2.5'),
            {},
            "libvirt_too_old: the host's libvirt is 1.2.5 (from file), "
            'older than 1.3.2; libvirt 1.2.15 is the least for OpenStack'
            + UPGRADE,
        ),
        (
            host('1.3.0'),
            {},
            "libvirt_too_old: the host's libvirt is 1.3.0 (from file), "
            'older than 1.3.2; libvirt 1.3.1 has what monitoring a live '
            'migration needs; below it the instance stays MIGRATING' + UPGRADE,
        ),
        (
            host('1.2.15', backports=True),
            {},
            "libvirt_too_old: the host's libvirt is 1.2.15 (from file), "
            'counted as 1.3.1 for its migration backports (from file), older '
            'than 1.3.2; libvirt 1.3.2 has peer-to-peer migration; recommended'
            + UPGRADE,
        ),
        (
            host('7.0.0'),
            {'min_libvirt_version': '8.0.0'},
            "libvirt_too_old: the host's libvirt is 7.0.0 (from file), "
            'older than 8.0.0' + UPGRADE,
        ),
        (
            host(None),
            {},
            "libvirt_unknown: the host's libvirt is of unknown version, so "
            'it may be older than 1.3.2; set the fact '
            'libvirt_version',
        ),
        (
            host('4.0.0', exact=False),
            {'min_libvirt_version': '5.0.0'},
            "libvirt_unknown: the host's libvirt is 4.0.0 or newer, so "
            'it may be older than 5.0.0; set the fact libvirt_version',
        ),
        (
            host(xen='4.4.1'),
            {},
            "xen_too_old: the host's Xen is 4.4.1, older than 4.4.3; "
            "upgrade the host's Xen; if it was patched, set the fact "
            'xen_version to the release that it equals',
        ),
        (
            host(xen='4.5.0'),
            {},
            "xen_too_old: the host's Xen 4.5.0 lacks changes that OpenStack "
            "needs and that 4.4.3 and 4.5.1 have; upgrade the host's Xen; if "
            'it was patched, set the fact xen_version to the release that it '
            'equals',
        ),
        (
            host(xen=None, reported=4004000),
            {},
            "xen_unknown: the host's Xen is known as 4.4 only, so it may be "
            'older than 4.4.3; set the fact xen_version with its '
            'patch level, such as 4.17.5',
        ),
        (
            host(xen=None, reported=4005000),
            {},
            "xen_unknown: the host's Xen is known as 4.5 only, so it may be "
            '4.5.0; set the fact xen_version with its '
            'patch level, such as 4.17.5',
        ),
    ],
)
def test_sentences(judged, settings, sentence):
    found = refusals(judged, unknown_version='refuse', **settings)
    assert [str(refusal) for refusal in found] == [sentence]


def test_sentence_of_what_cannot_be_told():
    (found,) = refusals(
        host('1.2.5'), ANY_MOVE, live_migration_check='live_migration'
    )
    assert str(found) == (
        "live_migration_unknown: it can't be told whether this is a live "
        "migration; if it is, libvirt_too_old: the host's libvirt is 1.2.5 "
        '(from file), older than 1.3.2; libvirt 1.2.15 is the least for '
        "OpenStack; see in the log why the instance can't be read in its "
        "cell's database, or set [xen_scheduler] live_migration_unknown = "
        'accept'
    )


some_versions = st.sampled_from(
    ['1.2.5', '1.2.15', '1.3.0', '1.3.1', '1.3.2', '4.0.0', '9.10', '9.9']
)


@given(some_versions, some_versions)
def test_a_higher_minimum_never_accepts_more(one, other):
    low, high = sorted((one, other), key=lambda v: versions.parse(v) + (0,))
    for libvirt, exact, backports in itertools.product(
        ['1.2.5', '1.3.0', '1.3.2', '9.9.1'], [True, False], [True, None]
    ):
        judged = host(libvirt, backports, exact=exact)
        for policy in ('accept', 'refuse'):
            if codes(judged, min_libvirt_version=low, unknown_version=policy):
                assert codes(
                    judged, min_libvirt_version=high, unknown_version=policy
                )
