# SPDX-License-Identifier: Apache-2.0

"""What guests took of placement, and what there is left."""

from __future__ import annotations

from nova_xen_sched.cmd.simulate.ledger import Ledger


def way(**amounts):
    """Of each provider so many VCPU, or what it has in full."""
    return {
        'allocations': {
            provider: {
                'resources': each if isinstance(each, dict) else {'VCPU': each}
            }
            for provider, each in amounts.items()
        }
    }


def summaries(**left):
    return {
        provider: {
            'resources': {
                name: {'capacity': amount + 7, 'used': 7}
                for name, amount in each.items()
            }
        }
        for provider, each in left.items()
    }


def test_as_many_fit_as_there_is():
    ledger, known = Ledger(), summaries(a={'VCPU': 5})
    for _ in range(2):
        assert ledger.fitting([way(a=2)], known) == [way(a=2)]
        ledger.book(way(a=2))
    assert ledger.short(way(a=2), known) == 'VCPU'
    assert ledger.fitting([way(a=2)], known) == []
    # A smaller one does.
    assert ledger.short(way(a=1), known) == ''


def test_the_second_way_is_gone_when_both_are():
    ledger, known = Ledger(), summaries(a={'VCPU': 1}, b={'VCPU': 1})
    ways = [way(a=1), way(b=1)]
    ledger.book(ways[0])
    assert ledger.fitting(ways, known) == [ways[1]]
    ledger.book(ways[1])
    assert ledger.fitting(ways, known) == []


def test_hosts_that_share_storage_share_what_it_has():
    known = summaries(
        a={'VCPU': 9}, b={'VCPU': 9}, nfs={'DISK_GB': 25, 'VCPU': 0}
    )
    ways = {
        host: way(**{host: 1, 'nfs': {'DISK_GB': 10}}) for host in ('a', 'b')
    }
    ledger = Ledger()
    ledger.book(ways['a'])
    assert ledger.short(ways['b'], known) == ''
    ledger.book(ways['b'])
    for each in ways.values():
        assert ledger.short(each, known) == 'DISK_GB'
