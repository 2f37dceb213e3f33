# SPDX-License-Identifier: Apache-2.0

"""Samples are in base units, and none is of a thing that there is not."""

from __future__ import annotations

import datetime
import math

import pytest

from nova_xen_sched import dom0
from nova_xen_sched.cmd.hosts.fits import Fits
from nova_xen_sched.cmd.hosts.metrics import names
from nova_xen_sched.cmd.hosts.metrics import samples
from nova_xen_sched.facts import Fact
from nova_xen_sched.refusal import Code

UTC = datetime.timezone.utc


def test_memory_is_in_bytes_and_cpus_in_guests():
    found = samples.usages(
        'a',
        [
            dom0.Usage(dom0.Resource.DOM0_MEMORY, 100, 25),
            dom0.Usage(dom0.Resource.DOM0_CPU, 60, 3),
        ],
    )
    memory, cpu = ('a', 'dom0_memory'), ('a', 'dom0_cpu')
    assert found == {
        names.HEADROOM: {memory: 0.75, cpu: 0.95},
        names.CAPACITY_BYTES: {memory: 104857600},
        names.USED_BYTES: {memory: 26214400},
        names.CAPACITY_GUESTS: {cpu: 60},
        names.USED_GUESTS: {cpu: 3},
    }


def test_guests_by_mode():
    load = dom0.Load(1000, 100, 4, hvm=2, pv=1, unknown=3)
    assert samples.guests('a', load) == {
        names.GUESTS: {
            ('a', 'hvm'): 2,
            ('a', 'pv'): 1,
            ('a', 'pvh'): 0,
            ('a', 'unknown'): 3,
        }
    }


def test_facts_by_source():
    observed = datetime.datetime(1970, 1, 2, tzinfo=UTC)
    known = {
        'xen_version': Fact((4, 17), 'file'),
        'dom0_vcpus': Fact(4, 'stats'),
        'observed_at': Fact(observed, 'file'),
    }
    assert samples.facts('a', known) == {
        names.FACTS: {('a', 'file'): 2, ('a', 'stats'): 1},
        names.OBSERVED: {('a', 'file'): 86400},
    }
    assert samples.facts('a', {}) == {}


@pytest.mark.parametrize('reserved, sold', [(512, 512), (1024, 0), (2048, 0)])
def test_what_is_sold_is_not_below_0(reserved, sold):
    found = samples.sold('a', 1024, reserved)
    assert found == {names.SOLD_BYTES: {('a',): sold * 1048576}}


def test_each_code_has_a_count_and_each_host_one_code():
    codes = {'a': None, 'b': Code.VM_MODE, 'c': Code.VM_MODE}
    found = samples.refused('boot', 'hvm', codes)
    assert found[names.HOST_REFUSED] == {
        ('a', 'boot', 'hvm', ''): 0,
        ('b', 'boot', 'hvm', 'vm_mode'): 1,
        ('c', 'boot', 'hvm', 'vm_mode'): 1,
    }
    counts = found[names.HOSTS_REFUSED]
    assert [labels[2] for labels in counts] == [str(code) for code in Code]
    assert counts.pop(('boot', 'hvm', 'vm_mode')) == 2
    assert set(counts.values()) == {0}


def test_what_nothing_limits_is_infinite():
    hosts = [Fits('a', {'ram': 2}), Fits('b', {})]
    found = samples.fitting('f', hosts, {'a': 1, 'b': 0})
    assert found == {
        names.HOST_FITS: {('a', 'f'): 2, ('b', 'f'): math.inf},
        names.FITS: {('f',): math.inf},
        # b fails: two fit on a.
        names.FITS_AFTER_FAILURE: {('f',): 2},
    }


def test_without_hosts_none_fits_and_none_fails():
    assert samples.fitting('', [], {}) == {
        names.HOST_FITS: {},
        names.FITS: {('',): 0},
    }
