# SPDX-License-Identifier: Apache-2.0

"""What facts publish says beside its table."""

from __future__ import annotations

import typing as ty

from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd.facts import aggregates as content
from nova_xen_sched.cmd.facts import desired as wanting
from nova_xen_sched.cmd.facts import difference
from nova_xen_sched.cmd.facts import plan as planning

#: Names of hosts in one line.
SHOWN = 10
UNKNOWN = 'unknown'


def lines(
    wanted: wanting.Wanted,
    before: list[content.Aggregate],
    plan: planning.Plan,
    prune: bool,
) -> ty.Iterator[str]:
    """What changes for each host, and what doesn't and why.

    :param before: the aggregates that there are.
    """
    after = planning.applied(before, plan.changes)
    for each in difference.differences(before, after):
        yield tables.listed(each.hosts)
        for key, (old, new) in each.changed.items():
            yield '  %s: %s -> %s' % (key, old or UNKNOWN, new or UNKNOWN)
    if wanted.unknown:
        yield 'nova has no host %s: not published.' % tables.listed(
            wanted.unknown
        )
    for name, hosts in sorted(plan.blocked.items()):
        yield (
            'Aggregate %s is not ours (it needs %s=%s and no availability '
            'zone) and is in the way: %s left as before.'
            % (name, content.MANAGED_BY, content.OWNER, tables.listed(hosts))
        )
    for name in plan.kept:
        yield (
            'Aggregate %s is kept, though empty, for metadata in it that '
            "isn't ours." % name
        )
    for found in difference.overrides(wanted.facts, after):
        yield (
            '%s: %s stays %s, for aggregate %s, which is not ours, says so.'
            % (
                found.host,
                found.key,
                found.value,
                ', '.join(found.aggregates),
            )
        )
    others = difference.others(wanted.facts.keys() | wanted.spared, before)
    if others and not prune:
        yield (
            'Left as before, for nothing was told of them (--prune takes '
            'them out): %s.' % tables.listed(others)
        )


def planned(wanted: wanting.Wanted, plan: planning.Plan) -> str:
    """The last line of a dry run."""
    if not plan.changes:
        return 'Nothing to change; hosts told of: %d.' % len(wanted.facts)
    return (
        '%d changes would be made; hosts told of: %d. Nothing was changed: '
        'add --apply.' % (len(plan.changes), len(wanted.facts))
    )
