# SPDX-License-Identifier: Apache-2.0

"""A result for programs: a row for each host, and the outcome."""

from __future__ import annotations

import collections
import dataclasses
import typing as ty

from nova_xen_sched import dom0
from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd.explain.result import by_cause
from nova_xen_sched.cmd.explain.result import HostResult
from nova_xen_sched.cmd.explain.result import Result
from nova_xen_sched.cmd.nova.causes import Cause
from nova_xen_sched.cmd.nova.causes import UNITS

#: What each column has. Stable: columns are added, never renamed.
COLUMNS = {
    'rank': tables.Column(
        'Rank',
        'place by weight from 1, equal weights have equal ranks; none if '
        'refused',
    ),
    'host': tables.Column('Host', 'its name'),
    'result': tables.Column(
        'Result', 'first, tied (first with others), weighed, or refused'
    ),
    'weight': tables.Column('Weight', "nova's sum of the shares"),
    'step': tables.Column(
        'Refused by',
        'the first step that refused it: placement, cell, request (hosts '
        'that the request itself names or rules out), a filter, or conductor '
        '(whom it passes over behind the scheduler)',
    ),
    'why': tables.Column('Why', 'why that step refuses it, in words'),
    'causes': tables.Column(
        'Causes',
        'why, for programs: code, name (of the resource class, trait, zone or '
        'project), required, aggregates, asked, free, unit',
    ),
    'reasons': tables.Column(
        'Reasons',
        "all of XenHostFilter's: code, reason, remedy, report_only",
    ),
    'shares': tables.Column(
        'Shares',
        'of each weigher that has a share of any weight: raw, normalised, '
        'multiplier, share',
    ),
    'first_without': tables.Column(
        'First without',
        'weighers without each of which it would come first',
    ),
    'resources': tables.Column(
        'Resources',
        'of a Xen host once the guest is there: resource, capacity, used, '
        'unit, headroom, source (computed, or reported by Xen)',
    ),
}


def row(
    result: Result, host: HostResult, resources: ty.Sequence[dom0.Usage]
) -> tuple[ty.Any, ...]:
    """One host.

    :param resources: those of a Xen host once the guest is placed, else none.
    """
    step = host.step
    return (
        tables.Cell(host.rank),
        host.host,
        result.outcome(host),
        tables.Cell(None if host.rank is None else host.weight),
        tables.Cell(step.name if step else None),
        tables.Cell(host.why or None),
        tables.Structured(
            [
                dict(_cause(each), free=host.free.get(each.name or ''))
                for each in host.causes
            ],
            '; '.join(each.code for each in host.causes),
        ),
        tables.Structured(
            [dataclasses.asdict(each) for each in host.reasons],
            '; '.join(map(str, host.reasons)),
        ),
        tables.Structured(
            {
                each.weigher: {
                    name: getattr(each, name)
                    for name in ('raw', 'normalised', 'multiplier', 'share')
                }
                for each in host.shares
            },
            '; '.join(
                '%s %.6g' % (each.weigher, each.share) for each in host.shares
            ),
        ),
        tables.Structured(
            result.weighers_against(host),
            '; '.join(result.weighers_against(host)),
        ),
        tables.Structured(
            [
                {
                    'resource': str(each.resource),
                    'capacity': each.capacity,
                    'used': each.used,
                    'unit': each.resource.unit,
                    'headroom': each.headroom,
                    'source': each.source,
                }
                for each in resources
            ],
            '; '.join(
                '%s %.0f %% (%s)'
                % (each.resource, 100 * each.headroom, each.source)
                for each in resources
            ),
        ),
    )


def _cause(cause: Cause) -> dict[str, ty.Any]:
    return {
        'code': cause.code,
        'name': cause.name,
        'required': cause.required,
        'aggregates': list(cause.aggregates),
        'asked': cause.asked,
        'unit': UNITS.get(cause.name or ''),
    }


def outcome(result: Result) -> dict[str, ty.Any]:
    """What is so whatever the host, for json and yaml."""
    return {
        'found': bool(result.weighed),
        'partial': bool(result.partial),
        'nova_refuses': _coded(result.nova_refuses),
        'first': [each.host for each in result.first],
        'hosts': len(result.hosts),
        'weighed': len(result.weighed),
        'refused': len(result.refused),
        'steps': [
            {
                'step': step.name,
                'refused': len(hosts),
                'causes': [
                    dict(
                        _cause(cause),
                        hosts=len(found.hosts),
                        most_free=None if cause.asked is None else found.free,
                        host=found.host or None,
                    )
                    for cause, found in by_cause(hosts).items()
                ],
                'reasons': dict(
                    collections.Counter(
                        deciding.code
                        for each in hosts
                        for deciding in each.deciding
                    )
                ),
            }
            for step, hosts in result.by_step()
        ],
        'notes': _coded(result.notes),
    }


def _coded(sentences: ty.Iterable[tables.Coded]) -> list[dict[str, ty.Any]]:
    return [
        {
            'code': each.code,
            'why': str(each),
            'commands': list(each.commands),
        }
        for each in sentences
    ]
