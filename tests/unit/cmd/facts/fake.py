# SPDX-License-Identifier: Apache-2.0

"""A stand-in for nova's API, with its refusals.

It stands for nova where every interleaving is tried;
tests/functional/test_publish.py holds the same code to the real one.
"""

from __future__ import annotations

from nova_xen_sched.cmd.facts import aggregates
from nova_xen_sched.cmd.facts import apply
from nova_xen_sched.cmd.facts import nova_api
from nova_xen_sched.cmd.facts import plan as planning


class FakeNova:
    def __init__(self, hosts=(), existing=()):
        self.known = set(hosts)
        self.now = list(existing)
        self.calls = []
        self._last = max((each.id for each in self.now), default=0)

    def aggregates(self):
        return list(self.now)

    def create(self, name):
        self.calls.append(planning.Change(planning.CREATE, name))
        if any(each.name == name for each in self.now):
            raise nova_api.RefusedError('nova answers 409: exists.')
        self._last += 1
        self.now.append(aggregates.Aggregate(self._last, name))
        return self._last

    def change(self, aggregate_id, change):
        self.calls.append(change)
        found = [each for each in self.now if each.id == aggregate_id]
        if not found:
            raise nova_api.RefusedError('nova answers 404: no aggregate.')
        hosts = found[0].hosts
        if change.action == planning.ADD_HOST:
            if change.host not in self.known:
                raise nova_api.RefusedError('nova answers 404: no host.')
            if change.host in hosts:
                raise nova_api.RefusedError('nova answers 409: is there.')
        elif change.action == planning.REMOVE_HOST:
            if change.host not in hosts:
                raise nova_api.RefusedError('nova answers 404: not there.')
        elif change.action == planning.DELETE and hosts:
            raise nova_api.RefusedError('nova answers 400: not empty.')
        self.now = planning.applied(
            self.now, [planning.dataclasses.replace(change, id=aggregate_id)]
        )

    def named(self, name):
        (found,) = (each for each in self.now if each.name == name)
        return found


def run(nova, desired, prune=False, steps=None, spared=()):
    """Publish; ended after so many calls of the API, if it is not None."""
    applying = apply.Applying(
        nova, desired, prune, spared, pause=lambda seconds: None
    )
    for number, _ in enumerate(applying.steps(), 1):
        if number == steps:
            break
    return applying
