# SPDX-License-Identifier: Apache-2.0

"""What facts publish prints: a row a change, and lines for each host."""

from __future__ import annotations

import typing as ty

from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd.facts import aggregates
from nova_xen_sched.cmd.facts import desired
from nova_xen_sched.cmd.facts import plan as planning

PLANNED = 'planned'
NOT_TRIED = 'not tried'
UNKNOWN = 'unknown'
#: What programs read of a change; all else is why it was left.
_CODES = {
    PLANNED: 'planned',
    NOT_TRIED: 'not_tried',
    'done': 'done',
    'not needed any more': 'not_needed',
}

COLUMNS = {
    # Long names have lines of their own in the first column.
    'host': tables.Column(
        'Host', 'that is added or removed, or whose trait is'
    ),
    'change': tables.Column(
        'Change',
        'create, set, add_host, remove_host or delete; with --traits '
        'create_trait, add_trait or remove_trait',
    ),
    'aggregate': tables.Column('Aggregate', 'its name'),
    'trait': tables.Column('Trait', 'its name', tables.LONG),
    'metadata': tables.Column(
        'Metadata',
        'what is set; -KEY, in JSON null, is removed',
        tables.LONG,
    ),
    'result': tables.Column(
        'Result',
        'planned, done, not_needed, not_tried or left; for a person it says '
        'why it was left',
    ),
    'reason': tables.Column('Reason', 'why it was left', tables.LONG),
}


def lines(
    goal: desired.Desired,
    before: list[aggregates.Aggregate],
    plan: planning.Plan,
    prune: bool,
) -> ty.Iterator[str]:
    """What changes for each host, and what doesn't and why.

    :param before: the aggregates that there are.
    """
    after = planning.applied(before, plan.changes)
    for hosts, changed in aggregates.differences(before, after):
        yield tables.listed(hosts)
        for key, (old, new) in changed.items():
            yield '  %s: %s -> %s' % (key, old or UNKNOWN, new or UNKNOWN)
    if goal.unknown:
        yield 'nova has no host %s: not published.' % tables.listed(
            goal.unknown
        )
    for name, hosts in sorted(plan.blocked.items()):
        yield (
            'Aggregate %s is not ours (it needs %s=%s and no availability '
            'zone) and is in the way: %s left as before.'
            % (
                name,
                aggregates.MANAGED_BY,
                aggregates.OWNER,
                tables.listed(hosts),
            )
        )
    for name in plan.kept:
        yield (
            'Aggregate %s is kept, though empty, for metadata in it that '
            "isn't ours." % name
        )
    for host, key, value, names in aggregates.overrides(goal.facts, after):
        yield (
            '%s: %s stays %s, because aggregate %s, which is not ours, has it.'
            % (host, key, value, ', '.join(names))
        )
    others = aggregates.others(goal.facts.keys() | goal.spared, before)
    if others and not prune:
        yield (
            'Left as before, because no facts of them were given (--prune '
            'takes them out): %s.' % tables.listed(others)
        )


def row(change: planning.Change, outcome: str) -> tuple[ty.Any, ...]:
    metadata = tables.Structured(
        dict(change.metadata),
        '\n'.join(
            '-%s' % key if value is None else '%s=%s' % (key, value)
            for key, value in change.metadata
        ),
    )
    return cells(change, outcome, change.aggregate, metadata)


def cells(
    change: ty.Any,
    outcome: str,
    aggregate: str | None = None,
    metadata: ty.Any = None,
    trait: str | None = None,
) -> tuple[ty.Any, ...]:
    """A row, in the order of COLUMNS.

    :param change: with a host and an action.
    """
    return (
        change.host or None,
        change.action,
        aggregate,
        trait,
        metadata or tables.Structured({}, ''),
        tables.Structured(_CODES.get(outcome, 'left'), outcome),
        None if outcome in _CODES else outcome,
    )
