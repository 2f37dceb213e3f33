# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import pathlib

import pytest

from nova_xen_sched import cmd
from nova_xen_sched import conf
from nova_xen_sched import dom0
from nova_xen_sched import rules
from nova_xen_sched.dom0 import Resource
from nova_xen_sched.dom0 import Usage
from nova_xen_sched.refusal import Code
from nova_xen_sched.request import ANY_MOVE
from nova_xen_sched.request import GuestRequest
from nova_xen_sched.request import Kind
from tests.unit import builders

EXPLAIN = json.loads(
    (pathlib.Path(cmd.__path__[0]) / 'schemas' / 'explain.json').read_text()
)

ON = {'refuse_dom0_overcommit': True, 'min_libvirt_version': None}


def host(memory=(600, 600), cpu=(65, 65), ram=(60000, 60000)):
    resources = (
        Usage(Resource.DOM0_MEMORY, *memory),
        Usage(Resource.DOM0_CPU, *cpu),
        Usage(Resource.HOST_MEMORY, *ram),
    )
    return builders.host(
        builders.XEN_HVM,
        'Xen',
        4017000,
        overcommitted=tuple(left for left in resources if left.overcommitted),
    )


def refusals(host, kinds=(Kind.BOOT,), **settings):
    verdict = rules.Judge(
        GuestRequest(kinds=frozenset(kinds)), conf.defaults(**settings)
    )(host, every=True)
    return list(verdict.refusals)


def codes(*args, **kwargs):
    return [str(refusal.code) for refusal in refusals(*args, **kwargs)]


ALL = ['dom0_memory', 'dom0_cpu', 'host_memory']
OVER = host((600, 601), (65, 66), (60000, 60001))


def test_exactly_full_is_accepted():
    assert codes(host(), **ON) == []


def test_each_room():
    assert codes(host(memory=(600, 601)), **ON) == ALL[:1]
    assert codes(host(cpu=(65, 66)), **ON) == ALL[1:2]
    assert codes(host(ram=(60000, 60001)), **ON) == ALL[2:]
    assert codes(host(memory=(-5, 0)), **ON) == ALL[:1]
    assert codes(OVER, **ON) == ALL


def test_off_by_default():
    assert codes(OVER) == []

    def matter(settings):
        return rules.Judge(GuestRequest(), settings).needs_load

    assert not matter(conf.defaults())
    assert matter(conf.defaults(**ON))


@pytest.mark.parametrize('kind', list(Kind))
def test_every_request_but_a_rebuild(kind):
    assert codes(OVER, [kind], **ON) == ([] if kind is Kind.REBUILD else ALL)


def test_no_need_to_tell_moves_apart():
    assert codes(OVER, ANY_MOVE, **ON) == ALL


def test_hosts_without_rooms():
    assert codes(builders.host(builders.KVM, 'QEMU', 8002000), **ON) == []


def test_a_host_that_only_calls_itself_xen_is_none():
    other = OVER._replace(is_xen=False)
    assert codes(other, **ON) == []


def test_sentences_never_contradict_themselves():
    (refusal,) = refusals(host(ram=(8192.0, 8192.4)), **ON)
    assert 'take 8193 MiB' in refusal.reason
    assert 'and 8192 MiB are beside' in refusal.reason
    (refusal,) = refusals(host(memory=(-5.5, 24)), **ON)
    assert 'which has 0 MiB' in refusal.reason


def test_sentences():
    assert [str(refusal) for refusal in refusals(OVER, **ON)] == [
        "dom0_memory: with this guest, guests would take 601 MiB of dom0's "
        'memory, which has 600 MiB for them; raise dom0_mem on the host, or '
        'use another host',
        "dom0_cpu: with this guest there would be 66 guests, and dom0's "
        'vCPUs serve 65; raise dom0_max_vcpus on the host, or use another '
        'host',
        'host_memory: with this guest, guests would take 60001 MiB of RAM '
        'with their overhead, and 60000 MiB are beside dom0; use another '
        'host, or a smaller flavor',
    ]


def test_the_sentence_where_xen_itself_reports_less():
    (refusal,) = refusals(host(ram=(60000, 60001, dom0.REPORTED)), **ON)
    assert str(refusal) == (
        'host_memory: with this guest, by what Xen itself reports as left, '
        '60001 MiB of RAM would be taken, and 60000 MiB are beside dom0; use '
        'another host, or a smaller flavor'
    )


@pytest.mark.parametrize('resource', Resource)
def test_a_new_resource_has_all_that_belongs_to_it(resource):
    verdict = rules.Judge(
        GuestRequest(), conf.defaults(**ON), lambda: Kind.BOOT
    )(
        builders.host(
            builders.XEN_HVM,
            'Xen',
            4017000,
            overcommitted=(Usage(resource, 1, 2),),
        )
    )
    assert verdict.refusal.code == Code(resource.value)
    assert verdict.refusal.reason
    properties = EXPLAIN['$defs']['host']['properties']
    shown = properties['resources']['items']['properties']
    assert resource.value in shown['resource']['enum']
    assert resource.unit in shown['unit']['enum']


def test_programs_are_told_of_each_code():
    assert EXPLAIN['$defs']['refusal']['enum'] == [code.value for code in Code]
