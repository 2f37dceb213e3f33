# SPDX-License-Identifier: Apache-2.0

"""What both plugins made of thousands of random hosts, and still make.

fixtures/golden/judged.txt has a line a host: the codes of all refusals (in
brackets where report_only keeps one from deciding), whether it passed, its
headroom, its weight and its multiplier. Whoever means to change one of them
writes it anew with UPDATE_GOLDEN=1 and reads the difference.
"""

from __future__ import annotations

import collections
import math
import os
import pathlib
import random

from nova import context as nova_context
from nova import objects
import nova.conf
import pytest

from nova_xen_sched import filters
from nova_xen_sched import refusal
from nova_xen_sched import weights
from tests.unit import builders

pytestmark = pytest.mark.usefixtures('clean')

CONF = nova.conf.CONF
GOLDEN = (
    pathlib.Path(__file__).parents[1] / 'fixtures' / 'golden' / 'judged.txt'
)
REQUESTS = 500
HOSTS = 10

OPTIONS = {
    'default_vm_mode': ('xen', 'xen', 'hvm', 'any'),
    'require_hypervisor_type': (False, False, False, True),
    'disk_formats': ([], [], ['raw', 'qcow2']),
    'live_migration_check': ('always', 'always', 'live_migration', 'never'),
    'min_libvirt_version': ('1.3.2', '1.3.2', '5.0.0', '0'),
    'min_xen_version': ('4.4.3', '4.4.3', '4.17.1', '0'),
    'unknown_version': ('accept', 'refuse'),
    'live_migration_unknown': ('refuse', 'accept'),
    'report_only': ([], [], ['vm_mode', 'libvirt_unknown'], ['all']),
    'dom0_memory_mb': (1024, 1024, 4096),
    'dom0_vcpus': (4, 4, 2),
    'dom0_base_memory_mb': (400, 400, 700),
    'dom0_base_vcpus': (0.75, 0.75, 0),
    'dom0_memory_mb_per_hvm_guest': (24, 24, 60),
    'dom0_memory_mb_per_pv_guest': (14, 0),
    'dom0_memory_mb_per_pvh_guest': (3, 40),
    'dom0_guests_per_vcpu': (20, 5),
    'dom0_hvm_share': (0.6, 0, 1),
    'guest_memory_overhead': ('xenapi', 'none', 'libxl'),
    'dom0_headroom_weight_multiplier': (10.0, 10.0, 2.5, 0.0, -10.0),
    'refuse_dom0_overcommit': (True, True, False),
}
IMAGES = {
    'hw_architecture': (None, None, None, 'x86_64', 'i686'),
    'img_hv_type': (None, 'xen', 'xen', 'kvm'),
    'hw_vm_mode': (None, 'hvm', 'hvm', 'xen', 'xen'),
    'img_hv_requested_version': (None, None, None, '>=4.15', '<4.17'),
}
FACTS = {
    'libvirt_version': (None, '1.2.5', '1.3.1', '1.3.2', '9.0.0', 'new'),
    'libvirt_migration_backports': (None, None, None, 'true', 'false', '1'),
    'xen_version': (None, None, '4.4.2', '4.5.0', '4.17.5', '4.14', 'xen'),
    'dom0_memory_mb': (None, '1024', '2048', '4096', '65536', '-1'),
    'dom0_vcpus': (None, '2', '4', '16', '300', 'four'),
    'reserved_host_memory_mb': (None, None, '512', '4096', '0'),
}
KVM = (builders.KVM, 'QEMU')
XEN = (builders.XEN_HVM, 'Xen')
TYPES = (
    *(XEN, XEN, XEN, XEN),
    (builders.XEN_HVM_ONLY, 'xen'),
    (builders.XEN_PV, 'Xen'),
    (builders.XEN_HVM, 'XenServer'),
    KVM,
    (None, None),
)
#: What an Instance says; '' for a stub, which says nothing.
MODES = ('hvm', 'hvm', 'xen', 'xen', None, 'HVM', 'pv', 'xenpvh', 'uml', '')


class Random:
    """The same on every Python: of random.Random only random() is."""

    def __init__(self, seed):
        self._random = random.Random(seed).random

    def below(self, limit):
        return int(self._random() * limit)

    def one(self, values):
        return values[self.below(len(values))]

    def of_each(self, table):
        found = {key: self.one(values) for key, values in table.items()}
        return {key: v for key, v in found.items() if v is not None}


def facts(rng, prefix):
    return {prefix + key: v for key, v in rng.of_each(FACTS).items()}


def aggregate(rng, number):
    metadata = {'ssd': 'true'}
    if rng.below(2):
        metadata.update(facts(rng, 'xen:'))
        if 'xen:xen_version' in metadata:
            metadata['xen:version'] = metadata.pop('xen:xen_version')
    if not rng.below(4):
        metadata['dom0_headroom_weight_multiplier'] = rng.one(
            ('5', '20', '0', '-3', 'much', 'nan')
        )
    return objects.Aggregate(name='a%d' % number, metadata=metadata)


def guests(rng):
    found = {}
    for number in range(rng.one((0, 0, 1, 5, 20, 40))):
        mode = rng.one(MODES)
        values = {} if mode == '' else {'vm_mode': mode}
        if mode != '':
            values.update(memory_mb=rng.one((512, 2048)), vcpus=1)
        found['g%d' % number] = builders.instance(**values)
    return found


def host(rng, number, aggregates):
    types, hypervisor_type = rng.one(TYPES)
    instances = guests(rng)
    reported = len(instances) + rng.one((0, 0, 0, 3))
    placed = rng.one((0, 0, 0, 1, 2))
    stats = {'num_instances': str(reported)}
    if rng.below(3):
        stats.update(
            (key if key.startswith('xen_') else 'xen_' + key, value)
            for key, value in rng.of_each(FACTS).items()
        )
    if not rng.below(6):
        stats['xen_free_memory_mb'] = rng.one(('500', '9000', '40000', '?'))
    ram_mb = rng.one((0, *(16384, 65536, 262144) * 6, math.nan))
    reserve_mb = rng.one((512, 512, 4096))
    state = builders.state(
        'h%d' % number,
        types,
        hypervisor_type,
        hypervisor_version=rng.one(
            (None, 0, -1, 4004000, 4005000, 4014000, 4017000, 4017005)
        ),
        stats=stats,
        num_instances=reported + placed,
        instances=instances,
        total_usable_ram_mb=ram_mb,
        free_ram_mb=ram_mb - reserve_mb - 1024 * (reported + placed),
        vcpus_total=rng.one((16, 64)),
        vcpus_used=reported + placed,
        aggregates=[each for each in aggregates if not rng.below(3)],
    )
    if rng.below(2):
        state.service = {'version': rng.one((9, 30, 37, 45, 53, 66, 69))}
    return state


def request(rng):
    make = rng.one((builders.spec, builders.moved, builders.rebuilt))
    values = {}
    if make is builders.moved:
        values['ignore_hosts'] = rng.one((['source'], ['source'], None))
        # What a user can have sent with the boot.
        hint = rng.one((None, None, 'rebuild', 'live_migrate'))
        if hint:
            values['scheduler_hints'] = {'_nova_check_type': [hint]}
    disk_format = rng.one((None, 'raw', 'vmdk'))
    return make(
        rng.of_each(IMAGES),
        image={'disk_format': disk_format} if disk_format else {},
        is_bfv=not rng.below(4),
        flavor=objects.Flavor(
            memory_mb=rng.one((512, 2048, 16384)), vcpus=rng.one((1, 4))
        ),
        **values,
    )


def judged(spec, states):
    """How the plugins judge hosts: the only lines here that know how.

    :returns: by host all its refusals, whether it passed, its headroom, its
        weight and its multiplier.
    """
    xen_filter = filters.XenHostFilter()
    weigher = weights.Dom0HeadroomWeigher()
    passed = {id(state) for state in xen_filter.filter_all(states, spec)}
    weighed = builders.weighed(*states)
    for state, verdict, headroom, weight in zip(
        states,
        xen_filter.verdicts(states, spec, every=True),
        weigher.headrooms(weighed, spec),
        weigher.weigh_objects(weighed, spec),
    ):
        yield (
            verdict.refusals,
            id(state) in passed,
            headroom,
            weight,
            weigher.weight_multiplier(state),
        )


def number(value):
    """As many digits as no other order of additions changes."""
    return '-' if value is None else '%.6f' % (value + 0.0)


def lines(seed, cells):
    rng = Random(seed)
    for name, values in OPTIONS.items():
        CONF.set_override(name, rng.one(values), 'xen_scheduler')
    # The cell's answer stands for a database; functional tests have one.
    cells.return_value = {
        builders.UUID: (rng.one(('migrating', 'rebuilding', 'resize_prep')),)
        if rng.below(4)
        else RuntimeError('the database is away')
    }
    aggregates = [aggregate(rng, i) for i in range(4)]
    states = [host(rng, i, aggregates) for i in range(HOSTS)]
    spec = request(rng)
    report_only = CONF.xen_scheduler.report_only
    reported = (
        frozenset(refusal.Code)
        if 'all' in report_only
        else frozenset(map(refusal.Code, report_only))
    )
    for state, found in zip(states, judged(spec, states)):
        refusals, passed, *figures = found
        codes = ' '.join(
            each.code if each.enforced(reported) else '(%s)' % each.code
            for each in refusals
        )
        yield '%d %s %s %s [%s]' % (
            seed,
            state.host,
            'passed' if passed else 'refused',
            ' '.join(map(number, figures)),
            codes,
        )


def test_judged_as_before(mocker):
    cells = mocker.patch.object(nova_context, 'scatter_gather_cells')
    found = [line for seed in range(REQUESTS) for line in lines(seed, cells)]
    if os.environ.get('UPDATE_GOLDEN'):
        GOLDEN.write_text('\n'.join(found) + '\n')
    assert found == GOLDEN.read_text().splitlines()


def test_the_golden_file_has_some_of_everything():
    codes = collections.Counter()
    weighed = []
    for line in GOLDEN.read_text().splitlines():
        words, _, refusals = line.rstrip(']').partition(' [')
        _, _, outcome, headroom, weight, _ = words.split()
        codes.update(refusals.replace('(', '').replace(')', '').split())
        codes[outcome] += 1
        if headroom != '-':
            weighed.append((float(headroom), float(weight)))
    # nova 22 has no such image property.
    codes['maxphysaddr_bits'] = 20
    wanted = [*map(str, refusal.Code), 'passed', 'refused']
    assert {code for code in wanted if codes[code] < 20} == set()
    assert sum(headroom > 0 for headroom, _ in weighed) > 500
    assert sum(headroom < 0 for headroom, _ in weighed) > 500
    assert 50 < sum(math.isnan(each) for each, _ in weighed) < 500
    assert len({weight for _, weight in weighed}) > 1000
