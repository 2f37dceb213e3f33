# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""An answer for a person: the outcome first, then why.

What is written is a list of parts: lines of text, and tables.
"""

from __future__ import annotations

import dataclasses
from typing import Any
from typing import Iterable
from typing import Sequence
from typing import Union

from nova_xen_sched.explaining import filtering
from nova_xen_sched.explaining.answer import Answer
from nova_xen_sched.explaining.answer import HostAnswer
from nova_xen_sched.explaining.answer import Reason

_WEIGHER = 'Weigher'
#: How many hosts a sentence names.
_NAMED = 5


@dataclasses.dataclass(frozen=True)
class Table:
    """A table to print."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


Part = Union[str, Table]


def of_all(answer: Answer, limit: int) -> list[Part]:
    """The answer, and every host up to a limit.

    :param limit: how many hosts each list shows, 0 for all.
    """
    parts: list[Part] = [_outcome(answer)]
    parts += _counterfactuals(answer)
    parts += answer.notes
    parts += _order(answer, limit)
    parts += _refused(answer, limit)
    return parts


def of_one(answer: Answer, each: HostAnswer) -> list[Part]:
    """One host, in full."""
    parts: list[Part] = []
    if each.weighed is None:
        parts.append('%s: %s.' % (each.host, _refused_by(each.step or '')))
        if each.why:
            parts.append('  ' + each.why)
    elif each.weighed.rank == 1:
        parts.append(_outcome(answer))
    else:
        parts.append(
            '%s has rank %d of %d with the weight %s; %s %s.'
            % (
                each.host,
                each.weighed.rank,
                len(answer.weighed),
                _figure(each.weighed.weight),
                _come(answer.first),
                _figure(_weight(answer.first[0])),
            )
        )
    for reason in each.reasons:
        parts += _in_words(reason)
    for name in each.first_without:
        parts.append('Without %s, it would come first.' % name)
    if each.weighed is not None and each.weighed.shares:
        parts.append('')
        parts.append(
            Table(
                ('weigher', 'raw', 'normalised', 'multiplier', 'share'),
                [
                    (
                        share.weigher,
                        _figure(share.raw),
                        _figure(share.normalised),
                        _figure(share.multiplier),
                        _figure(share.share),
                    )
                    for share in each.weighed.shares
                ],
            )
        )
    return parts


def _outcome(answer: Answer) -> str:
    total = len(answer.hosts)
    if not answer.weighed:
        if not total:
            return 'No valid host: there are no hosts at all.'
        return 'No valid host: each of %s is refused.' % _counted(total)
    first = answer.first
    return '%s %s, of %s that can take it; %d of %d are refused.' % (
        _names([each.host for each in first]),
        'comes first' if len(first) == 1 else 'come first with equal weight',
        _counted(len(answer.weighed)),
        len(answer.refused),
        total,
    )


def _come(first: Sequence[HostAnswer]) -> str:
    return '%s %s first with' % (
        _names([each.host for each in first]),
        'comes' if len(first) == 1 else 'come',
    )


def _counterfactuals(answer: Answer) -> list[Part]:
    found: list[Part] = []
    for weigher, hosts in answer.first_without.items():
        found.append(
            'Without %s, %s would come first%s.'
            % (
                weigher,
                _names(hosts),
                '' if len(hosts) == 1 else ' with equal weight',
            )
        )
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
        Table(
            ['rank', 'host', 'weight'] + [_short(name) for name in names],
            [
                [
                    each.weighed and each.weighed.rank,
                    each.host + ('' if not each.reasons else ' *'),
                    _figure(_weight(each)),
                ]
                + [_figure(_shares(each)[n].share) for n in weighers]
                for each in shown
            ],
        )
    )
    parts += _left_out(len(answer.weighed) - len(shown))
    reported: dict[Reason, list[str]] = {}
    for each in answer.weighed:
        for reason in each.reasons:
            reported.setdefault(reason, []).append(each.host)
    if reported:
        parts.append('* would be refused, if it were not for report_only:')
        for reason, hosts in reported.items():
            parts += _in_words(reason, hosts, limit)
    return parts


def _refused(answer: Answer, limit: int) -> list[Part]:
    parts: list[Part] = []
    by_step: dict[tuple[str, str], list[HostAnswer]] = {}
    for each in answer.refused:
        by_step.setdefault((each.step or '', each.why), []).append(each)
    for (step, why), hosts in by_step.items():
        with_reasons = any(each.reasons for each in hosts)
        line = '%s (%d)' % (_refused_by(step).capitalize(), len(hosts))
        parts += ['', line.replace(step.capitalize(), step) + ':']
        if step == filtering.PLACEMENT:
            parts.append('  ' + _names([h.host for h in hosts], limit))
            parts.append('  ' + why)
        elif with_reasons and step == 'XenHostFilter':
            parts += _by_reason(hosts, limit)
        else:
            parts.append('  ' + _names([h.host for h in hosts], limit))
            parts.append('  ' + why)
    return parts


def _refused_by(step: str) -> str:
    return {
        filtering.PLACEMENT: 'left out by placement',
        filtering.CELL: 'in another cell',
        filtering.REQUEST: 'ruled out by the request itself',
    }.get(step, 'refused by %s' % step)


def _by_reason(hosts: Iterable[HostAnswer], limit: int) -> list[Part]:
    """Each host under the reason that refuses it, and what else speaks."""
    deciding: dict[Reason, list[HostAnswer]] = {}
    for each in hosts:
        for reason in each.reasons:
            if not reason.report_only:
                deciding.setdefault(reason, []).append(each)
                break
    parts: list[Part] = []
    for reason, them in deciding.items():
        parts += _in_words(reason, [each.host for each in them], limit)
        others: dict[Reason, list[str]] = {}
        for each in them:
            for other in each.reasons:
                if other != reason:
                    others.setdefault(other, []).append(each.host)
        for other, names in others.items():
            also = names if len(names) < len(them) else None
            parts += ['    also' + str(_in_words(other, also, limit)[0])[1:]]
            parts.append('      -> ' + other.remedy)
    return parts


def _in_words(
    reason: Reason, hosts: Sequence[str] | None = None, limit: int = 0
) -> list[Part]:
    code = reason.code
    if reason.report_only:
        code += ' (report_only)'
    if hosts:
        code += ', %d: %s' % (len(hosts), _names(hosts, limit))
        return [
            '  ' + code,
            '    ' + reason.reason,
            '    -> ' + reason.remedy,
        ]
    return ['  %s: %s' % (code, reason.reason), '    -> ' + reason.remedy]


def _left_out(count: int) -> list[Part]:
    if count <= 0:
        return []
    return ['... and %s more; --limit 0 shows all.' % _counted(count)]


def _names(hosts: Sequence[str], limit: int = _NAMED) -> str:
    shown = hosts[: limit or None]
    more = len(hosts) - len(shown)
    if more:
        return '%s and %d more' % (', '.join(shown), more)
    if limit == _NAMED and len(shown) > 1:
        return '%s and %s' % (', '.join(shown[:-1]), shown[-1])
    return ', '.join(shown)


def _counted(hosts: int) -> str:
    return '%d host%s' % (hosts, '' if hosts == 1 else 's')


def _shares(each: HostAnswer) -> tuple[Any, ...]:
    return each.weighed.shares if each.weighed else ()


def _weight(each: HostAnswer) -> float:
    return each.weighed.weight if each.weighed else 0.0


def _short(weigher: str) -> str:
    if weigher.endswith(_WEIGHER):
        return weigher[: -len(_WEIGHER)]
    return weigher


def _figure(value: float) -> str:
    """A figure to four places, without the zero of a sum that is none."""
    text = '%.4f' % value
    return '0.0000' if text == '-0.0000' else text
