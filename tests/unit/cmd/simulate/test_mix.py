# SPDX-License-Identifier: Apache-2.0

"""Which guests a mix has, in which order, and what is wrong with it."""

from __future__ import annotations

import collections

from hypothesis import given
from hypothesis import strategies as st
import pytest

from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd.simulate import mix
from nova_xen_sched.cmd.simulate.mix import Guests


@pytest.fixture
def read(tmp_path):
    def of(text):
        path = tmp_path / 'mix.yaml'
        path.write_text(text)
        return mix.read(str(path))

    return of


def test_a_mix(read):
    assert read(
        '- {count: 30, flavor: m1.small, image: debian-13}\n'
        '- {count: 1, ram: 4096, vcpus: 2, disk: 0, vm_mode: PV}\n'
        '- count: 2\n'
        '  flavor: 7\n'
    ) == [
        Guests(30, 'm1.small', image='debian-13'),
        Guests(1, ram=4096, vcpus=2, disk=0, vm_mode='pv'),
        Guests(2, '7'),
    ]


_WHOLE = 'not a whole number from 1 to 999999999'


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('', 'mix.yaml has no list: a mix is a list, in which each entry'),
        ('[]', 'has no list'),
        ('count: 3', 'has no list'),
        ('- 3', 'entry 1: 3 is no mapping: a mix is a list, '),
        ('- {}', 'entry 1: count is missing'),
        ('- {count: 0}', "entry 1: count is %s: '0'." % _WHOLE),
        ('- {count: 1.5}', "entry 1: count is %s: '1.5'." % _WHOLE),
        ('- {count: true}', "entry 1: count is %s: 'True'." % _WHOLE),
        ('- {count: }', "entry 1: count is %s: ''." % _WHOLE),
        ('- {count: 1}\n- {count: 1, ram: x}', 'entry 2: ram is not a whole'),
        ('- {count: 1, disk: -1}', 'entry 1: disk is not a whole number from'),
        (
            '- {count: 1, flavour: a}',
            "entry 1: 'flavour' is no key (nearest: flavor); allowed: count, "
            'flavor, ram, vcpus, disk, image, vm_mode.',
        ),
        (
            '- {count: 1, vm_mode: kvm}',
            "entry 1: vm_mode is 'kvm'; allowed: hvm, pv, xen, pvh.",
        ),
        ('- {count: 1, image: [a]}', "entry 1: image is ['a']: give one name"),
        ('- {count: 1, flavor: " "}', "entry 1: flavor is ' ': give one name"),
        ('- {count: 1, flavor: a, ram: 1}', 'entry 1: flavor and ram: leave'),
        ('- {count: 1, image: a, vm_mode: hvm}', 'entry 1: image and vm_mode'),
        (
            '- {count: 1',
            'is no YAML: line 2, column 1: a { or a [ before this',
        ),
        ('- {count: 1, count: 2}', "'count' is named twice"),
        ('- !!python/name:os.system {}', 'is no YAML: line 1'),
        ('- {count: 99999}\n- {count: 2}', 'At most 100000 guests'),
    ],
)
def test_what_is_wrong_is_named_with_its_place(read, text, words):
    with pytest.raises(errors.Failure) as raised:
        read(text)
    line = str(raised.value)
    assert words in line
    assert line.endswith('.')
    assert '\n' not in line


def test_a_file_that_is_not_there():
    with pytest.raises(errors.Failure, match=r"^/nosuch can't be read: No "):
        mix.read('/nosuch')


def test_guests_come_in_turn():
    assert mix.order([3]) == [0, 0, 0]
    assert mix.order([2, 2]) == [0, 1, 0, 1]
    assert mix.order([4, 2, 1]) == [0, 1, 0, 2, 0, 1, 0]


@given(st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_every_beginning_has_the_kinds_in_proportion(counts):
    found = mix.order(counts)
    assert collections.Counter(found) == dict(enumerate(counts))
    total = sum(counts)
    for length in range(1, total + 1):
        done = collections.Counter(found[:length])
        for index, count in enumerate(counts):
            # No kind is ahead by a whole guest.
            assert done[index] < count * length / total + 1
