# SPDX-License-Identifier: Apache-2.0

"""A result for a person: the outcome first, then why.

What is written is a list of parts: paragraphs, and tables.
"""

from __future__ import annotations

import collections
import typing as ty

from nova_xen_sched import host
from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd import troubleshooting
from nova_xen_sched.cmd.explain import result as results
from nova_xen_sched.cmd.explain.result import HostResult
from nova_xen_sched.cmd.explain.result import Reason
from nova_xen_sched.cmd.explain.result import Result
from nova_xen_sched.cmd.nova import filtering
from nova_xen_sched.dom0 import Usage

XEN_FILTER = 'XenHostFilter'
_WEIGHER = 'Weigher'
#: How many of the reasons that differ from host to host are shown.
_REASONS = 3
#: How many weighers have a column of their own.
_WEIGHERS = 3

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
    for step, refused in result.by_step():
        parts += _refused(step, refused, limit)
    return parts + _logs(result.first)


def of_one(
    result: Result, each: HostResult, resources: ty.Sequence[Usage]
) -> list[tables.Part]:
    """One host, in full.

    :param resources: those of a Xen host once the guest is placed, else none.
    """
    parts = [*_before(result), _fared(result, each)]
    if each.step is not None and each.step.name != XEN_FILTER:
        parts += _why_one(each)
    for reason in each.reasons:
        parts.append('  %s: %s' % (reason, reason.reason))
        parts += _remedy(reason.remedy, 4)
    for name in result.weighers_against(each):
        alone = len(result.first_without[name]) == 1
        parts.append(
            'Without %s, %s would %s first.'
            % (name, each.host, 'come' if alone else 'be among the')
        )
    parts += result.notes
    if each.shares:
        parts += [
            '',
            tables.Table(
                ('Weigher', 'Raw', 'Normalised', 'Multiplier', 'Share'),
                [
                    (
                        share.weigher,
                        tables.figure(share.raw),
                        tables.figure(share.normalised),
                        tables.figure(share.multiplier),
                        tables.figure(share.share),
                    )
                    for share in each.shares
                ],
            ),
        ]
    if resources:
        parts += [
            '',
            'Resources of %s with the guest:' % each.host,
            _resources(resources),
        ]
    return parts + _logs([each] if each in result.first else [])


def _fared(result: Result, each: HostResult) -> str:
    """How one host fared."""
    if each.step is not None:
        return '%s is %s.' % (each.host, _refused_by(each.step))
    tied = [
        other.host
        for other in result.weighed
        if other.rank == each.rank and other is not each
    ]
    text = '%s has rank %d of %d%s and the weight %s' % (
        each.host,
        each.rank or 0,
        len(result.weighed),
        ', tied with %s,' % tables.names(tied) if tied else '',
        tables.figure(each.weight),
    )
    if each.rank == 1:
        return text + '.'
    return text + '; %s with %s.' % (
        _come(result.first),
        tables.figure(result.first[0].weight),
    )


def _why_one(each: HostResult) -> list[tables.Part]:
    """Why a step refused one host, and what to do."""
    step = each.step
    assert step is not None  # noqa: S101  it was refused
    if not each.causes:
        return [
            *(['  ' + step.why] if step.why else []),
            *_remedy(step.remedy, 2, each),
        ]
    parts: list[tables.Part] = []
    for cause in each.causes:
        text = cause.text(each.free.get(cause.name or '', 0))
        title = _sentence(cause.title())
        parts.append('  ' + ': '.join(filter(None, (title, text))))
        parts += _remedy(cause.remedy, 2, each)
        parts += _paste(cause.look, each)
    return parts


def _remedy(
    remedy: str, indent: int, of: HostResult | None = None
) -> list[tables.Part]:
    """What to do, if that is known.

    :param of: whose names stand in place of HOST and UUID.
    """
    return [' ' * indent + '-> ' + _with_names(remedy, of)] if remedy else []


def _paste(
    commands: ty.Iterable[str], of: HostResult | None
) -> list[tables.Part]:
    """Commands, a line each."""
    return [tables.Line('    ' + _with_names(each, of)) for each in commands]


def _with_names(text: str, of: HostResult | None) -> str:
    if of is None:
        return text
    text = text.replace('UUID', str(of.state.uuid))
    return text.replace('HOST', of.host)


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def _resources(resources: ty.Sequence[Usage]) -> tables.Table:
    return tables.Table(
        ('Resource', 'Capacity', 'Used', 'Unit', 'Left', 'Source'),
        [
            (
                str(left.resource),
                '%.0f' % left.capacity,
                '%.0f' % left.used,
                left.resource.unit,
                '%.0f %%' % (100 * left.headroom) if left.capacity else '-',
                left.source,
            )
            for left in resources
        ],
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
        return '%s%s, of %s that can take the guest; %d of %d are refused.' % (
            _come(first),
            '' if len(first) == 1 else ' with equal weight',
            tables.counted(len(result.weighed)),
            len(result.refused),
            total,
        )
    if not total:
        return 'No valid host: there are no hosts at all.'
    return 'No valid host. Of %s, %s.' % (
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
            if step.name == XEN_FILTER:
                said = ['refused for ' + why.code for why in each.deciding]
            if not said:
                said = [_refused_by(step)]
                last.update(said if step.name == filtering.REQUEST else ())
            counts.update(said)
    total = len(result.hosts)
    return [
        '%s %s %s'
        % (
            'all' if many == total > 1 else many,
            'is' if many == 1 else 'are',
            what,
        )
        for what, many in sorted(
            counts.most_common(), key=lambda one: one[0] in last
        )
    ]


def _come(hosts: ty.Sequence[HostResult], verb: str = '') -> str:
    """Who comes first, up to here."""
    return '%s %s first' % (
        tables.names([each.host for each in hosts]),
        verb or ('comes' if len(hosts) == 1 else 'come'),
    )


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
    step: ty.Any, hosts: list[HostResult], limit: int
) -> list[tables.Part]:
    """Whom a step refused."""
    heading = _refused_by(step)
    parts: list[tables.Part] = [
        '',
        '%s, %d:' % (_sentence(heading), len(hosts)),
    ]
    causes = results.by_cause(hosts)
    for cause, (out, free, most) in causes.items():
        names = tables.listed([each.host for each in out], limit)
        parts.append(
            '  %s, %d: %s' % (_sentence(cause.title()), len(out), names)
        )
        only = out[0] if len(out) == 1 else None
        text = cause.text(free, None if only else most)
        parts += ['    ' + text] if text else []
        parts += _remedy(cause.remedy, 4, only)
        parts += _paste(cause.look, only)
    if causes:
        return parts
    if step.name != XEN_FILTER:
        names = tables.listed([each.host for each in hosts], limit)
        parts.append('  ' + names)
        parts += ['    ' + step.why] if step.why else []
        return parts + _remedy(step.remedy, 4)
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
        parts += _remedy(remedy, 4)
    return parts


def _refused_by(step: filtering.Step) -> str:
    return _STEPS.get(step.name, 'refused by %s' % step.name)


def _short(weigher: str) -> str:
    if weigher.endswith(_WEIGHER):
        weigher = weigher[: -len(_WEIGHER)]
    # Of nova's, the longest.
    return weigher.replace('ServerGroup', '')
