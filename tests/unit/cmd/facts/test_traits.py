# SPDX-License-Identifier: Apache-2.0

"""Traits changed beside others, whatever placement answers.

A stand-in refuses as placement does; tests/functional/test_publish_traits.py
has the real one.
"""

from __future__ import annotations

import pytest

from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd.facts import apply
from nova_xen_sched.cmd.facts import nova_api
from nova_xen_sched.cmd.facts import traits

DISABLED = 'COMPUTE_STATUS_DISABLED'


class Placement:
    def __init__(self, conflicts=0, **providers):
        self.now = {uuid: set(each) for uuid, each in providers.items()}
        self.conflicts = conflicts
        self.writes = []
        self.away = False

    def create_trait(self, name):
        if self.away:
            raise errors.Failure('Placement is away.')

    def traits_of(self, uuid):
        if uuid not in self.now:
            raise nova_api.RefusedError('placement answers 404: no provider.')
        return len(self.writes), frozenset(self.now[uuid])

    def set_traits(self, uuid, generation, names):
        if self.conflicts:
            self.conflicts -= 1
            self.writes.append('another')
            self.now[uuid] ^= {DISABLED}
        if generation != len(self.writes):
            raise nova_api.RefusedError('placement answers 409: conflict.')
        self.writes.append(uuid)
        self.now[uuid] = set(names)


def run(placement, *changes):
    plan = traits.Plan([traits.Change(*each) for each in changes])
    applying = traits.Applying(placement, plan, pause=lambda seconds: None)
    for _ in applying.steps():
        pass
    return applying


ADD = (traits.ADD_TRAIT, 'T', 'xen-a1', 'a')
ADD_TOO = (traits.ADD_TRAIT, 'U', 'xen-a1', 'a')
REMOVE = (traits.REMOVE_TRAIT, 'O', 'xen-a1', 'a')
ELSEWHERE = (traits.ADD_TRAIT, 'T', 'xen-b1', 'b')


@pytest.mark.parametrize('conflicts', range(apply.STRIKES))
def test_all_of_a_host_is_one_write_and_others_traits_stay(conflicts):
    placement = Placement(conflicts, a=['O', DISABLED])
    applying = run(placement, ADD, ADD_TOO, REMOVE)
    assert set(applying.outcomes.values()) == {apply.DONE}
    assert applying.converged
    assert placement.writes.count('a') == 1
    # What the other one wrote last stays.
    kept = set() if conflicts % 2 else {DISABLED}
    assert placement.now == {'a': {'T', 'U'} | kept}


def test_who_is_beaten_each_time_leaves_it_and_goes_on():
    placement = Placement(apply.STRIKES, a=[], b=[])
    applying = run(placement, ADD, ELSEWHERE)
    assert list(applying.outcomes.values()) == [
        'placement answers 409: conflict.',
        apply.DONE,
    ]
    assert placement.now['b'] == {'T'}


def test_a_host_that_is_gone_is_left():
    placement = Placement(b=[])
    applying = run(placement, ADD, ELSEWHERE)
    assert [change.host for change in applying.failed] == ['xen-a1']
    assert placement.now == {'b': {'T'}}


def test_what_someone_else_has_done_is_not_needed():
    placement = Placement(a=['T'])
    applying = run(placement, ADD, REMOVE)
    assert set(applying.outcomes.values()) == {apply.NOT_NEEDED}
    assert placement.writes == []


def test_without_its_name_no_trait_is_given_to_a_host():
    placement = Placement(a=[])
    placement.away = True
    with pytest.raises(errors.Failure):
        run(placement, (traits.CREATE_TRAIT, 'T'), ADD)
    assert placement.now == {'a': set()}
