# SPDX-License-Identifier: Apache-2.0

"""A result for a person: one host, in full."""

from __future__ import annotations

import typing as ty

from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd.explain import phrases
from nova_xen_sched.cmd.explain.result import HostResult
from nova_xen_sched.cmd.explain.result import Result
from nova_xen_sched.dom0 import Usage


def of_one(
    result: Result, each: HostResult, resources: ty.Sequence[Usage]
) -> list[tables.Part]:
    """One host, in full.

    :param resources: those of a Xen host once the guest is placed, else none.
    """
    parts = [*phrases.before(result), _fared(result, each)]
    if each.step is not None and each.step.name != phrases.XEN_FILTER:
        parts += _why_one(each)
    for reason in each.reasons:
        parts.append('  %s: %s' % (reason, reason.reason))
        parts += phrases.remedy(reason.remedy, 4)
    # One that comes first anyway needs no other weighers.
    against = result.weighers_against(each) if each.rank != 1 else []
    for name in against:
        alone = len(result.first_without[name]) == 1
        parts.append(
            'Without %s, %s would %s first.'
            % (name, each.host, 'come' if alone else 'be among the')
        )
    parts += phrases.coded(result.notes)
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
    return parts + phrases.logs([each] if each in result.first else [])


def _fared(result: Result, each: HostResult) -> str:
    """How one host fared."""
    if each.step is not None:
        return '%s is %s.' % (each.host, phrases.refused_by(each.step))
    if len(result.weighed) == 1:
        return phrases.only(each) + '.'
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
        phrases.come(result.first),
        tables.figure(result.first[0].weight),
    )


def _why_one(each: HostResult) -> list[tables.Part]:
    """Why a step refused one host, and what to do."""
    step = each.step
    assert step is not None  # noqa: S101  it was refused
    if not each.causes:
        return [
            *(['  ' + step.why] if step.why else []),
            *phrases.remedy(step.remedy, 2, each),
        ]
    parts: list[tables.Part] = []
    for cause in each.causes:
        text = cause.text(each.free.get(cause.name or '', 0))
        title = phrases.sentence(cause.title())
        parts.append('  ' + ': '.join(filter(None, (title, text))))
        parts += phrases.remedy(cause.remedy, 2, each)
        parts += phrases.paste(cause.look, each)
    return parts


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
