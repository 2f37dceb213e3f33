# SPDX-License-Identifier: Apache-2.0

"""Traits that images require or could: which finding there is for which.

A stand-in says which host has what; tests/functional/test_publish_traits.py
has a real placement.
"""

from __future__ import annotations

import pytest

from nova_xen_sched.cmd.image import hosts
from nova_xen_sched.cmd.image import traits

BUS = 'COMPUTE_STORAGE_BUS_XEN'
HVM, PV = 'CUSTOM_XEN_HVM', 'CUSTOM_XEN_PV'
LIVE = 'CUSTOM_XEN_LIVE_MIGRATION'


class Hosts(hosts.Hosts):
    """Two Xen hosts, a and b, and others; no placement is asked."""

    def __init__(self, having, others='k'):
        self.xen = frozenset('ab')
        self.others = frozenset(others)
        self._having = having

    def having(self, trait):
        found = self._having.get(trait)
        return None if found is None else frozenset(found)


def found(having, required=(), others='k', propose=True, **properties):
    """The findings' codes, and the traits that the commands name."""
    image = {
        'id': 'image',
        'properties': {
            'hypervisor_type': 'xen',
            'vm_mode': 'hvm',
            **properties,
            **{'trait:' + each: 'required' for each in required},
        },
    }
    return [
        (str(each.code), each.mend.partition('trait:')[2].split('=')[0])
        for each in traits.findings(image, Hosts(having, others), propose)
    ]


def proposed(*args, **properties):
    return [
        trait
        for code, trait in found(*args, **properties)
        if code == 'no_trait_required'
    ]


def test_what_the_computes_report_is_proposed_first():
    assert proposed({BUS: 'ab', HVM: 'ab', PV: 'ab'}) == [BUS]
    assert proposed({BUS: 'ab'}) == [BUS]


@pytest.mark.parametrize(
    'having',
    [
        {},
        {BUS: ''},
        {BUS: 'a'},
        # b was never published.
        {BUS: 'a', HVM: 'a', PV: 'a'},
        # The others have it as well: nothing would be left out.
        {BUS: 'abk'},
    ],
)
def test_not_while_a_host_that_could_run_it_lacks_the_trait(having):
    assert proposed(having) == []


def test_a_host_of_the_other_guest_type_alone_does_not_matter():
    having = {HVM: 'a', PV: 'ab'}
    assert proposed(having) == [HVM]
    assert proposed(having, vm_mode='xen') == [PV]
    assert found(having, [HVM]) == []
    # Without a vm_mode it is the scheduler that says what it is.
    image = {'id': 'i', 'properties': {'hypervisor_type': 'xen'}}
    assert not list(traits.findings(image, Hosts(having), True))


def test_nothing_is_proposed_where_it_would_be_of_no_use():
    having = {BUS: 'ab', HVM: 'ab', PV: 'ab'}
    assert found(having, others='') == []
    assert found(having, propose=False) == []
    assert found(having, [HVM]) == []
    assert found(having, hypervisor_type='kvm') == []


def test_traits_that_hosts_lack():
    assert found({}, [HVM]) == [('trait_on_no_host', '')]
    assert found({HVM: ''}, [HVM]) == [('trait_on_no_host', '')]
    assert found({HVM: 'k'}, [HVM]) == [('trait_on_no_host', '')]
    assert found({HVM: 'a'}, [HVM]) == [('trait_not_on_every_host', '')]
    assert found({BUS: 'a'}, [BUS]) == [('trait_not_on_every_host', '')]
    # Another trait is there to select hosts.
    assert found({'HW_CPU_X86_AVX': 'a'}, ['HW_CPU_X86_AVX']) == []
    assert found({}, ['HW_CPU']) == [('trait_on_no_host', '')]


@pytest.mark.parametrize(
    ('trait', 'remedy'),
    [
        (HVM, 'nova-xen-sched facts publish --traits'),
        (BUS, 'require CUSTOM_XEN_HVM or CUSTOM_XEN_PV'),
        ('CUSTOM_SITE', 'correct its name'),
    ],
)
@pytest.mark.parametrize('having', ['', 'a'])
def test_what_to_do_depends_on_who_writes_the_trait(trait, remedy, having):
    image = {'id': 'i', 'properties': {'trait:' + trait: 'required'}}
    found = list(traits.findings(image, Hosts({trait: having}), True))
    if (trait, having) == ('CUSTOM_SITE', 'a'):
        assert found == []
    else:
        assert remedy in found[0].problem


def test_live_migration_is_no_trait_to_require():
    assert found({LIVE: 'ab'}, [LIVE]) == [
        ('live_migration_required', LIVE + ' image')
    ]
