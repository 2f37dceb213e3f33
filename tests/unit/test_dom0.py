# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from fractions import Fraction
import math

from hypothesis import assume
from hypothesis import given
from hypothesis import strategies as st
import pytest

from nova_xen_sched import conf
from nova_xen_sched import dom0
from nova_xen_sched.dom0 import Load
from nova_xen_sched.dom0 import Model
from nova_xen_sched.dom0 import Resource

#: Round figures, to be worked by hand.
MODEL = Model(
    base_memory_mb=200,
    base_vcpus=1,
    hvm_memory_mb=20,
    pv_memory_mb=10,
    pvh_memory_mb=2,
    guests_per_vcpu=20,
    hvm_share=0.5,
    overhead=dom0.OVERHEADS['none'],
)
HOST = Load(memory_mb=65536, dom0_memory_mb=1000, dom0_vcpus=4)


def resource(load, which, model=MODEL):
    (found,) = [
        left for left in dom0.resources(model, load) if left.resource is which
    ]
    return found


def test_dom0_memory():
    # 800 MiB for guests; 10 HVM take 200, 20 PV 200, 5 PVH 10
    load = HOST._replace(hvm=10, pv=20, pvh=5)
    left = resource(load, Resource.DOM0_MEMORY)
    assert (left.capacity, left.used) == (800, 410)
    assert left.headroom == pytest.approx(1 - 410 / 800)


def test_guests_of_unknown_mode_count_as_the_average():
    left = resource(HOST._replace(hvm=1, unknown=4), Resource.DOM0_MEMORY)
    assert left.used == 20 + 2 * 20 + 2 * 10


def test_dom0_cpu():
    # 3 vCPUs serve 60 guests
    left = resource(
        HOST._replace(hvm=10, pv=5, pvh=1, unknown=2), Resource.DOM0_CPU
    )
    assert (left.capacity, left.used) == (60, 18)


def test_host_memory():
    load = HOST._replace(hvm=2, guests_memory_mb=8192, guests_vcpus=4)
    left = resource(load, Resource.HOST_MEMORY)
    assert (left.capacity, left.used) == (64536, 8192)


@pytest.mark.parametrize(
    'formula, overhead',
    [
        ('none', 0),
        # 0.00781 x 4096 + 1.5 x 2 + 3
        ('xenapi', 37.98976),
        # 4 KiB x 4096 + 1 MiB x 2 + 2 MiB
        ('libxl', 20),
    ],
)
def test_overhead_of_an_hvm_guest_of_4096_mib(formula, overhead):
    model = MODEL._replace(overhead=dom0.OVERHEADS[formula])
    load = model.plus(HOST, 'hvm', 4096, 2)
    left = resource(load, Resource.HOST_MEMORY, model)
    assert left.used == pytest.approx(4096 + overhead)


def test_libxl_takes_a_mib_less_for_pv():
    model = MODEL._replace(overhead=dom0.OVERHEADS['libxl'])
    hvm, pv = (
        resource(
            model.plus(HOST, mode, 4096, 2), Resource.HOST_MEMORY, model
        ).used
        for mode in ('hvm', 'pv')
    )
    assert hvm - pv == 1


def test_the_scarcest_room_decides():
    # 40 HVM guests fill dom0's memory and take 2/3 of its CPUs
    full = HOST._replace(hvm=40)
    assert dom0.headroom(MODEL, full) == 0
    assert (
        dom0.scarcest(dom0.resources(MODEL, full)).resource
        is Resource.DOM0_MEMORY
    )
    # 60 PV guests fill its CPUs and take 3/4 of its memory
    busy = HOST._replace(pv=60)
    assert dom0.headroom(MODEL, busy) == 0
    assert (
        dom0.scarcest(dom0.resources(MODEL, busy)).resource
        is Resource.DOM0_CPU
    )
    large = HOST._replace(hvm=1, guests_memory_mb=64536 / 2)
    assert dom0.headroom(MODEL, large) == 0.5
    assert (
        dom0.scarcest(dom0.resources(MODEL, large)).resource
        is Resource.HOST_MEMORY
    )


def test_overcommitted_is_below_full_and_finite():
    full, over, far = (
        dom0.headroom(MODEL, HOST._replace(hvm=n)) for n in (40, 80, 10**9)
    )
    assert full == 0
    assert over == -1
    assert far == dom0.FLOOR


@pytest.mark.parametrize(
    'host',
    [
        HOST._replace(dom0_memory_mb=200),  # no more than dom0 itself uses
        HOST._replace(dom0_vcpus=1),
        HOST._replace(memory_mb=900),  # smaller than its dom0
    ],
)
def test_a_host_without_a_room(host):
    assert dom0.headroom(MODEL, host) == dom0.FLOOR
    assert dom0.scarcest(dom0.resources(MODEL, host)).headroom == dom0.FLOOR
    assert dom0.scarcest(dom0.resources(MODEL, host)).overcommitted


def test_a_host_that_never_said_its_memory():
    silent = HOST._replace(memory_mb=0, hvm=20)
    assert dom0.headroom(MODEL, silent) == 0.5
    assert [left.resource for left in dom0.resources(MODEL, silent)] == [
        Resource.DOM0_MEMORY,
        Resource.DOM0_CPU,
    ]


def test_exactly_full_is_not_overcommitted():
    assert not resource(
        HOST._replace(hvm=40), Resource.DOM0_MEMORY
    ).overcommitted
    assert resource(HOST._replace(hvm=41), Resource.DOM0_MEMORY).overcommitted


counts = st.integers(0, 300)
sizes = st.floats(0, 10**6)
loads = st.builds(
    Load,
    memory_mb=st.floats(0, 10**7),
    dom0_memory_mb=st.floats(1, 10**5),
    dom0_vcpus=st.floats(0.1, 64),
    hvm=counts,
    pv=counts,
    pvh=counts,
    unknown=counts,
    guests_memory_mb=sizes,
    guests_vcpus=sizes,
    free_mb=st.none() | st.floats(-(10**6), 10**6),
)
models = st.builds(
    Model,
    base_memory_mb=st.floats(0, 4096),
    base_vcpus=st.floats(0, 4),
    hvm_memory_mb=st.floats(0, 100),
    pv_memory_mb=st.floats(0, 100),
    pvh_memory_mb=st.floats(0, 100),
    guests_per_vcpu=st.floats(0.01, 100),
    hvm_share=st.floats(0, 1),
    overhead=st.sampled_from(sorted(dom0.OVERHEADS.values())),
)
#: Sums of floats may differ in their last digits.
TINY = 1e-9


@given(models, loads)
def test_headroom_is_a_finite_number(model, load):
    assert dom0.FLOOR <= dom0.headroom(model, load) <= 1


@given(
    models,
    loads,
    st.sampled_from([*dom0.MODES, None]),
    st.integers(1, 10**5),
    st.integers(1, 64),
)
def test_more_guests_never_raise_headroom(model, load, mode, memory, vcpus):
    more = model.plus(load, mode, memory, vcpus)
    assert dom0.headroom(model, more) <= dom0.headroom(model, load) + TINY


@given(models, loads, st.floats(0, 10**5), st.floats(0, 64))
def test_a_larger_dom0(model, load, memory, vcpus):
    """Never lowers its two rooms, and never raises that of the RAM.

    As it is computed: what Xen reports as left is what it is.
    """
    load = load._replace(free_mb=None)
    larger = load._replace(
        dom0_memory_mb=load.dom0_memory_mb + memory,
        dom0_vcpus=load.dom0_vcpus + vcpus,
    )
    before = {
        left.resource: left.headroom for left in dom0.resources(model, load)
    }
    after = {
        left.resource: left.headroom for left in dom0.resources(model, larger)
    }
    for which in (Resource.DOM0_MEMORY, Resource.DOM0_CPU):
        assert after[which] >= before[which] - TINY
    if Resource.HOST_MEMORY in before:
        assert (
            after[Resource.HOST_MEMORY] <= before[Resource.HOST_MEMORY] + TINY
        )


@given(
    st.integers(1, 64),
    st.integers(0, 400),
    st.integers(1, 500),
)
def test_a_room_that_is_exactly_full_is_not_overcommitted(
    vcpus, base_hundredths, per_vcpu
):
    base = Fraction(base_hundredths, 100)
    exact = (vcpus - base) * per_vcpu
    model = MODEL._replace(base_vcpus=float(base), guests_per_vcpu=per_vcpu)
    most = math.floor(exact)
    assume(most >= 1)

    def over(guests):
        load = Load(10**9, 10**6, vcpus, pvh=guests)
        return resource(load, Resource.DOM0_CPU, model).overcommitted

    assert not over(most)
    assert over(most + 1)


# What Xen itself reports as left


def test_the_smaller_of_computed_and_reported_counts():
    # 64536 MiB beside dom0, 30000 of them the guests'.
    load = HOST._replace(guests_memory_mb=30000)
    computed = resource(load, Resource.HOST_MEMORY)
    assert (computed.used, computed.source) == (30000, dom0.COMPUTED)

    more = resource(load._replace(free_mb=40000), Resource.HOST_MEMORY)
    assert more == computed

    less = resource(load._replace(free_mb=500), Resource.HOST_MEMORY)
    assert (less.used, less.source) == (64036, dom0.REPORTED)
    assert less.headroom == pytest.approx(500 / 64536)
    assert not less.overcommitted

    none = resource(load._replace(free_mb=-1), Resource.HOST_MEMORY)
    assert none.overcommitted


def test_only_the_host_s_ram_is_ever_reported():
    resources = dom0.resources(MODEL, HOST._replace(free_mb=10))
    assert [left.source for left in resources] == [
        dom0.COMPUTED,
        dom0.COMPUTED,
        dom0.REPORTED,
    ]


@given(models, loads, st.floats(-(10**6), 10**6))
def test_a_report_never_raises_headroom(model, load, free_mb):
    reported = load._replace(free_mb=free_mb)
    found = dom0.headroom(model, reported)
    computed = load._replace(free_mb=None)
    assert found <= dom0.headroom(model, computed)
    resources = dom0.resources(model, reported)
    assert found == dom0.scarcest(resources).headroom


@pytest.mark.parametrize('name', sorted(dom0.OVERHEADS))
@pytest.mark.parametrize('mode', dom0.MODES)
def test_one_guest_takes_what_the_room_has_less_with_it(name, mode):
    overhead = dom0.OVERHEADS[name]
    model = MODEL._replace(overhead=overhead)
    with_it = resource(
        model.plus(HOST, mode, 4096, 2), Resource.HOST_MEMORY, model
    )
    assert overhead.whole_mb(mode, 4096, 2) == pytest.approx(with_it.used)


@given(models, loads)
def test_the_headroom_of_a_host_is_that_of_its_scarcest_room(model, load):
    resources = dom0.resources(model, load)
    assert dom0.headroom(model, load) == dom0.scarcest(resources).headroom
    assert dom0.overcommitted(model, load) == tuple(
        left for left in resources if left.overcommitted
    )


def test_dom0_s_cpu_is_never_reported():
    """Of a host that never said how much RAM it has."""
    load = Load(0, 4096, 4, hvm=70, free_mb=-5)
    assert {left.source for left in dom0.resources(MODEL, load)} == {
        dom0.COMPUTED
    }


# More guests


def test_plus():
    more = MODEL.plus(HOST, 'pv', 512, 2, 3)
    more = MODEL.plus(more, None, 1024, 1)
    assert more == HOST._replace(
        pv=3, unknown=1, guests_memory_mb=2560, guests_vcpus=7
    )
    assert more.guests == 4


@pytest.mark.parametrize('mode', [*dom0.MODES, None])
def test_no_less_than_no_guests(mode):
    """A guest goes that the host has not reported yet."""
    assert MODEL.plus(HOST, mode, 512, 2, -1) == HOST
    more = MODEL.plus(HOST, mode, 512, 2, 2)
    assert MODEL.plus(more, mode, 512, 2, -1) == MODEL.plus(HOST, mode, 512, 2)


@pytest.mark.parametrize('name', sorted(dom0.OVERHEADS))
def test_of_what_is_left_more_guests_take_their_overhead_too(name):
    overhead = dom0.OVERHEADS[name]
    model = conf.defaults().dom0_model._replace(overhead=overhead)
    load = model.plus(HOST._replace(free_mb=1000), 'hvm', 300, 1, 2)
    assert load.free_mb == 1000 - 2 * overhead.whole_mb('hvm', 300, 1)
    assert load._replace(free_mb=None) == model.plus(HOST, 'hvm', 300, 1, 2)
    assert model.plus(HOST, 'hvm', 300, 1, 2).free_mb is None


def test_each_room_has_its_unit():
    assert [resource.unit for resource in Resource] == ['MiB', 'guests', 'MiB']
