# SPDX-License-Identifier: Apache-2.0

"""What is said of nova's filters is said of those of the nova at hand."""

from __future__ import annotations

from nova.scheduler import filters

from nova_xen_sched.cmd import troubleshooting


def test_each_of_novas_filters_has_a_clause():
    names = {each.__name__ for each in filters.all_filters()}
    assert len(names) > 15
    assert names - set(troubleshooting.FILTERS) == set()


def test_clauses_are_clauses():
    for clause in troubleshooting.FILTERS.values():
        assert clause[0].islower()
        assert not clause.endswith('.')
