# SPDX-License-Identifier: Apache-2.0

"""A result for a person: the outcome first, then why.

What is written is a list of parts: paragraphs, and tables.
"""

from __future__ import annotations

import collections
import typing as ty

from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd.explain import phrases
from nova_xen_sched.cmd.explain import result as results
from nova_xen_sched.cmd.explain.result import HostResult
from nova_xen_sched.cmd.explain.result import Reason
from nova_xen_sched.cmd.explain.result import Result
from nova_xen_sched.cmd.nova import filtering

_WEIGHER = 'Weigher'
#: How many of the reasons that differ from host to host are shown.
_REASONS = 3
#: How many weighers have a column of their own.
_WEIGHERS = 3

#: Of more hosts, those that are all are not named.
_MANY = 5

#: A reason against a host.
_Found = ty.Tuple[HostResult, Reason]


def of_all(result: Result, limit: int) -> list[tables.Part]:
    """The outcome, and every host up to a limit.

    :param limit: how many hosts each list shows, 0 for all.
    """
    parts = phrases.before(result)
    if not result.hosts and result.nova_refuses:
        return parts + phrases.coded(result.notes)
    parts.append(_outcome(result))
    for weigher, hosts in result.first_without.items():
        then = phrases.come(hosts, 'would come')
        if len(hosts) == len(result.weighed):
            then = 'all would have equal weight'
        elif len(hosts) > 1:
            then += ' with equal weight'
        parts.append('Without %s, %s.' % (weigher, then))
    parts += phrases.coded(result.notes)
    # One alone has no weight.
    if len(result.weighed) > 1 or any(h.reasons for h in result.weighed):
        parts += _order(result.weighed, limit)
    for step, refused in result.by_step():
        parts += _refused(step, refused, limit, len(result.hosts))
    return parts + phrases.logs(result.first)


def _outcome(result: Result) -> str:
    total = len(result.hosts)
    first = result.first
    if first:
        text = '%s%s, of %s that can take the guest' % (
            phrases.come(first),
            '' if len(first) == 1 else ' with equal weight',
            tables.counted(len(result.weighed)),
        )
        if len(result.weighed) == 1:
            text = phrases.only(first[0])
        if result.refused:
            text += '; %d of %d are refused' % (len(result.refused), total)
        return text + '.'
    if not total:
        return 'No valid host: there are no hosts at all.'
    return 'No valid host. Of %s: %s.' % (
        tables.counted(total),
        ', '.join(_tally(result)),
    )


def _tally(result: Result) -> list[str]:
    """What refuses hosts, and how many; the most frequent first.

    Which hosts the request itself is for comes last: nobody asks why.
    """
    counts: collections.Counter[str] = collections.Counter()
    last: set[str] = set()
    for step, hosts in result.by_step():
        for each in hosts:
            said = [cause.title() for cause in each.causes]
            if step.name == phrases.XEN_FILTER:
                said = ['refused for ' + why.code for why in each.deciding]
            if not said:
                said = [phrases.refused_by(step)]
                last.update(said if step.name == filtering.REQUEST else ())
            counts.update(said)
    total = len(result.hosts)
    return [
        '%s %s' % ('all' if many == total > 1 else many, what)
        for what, many in sorted(
            counts.most_common(), key=lambda one: one[0] in last
        )
    ]


def _order(weighed: ty.Sequence[HostResult], limit: int) -> list[tables.Part]:
    """The hosts by weight, with the shares that differ the most."""

    def spread(number: int) -> float:
        shares = [each.shares[number].share for each in weighed]
        return max(shares) - min(shares)

    numbers = list(range(len(weighed[0].shares)))
    own = sorted(sorted(numbers, key=spread, reverse=True)[:_WEIGHERS])
    if len(numbers) == _WEIGHERS + 1:
        own = numbers
    others = [number for number in numbers if number not in own]
    shown = weighed[: limit or None]
    parts: list[tables.Part] = [
        '',
        'By weight, and the share of each weigher in it:'
        if numbers
        else 'By weight:',
        tables.Table(
            [
                'Host',
                'Rank',
                'Weight',
                *(_short(weighed[0].shares[number].weigher) for number in own),
                *(['Others'] if others else []),
            ],
            [
                [
                    each.host + (' *' if each.reasons else ''),
                    each.rank,
                    tables.figure(each.weight),
                    *(tables.figure(each.shares[n].share) for n in own),
                    *(
                        [
                            tables.figure(
                                sum(each.shares[n].share for n in others)
                            )
                        ]
                        if others
                        else []
                    ),
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
    if others:
        parts.append(
            'Others: %s; --host NAME shows each.'
            % ', '.join(_short(weighed[0].shares[n].weigher) for n in others)
        )
    reported = _by_code((each, r) for each in weighed for r in each.reasons)
    if reported:
        parts.append('* would be refused, if it were not for report_only:')
    for code, found in reported.items():
        parts += _under(code, found, limit)
    return parts


def _refused(
    step: ty.Any, hosts: list[HostResult], limit: int, total: int
) -> list[tables.Part]:
    """Whom a step refused.

    :param total: how many hosts there are.
    """
    heading = phrases.refused_by(step)
    if step.name == filtering.REQUEST and step.why and not hosts[0].causes:
        return [
            '',
            '%s, %d: %s' % (phrases.sentence(heading), len(hosts), step.why),
        ]
    parts: list[tables.Part] = [
        '',
        '%s, %d:' % (phrases.sentence(heading), len(hosts)),
    ]
    causes = results.by_cause(hosts)
    for cause, (out, free, most) in causes.items():
        names = _names(out, limit, total)
        parts.append(
            '  %s, %d: %s' % (phrases.sentence(cause.title()), len(out), names)
        )
        only = out[0] if len(out) == 1 else None
        text = cause.text(free, None if only else most)
        parts += ['    ' + text] if text else []
        parts += phrases.remedy(cause.remedy, 4, only)
        parts += phrases.paste(cause.look, only)
    if causes:
        return parts
    if step.name != phrases.XEN_FILTER:
        parts.append('  ' + _names(hosts, limit, total))
        parts += ['    ' + step.why] if step.why else []
        return parts + phrases.remedy(step.remedy, 4)
    deciding = [(each, reason) for each in hosts for reason in each.deciding]
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


def _names(hosts: ty.Sequence[HostResult], limit: int, total: int) -> str:
    """The names of hosts, but if they are all that there are of many."""
    if len(hosts) == total > _MANY and limit:
        return 'all hosts'
    return tables.listed([each.host for each in hosts], limit)


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
    for remedy in list(remedies)[:_REASONS]:
        parts += phrases.remedy(remedy, 4)
    return parts


def _short(weigher: str) -> str:
    if weigher.endswith(_WEIGHER):
        weigher = weigher[: -len(_WEIGHER)]
    # Of nova's, the longest.
    return weigher.replace('ServerGroup', '')
