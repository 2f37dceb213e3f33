# SPDX-License-Identifier: Apache-2.0

"""A result for a person: the outcome first, then why.

What is written is a list of parts: lines of text, and tables.
"""

from __future__ import annotations

import collections
import itertools
import typing as ty

from nova_xen_sched import host
from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd import troubleshooting
from nova_xen_sched.cmd.explain.result import HostResult
from nova_xen_sched.cmd.explain.result import Reason
from nova_xen_sched.cmd.explain.result import Result
from nova_xen_sched.cmd.nova import filtering
from nova_xen_sched.dom0 import Usage

XEN_FILTER = 'XenHostFilter'
_WEIGHER = 'Weigher'
#: How many of the reasons that differ from host to host are shown.
_REASONS = 3

_STEPS = {
    filtering.PLACEMENT: 'left out by placement',
    filtering.CELL: 'in another cell',
    filtering.REQUEST: 'ruled out by the request itself',
    filtering.CONDUCTOR: "passed over by nova's conductor",
}

#: A reason against a host.
_Found = ty.Tuple[HostResult, Reason]


def of_all(result: Result, limit: int) -> list[tables.Part]:
    """The outcome, and every host up to a limit.

    :param limit: how many hosts each list shows, 0 for all.
    """
    parts = [*_before(result), _outcome(result)]
    for weigher, hosts in result.first_without.items():
        then = _come(hosts, 'would come')
        if len(hosts) == len(result.weighed):
            then = 'all would have equal weight'
        elif len(hosts) > 1:
            then += ' with equal weight'
        parts.append('Without %s, %s.' % (weigher, then))
    parts += result.notes
    if result.weighed:
        parts += _order(result.weighed, limit)
    for step, refused in itertools.groupby(
        result.refused, lambda each: each.step
    ):
        parts += _refused(step, list(refused), limit)
    return parts + _logs(result.first)


def of_one(
    result: Result, each: HostResult, resources: ty.Sequence[Usage]
) -> list[tables.Part]:
    """One host, in full.

    :param resources: those of a Xen host once the guest is placed, else none.
    """
    parts = _before(result)
    if each.step is not None:
        parts.append('%s is %s.' % (each.host, _refused_by(each.step)))
        if each.step.name != XEN_FILTER:
            remedy = each.step.remedy.replace('UUID', str(each.state.uuid))
            remedy = remedy.replace('HOST', each.host)
            parts += _why(each.step.why, remedy, 2)
    elif each.rank == 1:
        parts.append(_outcome(result))
    else:
        parts.append(
            '%s has rank %s of %d with the weight %s; %s with %s.'
            % (
                each.host,
                each.rank,
                len(result.weighed),
                tables.figure(each.weight),
                _come(result.first),
                tables.figure(result.first[0].weight),
            )
        )
    for reason in each.reasons:
        parts.append('  %s: %s' % (reason, reason.reason))
        parts.append('    -> ' + reason.remedy)
    for name in result.weighers_against(each):
        alone = len(result.first_without[name]) == 1
        parts.append(
            'Without %s, it would %s first.'
            % (name, 'come' if alone else 'be among the')
        )
    parts += result.notes
    if each.shares:
        columns = ('weigher', 'raw', 'normalised', 'multiplier', 'share')
        figures = [
            [getattr(share, name) for name in columns] for share in each.shares
        ]
        parts += ['', tables.figures(columns, figures)]
    if resources:
        parts += ['', 'Its rooms with the guest:', _resources(resources)]
    return parts + _logs([each] if each in result.first else [])


def _resources(resources: ty.Sequence[Usage]) -> tables.Table:
    cells = [
        (
            str(left.resource),
            '%.0f' % left.capacity,
            '%.0f' % left.used,
            left.resource.unit,
            '%.0f %%' % (100 * left.headroom) if left.capacity else '-',
            left.source,
        )
        for left in resources
    ]
    return tables.Table(
        ('room', 'capacity', 'used', 'unit', 'left', 'source'),
        tables.aligned(cells),
    )


def _logs(hosts: ty.Iterable[HostResult]) -> list[tables.Part]:
    """Where to look on a Xen host if the guest fails there."""
    if any(host.is_xen(each.state) for each in hosts):
        return ['', troubleshooting.LOGS]
    return []


def _before(result: Result) -> list[tables.Part]:
    """What comes before the hosts, and whatever they are."""
    if not result.nova_refuses:
        return []
    return [*result.nova_refuses, 'If it did not:']


def _outcome(result: Result) -> str:
    total = len(result.hosts)
    first = result.first
    if first:
        return '%s%s, of %s that can take it; %d of %d are refused.' % (
            _come(first),
            '' if len(first) == 1 else ' with equal weight',
            tables.counted(len(result.weighed)),
            len(result.refused),
            total,
        )
    if not total:
        return 'No valid host: there are no hosts at all.'
    if total == 1:
        return 'No valid host: the only host is refused.'
    return 'No valid host: all of %s are refused.' % tables.counted(total)


def _come(hosts: ty.Sequence[HostResult], verb: str = '') -> str:
    """Who comes first, up to here."""
    return '%s %s first' % (
        tables.names([each.host for each in hosts]),
        verb or ('comes' if len(hosts) == 1 else 'come'),
    )


def _order(weighed: ty.Sequence[HostResult], limit: int) -> list[tables.Part]:
    """The hosts by weight, with each share that makes any difference."""
    matter = [
        number
        for number, _ in enumerate(weighed[0].shares)
        if any(each.shares[number].share for each in weighed)
    ]
    names = [weighed[0].shares[number].weigher for number in matter]
    shown = weighed[: limit or None]
    parts: list[tables.Part] = [
        '',
        'By weight, and the share of each weigher in it:',
        tables.figures(
            ['rank', 'host', 'weight', *map(_short, names)],
            [
                [
                    each.rank,
                    each.host + (' *' if each.reasons else ''),
                    each.weight,
                    *(each.shares[number].share for number in matter),
                ]
                for each in shown
            ],
        ),
    ]
    if len(shown) < len(weighed):
        parts.append(
            '... and %s more; --limit 0 shows all.'
            % tables.counted(len(weighed) - len(shown))
        )
    reported = _by_code((each, r) for each in weighed for r in each.reasons)
    if reported:
        parts.append('* would be refused, if it were not for report_only:')
    for code, found in reported.items():
        parts += _under(code, found, limit)
    return parts


def _refused(
    step: ty.Any, hosts: list[HostResult], limit: int
) -> list[tables.Part]:
    """Whom a step refused."""
    heading = _refused_by(step)
    heading = heading[0].upper() + heading[1:]
    parts: list[tables.Part] = ['', '%s, %d:' % (heading, len(hosts))]
    if step.name != XEN_FILTER:
        names = tables.listed([each.host for each in hosts], limit)
        return [*parts, '  ' + names, *_why(step.why, step.remedy, 4)]
    deciding = []
    for each in hosts:
        # What is only reported doesn't decide.
        enforced = [r for r in each.reasons if not r.report_only]
        deciding += [(each, reason) for reason in enforced[:1]]
    for code, found in _by_code(deciding).items():
        parts += _under(code, found, limit)
        others = collections.Counter(
            str(other)
            for each, reason in found
            for other in each.reasons
            if other is not reason
        )
        if others:
            also = ', '.join('%s %d' % one for one in others.items())
            parts.append('    also: ' + also)
    return parts


def _by_code(
    reasons: ty.Iterable[_Found],
) -> dict[str, list[_Found]]:
    found: dict[str, list[_Found]] = {}
    for each, reason in reasons:
        found.setdefault(str(reason), []).append((each, reason))
    return found


def _under(heading: str, found: list[_Found], limit: int) -> list[tables.Part]:
    """Hosts and their reasons under one heading.

    What differs from host to host is shown for a few of them.
    """
    names = tables.listed([each.host for each, _ in found], limit)
    parts: list[tables.Part] = ['  %s, %d: %s' % (heading, len(found), names)]
    reasons: dict[str, str] = {}
    for each, reason in found:
        reasons.setdefault(reason.reason, each.host)
    for why, name in list(reasons.items())[:_REASONS]:
        parts.append(
            '    ' + why + (' (%s)' % name if len(reasons) > 1 else '')
        )
    if len(reasons) > _REASONS:
        parts.append(
            '    and %d more like it; --host NAME shows the one of a host'
            % (len(reasons) - _REASONS)
        )
    remedies = dict.fromkeys(reason.remedy for _, reason in found)
    return parts + ['    -> ' + each for each in list(remedies)[:_REASONS]]


def _why(why: str, remedy: str, indent: int) -> list[tables.Part]:
    """Why a host is refused, and what to do."""
    margin = ' ' * indent
    parts: list[tables.Part] = [margin + why] if why else []
    if remedy:
        parts.append(margin + '-> ' + remedy)
    return parts


def _refused_by(step: filtering.Step) -> str:
    return _STEPS.get(step.name, 'refused by %s' % step.name)


def _short(weigher: str) -> str:
    if weigher.endswith(_WEIGHER):
        return weigher[: -len(_WEIGHER)]
    return weigher
