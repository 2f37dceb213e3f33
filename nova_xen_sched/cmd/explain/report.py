# SPDX-License-Identifier: Apache-2.0

"""An answer for a person: the outcome first, then why.

What is written is a list of parts: lines of text, and tables.
"""

from __future__ import annotations

import collections
import typing as ty

from nova_xen_sched import host
from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd import troubleshooting
from nova_xen_sched.cmd.explain.result import Answer
from nova_xen_sched.cmd.explain.result import HostAnswer
from nova_xen_sched.cmd.explain.result import Reason
from nova_xen_sched.cmd.nova import filtering
from nova_xen_sched.dom0 import Left

XEN_FILTER = 'XenHostFilter'
_WEIGHER = 'Weigher'
#: How many of the reasons that differ from host to host are shown.
_REASONS = 3


Part = ty.Union[str, tables.Table]


def of_all(answer: Answer, limit: int) -> list[Part]:
    """The answer, and every host up to a limit.

    :param limit: how many hosts each list shows, 0 for all.
    """
    parts: list[Part] = [_outcome(answer)]
    parts += _counterfactuals(answer)
    parts += answer.notes
    parts += _order(answer, limit)
    parts += _refused(answer, limit)
    parts += _logs(answer.first)
    return parts


def of_one(
    answer: Answer, each: HostAnswer, rooms: ty.Sequence[Left]
) -> list[Part]:
    """One host, in full.

    :param rooms: of a Xen host once the guest is placed, else none.
    """
    parts: list[Part] = []
    if each.weighed is None:
        step = each.step or ''
        parts.append('%s is %s.' % (each.host, _refused_by(step)))
        if step != XEN_FILTER:
            remedy = each.remedy.replace('UUID', str(each.state.uuid))
            remedy = remedy.replace('HOST', each.host)
            parts += [str(part)[2:] for part in _why(each.why, remedy)]
    elif each.weighed.rank == 1:
        parts.append(_outcome(answer))
    else:
        parts.append(
            '%s has rank %d of %d with the weight %s; %s %s.'
            % (
                each.host,
                each.weighed.rank,
                len(answer.weighed),
                tables.figure(each.weighed.weight),
                _come(answer.first),
                tables.figure(_weight(answer.first[0])),
            )
        )
    for reason in each.reasons:
        parts += _in_words(reason)
    for name in each.first_without:
        alone = len(answer.first_without[name]) == 1
        parts.append(
            'Without %s, it would %s first.'
            % (name, 'come' if alone else 'be among the')
        )
    parts += answer.notes
    if each.weighed is not None and each.weighed.shares:
        parts.append('')
        parts.append(
            tables.figures(
                ('weigher', 'raw', 'normalised', 'multiplier', 'share'),
                [
                    (
                        share.weigher,
                        share.raw,
                        share.normalised,
                        share.multiplier,
                        share.share,
                    )
                    for share in each.weighed.shares
                ],
            )
        )
    if rooms:
        parts += ['', 'Its rooms with the guest:']
        parts.append(_rooms(rooms))
    if each in answer.first:
        parts += _logs([each])
    return parts


def _rooms(rooms: ty.Sequence[Left]) -> tables.Table:
    cells = [
        (
            str(left.room),
            '%.0f' % left.capacity,
            '%.0f' % left.used,
            left.room.unit,
            '%.0f %%' % (100 * left.headroom) if left.capacity else '-',
            left.source,
        )
        for left in rooms
    ]
    return tables.Table(
        ('room', 'capacity', 'used', 'unit', 'left', 'source'),
        tables.aligned(cells),
    )


def _logs(hosts: ty.Iterable[HostAnswer]) -> list[Part]:
    """Where to look on a Xen host if the guest fails there."""
    if any(host.state_is_xen(each.state) for each in hosts):
        return ['', troubleshooting.LOGS]
    return []


def _outcome(answer: Answer) -> str:
    total = len(answer.hosts)
    if not answer.weighed:
        if not total:
            return 'No valid host: there are no hosts at all.'
        if total == 1:
            return 'No valid host: the only host is refused.'
        return 'No valid host: all of %s are refused.' % tables.counted(total)
    first = answer.first
    return '%s %s, of %s that can take it; %d of %d are refused.' % (
        tables.names([each.host for each in first]),
        'comes first' if len(first) == 1 else 'come first with equal weight',
        tables.counted(len(answer.weighed)),
        len(answer.refused),
        total,
    )


def _come(first: ty.Sequence[HostAnswer]) -> str:
    return '%s %s first with' % (
        tables.names([each.host for each in first]),
        'comes' if len(first) == 1 else 'come',
    )


def _counterfactuals(answer: Answer) -> list[Part]:
    found: list[Part] = []
    for weigher, hosts in answer.first_without.items():
        if len(hosts) == len(answer.weighed):
            then = 'all would have equal weight'
        elif len(hosts) == 1:
            then = '%s would come first' % hosts[0]
        else:
            then = '%s would come first with equal weight' % tables.names(
                hosts
            )
        found.append('Without %s, %s.' % (weigher, then))
    return found


def _order(answer: Answer, limit: int) -> list[Part]:
    """The hosts by weight, with each share that makes any difference."""
    if not answer.weighed:
        return []
    shown = answer.weighed[: limit or None]
    weighers = [
        number
        for number, share in enumerate(_shares(answer.weighed[0]))
        if any(_shares(each)[number].share for each in answer.weighed)
    ]
    names = [_shares(answer.weighed[0])[n].weigher for n in weighers]
    parts: list[Part] = ['', 'By weight, and the share of each weigher in it:']
    parts.append(
        tables.figures(
            ['rank', 'host', 'weight'] + [_short(name) for name in names],
            [
                [
                    each.weighed and each.weighed.rank,
                    each.host + (' *' if each.reasons else ''),
                    _weight(each),
                ]
                + [_shares(each)[n].share for n in weighers]
                for each in shown
            ],
        )
    )
    parts += _left_out(len(answer.weighed) - len(shown))
    reported: dict[str, list[tuple[str, Reason]]] = {}
    for each in answer.weighed:
        for reason in each.reasons:
            found = reported.setdefault(_code(reason), [])
            found.append((each.host, reason))
    if reported:
        parts.append('* would be refused, if it were not for report_only:')
        for code, hosts in reported.items():
            parts += _under(code, hosts, limit)
    return parts


def _refused(answer: Answer, limit: int) -> list[Part]:
    parts: list[Part] = []
    by_step: dict[tuple[str, str, str], list[HostAnswer]] = {}
    for each in answer.refused:
        found = (each.step or '', each.why, each.remedy)
        by_step.setdefault(found, []).append(each)
    for (step, why, remedy), hosts in by_step.items():
        heading = _refused_by(step)
        heading = heading[0].upper() + heading[1:]
        parts += ['', '%s, %d:' % (heading, len(hosts))]
        if step == XEN_FILTER:
            parts += _by_reason(hosts, limit)
            continue
        parts.append(
            '  ' + tables.listed([each.host for each in hosts], limit)
        )
        parts += _why(why, remedy)
    return parts


def _why(why: str, remedy: str) -> list[Part]:
    """What a step other than XenHostFilter is for, and where to look."""
    parts: list[Part] = ['    ' + why] if why else []
    if remedy:
        parts.append('    -> ' + remedy)
    return parts


def _refused_by(step: str) -> str:
    return {
        filtering.PLACEMENT: 'left out by placement',
        filtering.CELL: 'in another cell',
        filtering.REQUEST: 'ruled out by the request itself',
    }.get(step, 'refused by %s' % step)


def _by_reason(hosts: ty.Iterable[HostAnswer], limit: int) -> list[Part]:
    """Hosts by the code that refuses them, and which others speak as well."""
    refused: dict[str, list[tuple[HostAnswer, Reason]]] = {}
    for each in hosts:
        decides = next((r for r in each.reasons if not r.report_only), None)
        if decides is not None:
            refused.setdefault(decides.code, []).append((each, decides))
    parts: list[Part] = []
    for code, them in refused.items():
        parts += _under(code, [(e.host, reason) for e, reason in them], limit)
        others = collections.Counter(
            _code(other)
            for each, reason in them
            for other in each.reasons
            if other is not reason
        )
        if others:
            also = ', '.join('%s %d' % one for one in others.items())
            parts.append('    also: ' + also)
    return parts


def _under(
    heading: str, found: ty.Sequence[tuple[str, Reason]], limit: int
) -> list[Part]:
    """Hosts and their reasons under one heading.

    What differs from host to host is shown for a few of them.
    """
    names = tables.listed([name for name, _ in found], limit)
    parts: list[Part] = ['  %s, %d: %s' % (heading, len(found), names)]
    reasons: dict[str, str] = {}
    remedies: dict[str, None] = {}
    for name, reason in found:
        reasons.setdefault(reason.reason, name)
        remedies.setdefault(reason.remedy)
    for said, name in list(reasons.items())[:_REASONS]:
        example = ' (%s)' % name if len(reasons) > 1 else ''
        parts.append('    ' + said + example)
    if len(reasons) > _REASONS:
        parts.append(
            '    and %d more like it; --host NAME shows the one of a host'
            % (len(reasons) - _REASONS)
        )
    parts += ['    -> ' + said for said in list(remedies)[:_REASONS]]
    return parts


def _in_words(reason: Reason) -> list[Part]:
    return [
        '  %s: %s' % (_code(reason), reason.reason),
        '    -> ' + reason.remedy,
    ]


def _code(reason: Reason) -> str:
    return reason.code + (' (report_only)' if reason.report_only else '')


def _left_out(count: int) -> list[Part]:
    if count <= 0:
        return []
    return ['... and %s more; --limit 0 shows all.' % tables.counted(count)]


def _shares(each: HostAnswer) -> tuple[ty.Any, ...]:
    return each.weighed.shares if each.weighed else ()


def _weight(each: HostAnswer) -> float:
    return each.weighed.weight if each.weighed else 0.0


def _short(weigher: str) -> str:
    if weigher.endswith(_WEIGHER):
        return weigher[: -len(_WEIGHER)]
    return weigher
