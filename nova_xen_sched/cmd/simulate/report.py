# SPDX-License-Identifier: Apache-2.0

"""A simulation for a person, and for programs. Nothing here knows nova."""

from __future__ import annotations

import typing as ty

from nova_xen_sched import dom0
from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd.simulate import result
from nova_xen_sched.cmd.simulate.result import Side
from nova_xen_sched.cmd.simulate.result import Simulated

if ty.TYPE_CHECKING:
    from nova_xen_sched.cmd.simulate.settings import Setting

Column, LONG = tables.Column, tables.LONG

#: The columns with the options in force.
NOW = {
    'host': Column('Host', 'the host, as HOST:NODE where they differ'),
    'guests_now': Column(
        'Now', 'how many of the guests find it, with the options in force'
    ),
    'before_now': Column(
        'Left',
        "the share that is left of the fullest of a Xen host's resources "
        'before the guests; below 0 that resource is overcommitted',
    ),
    'after_now': Column('After', 'likewise, with the guests'),
    'scarcest_now': Column(
        'Scarcest', 'which resource that is, with the guests'
    ),
}
#: With other options there are these, too.
COLUMNS = {
    **NOW,
    'guests_set': Column('Set', 'how many find it with the options of --set'),
    'before_set': Column(
        'Left set',
        "the share that is left before the guests, as --set's options count "
        'it',
        LONG,
    ),
    'after_set': Column('After set', 'likewise, with the guests'),
    'scarcest_set': Column('Scarcest set', 'which resource that is'),
}

_RESOURCES = {
    dom0.Resource.DOM0_MEMORY: 'dom0 memory',
    dom0.Resource.DOM0_CPU: 'dom0 vCPUs',
    dom0.Resource.HOST_MEMORY: 'host memory',
}


def rows(simulated: Simulated) -> list[list[ty.Any]]:
    """The hosts that change; with the columns of NOW, or all of them."""
    found = []
    for host in simulated.hosts:
        row: list[ty.Any] = [host]
        for side in (simulated.now, simulated.set):
            if side is not None:
                row += _cells(side, host)
        found.append(row)
    return found


def _cells(side: Side, host: str) -> list[ty.Any]:
    """A host on one side; without guests there only their number is known."""
    change = side.hosts.get(host)
    if change is None:
        return [0, *(tables.Cell(None) for _ in range(3))]
    scarcest = dom0.scarcest(change.after) if change.after else None
    return [
        change.guests,
        tables.percent(_headroom(change.before)),
        tables.percent(_headroom(change.after)),
        tables.Cell(
            scarcest and str(scarcest.resource),
            _RESOURCES[scarcest.resource] if scarcest else '',
        ),
    ]


def _headroom(resources: tuple[dom0.Usage, ...]) -> float | None:
    return dom0.scarcest(resources).headroom if resources else None


def sentences(
    simulated: Simulated, settings: ty.Sequence[Setting]
) -> list[str]:
    """What is so of all hosts together, for a person."""
    if simulated.set is None:
        return _of_side(simulated, simulated.now)
    return [
        'With the options in force:',
        *('  ' + line for line in _of_side(simulated, simulated.now)),
        'With %s:'
        % ', '.join(
            '%s = %s' % (each.label, _shown(each.value)) for each in settings
        ),
        *('  ' + line for line in _of_side(simulated, simulated.set)),
    ]


def _shown(value: ty.Any) -> str:
    """A value as a file of configuration has it."""
    if isinstance(value, list):
        return ','.join(map(str, value))
    if isinstance(value, float):
        return '%g' % value
    return str(value).lower() if isinstance(value, bool) else str(value)


def _of_side(simulated: Simulated, side: Side) -> list[str]:
    total = len(side.placed)
    if total == 1:
        lines = ['The guest finds %s host.' % ('a' if side.found else 'no')]
    elif side.found == total:
        lines = ['All %d guests find a host.' % total]
    else:
        lines = ['%d of %d guests find a host.' % (side.found, total)]
    for refusal in side.refusals:
        label, _ = simulated.kinds[refusal.kind]
        lines.append(
            'Guest %d is the first that finds none (%s): %s.'
            % (refusal.guest, tables.text(label), _causes(refusal))
        )
    for text, found in (
        ('Overcommitted by them: %s.', side.overcommitted()),
        ('Full, so that one more would overcommit it: %s.', side.full()),
    ):
        if found:
            lines.append(
                text
                % '; '.join(
                    '%s on %s (%s)'
                    % (
                        _RESOURCES[resource],
                        tables.counted(len(hosts)),
                        tables.listed(hosts),
                    )
                    for resource, hosts in found.items()
                )
            )
    return [*lines, *side.notes]


def _causes(refusal: result.Refusal) -> str:
    """Whom each step refuses, and for what."""
    parts = []
    for step, total, reasons in result.by_step(refusal.causes):
        part = '%s refuses %s' % (step, tables.counted(total))
        if reasons:
            part += ' (%s)' % ', '.join('%s %d' % each for each in reasons)
        parts.append(part)
    return '; '.join(parts) or 'there is no host'


def outcome(
    simulated: Simulated, settings: ty.Sequence[Setting], partial: bool
) -> dict[str, ty.Any]:
    """What is so of all hosts together, for json and yaml.

    :param partial: whether hosts are missing.
    """
    return {
        'guests': [
            {**label.machine_readable(), 'count': count}
            for label, count in simulated.kinds
        ],
        'options': {
            '%s.%s' % (each.group, each.name): each.value for each in settings
        },
        'partial': partial,
        'now': _side(simulated.now),
        'set': None if simulated.set is None else _side(simulated.set),
    }


def _side(side: Side) -> dict[str, ty.Any]:
    return {
        'guests': len(side.placed),
        'found': side.found,
        'placed': list(side.placed),
        'refused': [
            {
                'guest': each.guest,
                'kind': each.kind,
                'causes': [
                    {
                        'step': cause.step,
                        'code': cause.code,
                        'name': cause.name or None,
                        'hosts': count,
                    }
                    for cause, count in each.causes.most_common()
                ],
            }
            for each in side.refusals
        ],
        'overcommitted': _by_name(side.overcommitted()),
        'full': _by_name(side.full()),
        'notes': list(side.notes),
    }


def _by_name(
    found: ty.Mapping[dom0.Resource, list[str]],
) -> dict[str, list[str]]:
    return {str(resource): hosts for resource, hosts in found.items()}
