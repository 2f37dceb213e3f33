# SPDX-License-Identifier: Apache-2.0

"""Checks of the Xen hosts: what refuses them, and nova's count of memory."""

from __future__ import annotations

import collections
import typing as ty

import nova.conf
from oslo_upgradecheck.upgradecheck import Code
from oslo_upgradecheck.upgradecheck import Result

from nova_xen_sched import conf
from nova_xen_sched import refusal
from nova_xen_sched import rules
from nova_xen_sched.cmd.nova import usual_requests
from nova_xen_sched.cmd.upgrade_check.deployment import counted_names
from nova_xen_sched.cmd.upgrade_check.deployment import Deployment
from nova_xen_sched.cmd.upgrade_check.deployment import grouped
from nova_xen_sched.cmd.upgrade_check.deployment import Problem
from nova_xen_sched.filters import XenHostFilter

CONF = nova.conf.CONF

#: Codes that say which hosts a guest is for: a healthy host has them, too.
_NO_TROUBLE = frozenset(
    {
        refusal.Code.ARCHITECTURE,
        refusal.Code.HYPERVISOR_TYPE,
        refusal.Code.VM_MODE,
        refusal.Code.GUEST_TYPE,
        refusal.Code.PV_BY_DEFAULT,
        refusal.Code.HYPERVISOR_TYPE_REQUIRED,
    }
)

_RESERVED = 'reserved_host_memory_mb'
_PUBLISH = 'nova-xen-sched facts publish --from-placement --apply'


def readable(deployment: Deployment) -> Result:
    """All cells can be read."""
    details = '%d Xen hosts of %d.' % (
        len(deployment.xen),
        len(deployment.hosts),
    )
    unreachable = deployment.cloud.unreachable
    if not unreachable:
        return Result(Code.SUCCESS, details)
    return Problem(
        Code.WARNING,
        'cells_unreachable',
        '%s The others are not known: %s'
        % (details, '; '.join(unreachable.values())),
    )


def refused(deployment: Deployment) -> Result:
    """How many Xen hosts each rule refuses, as configured."""
    xen = deployment.xen
    if not xen:
        return Result(Code.SUCCESS, 'There are no Xen hosts.')
    xen_filter = deployment.cloud.plugin(XenHostFilter)
    lines = []
    remedies: dict[str, str] = {}
    affected: set[str] = set()
    usable, unjudged = False, 0
    for usual in usual_requests.REQUESTS:
        verdicts = xen_filter.verdicts(
            [each.state for each in xen],
            usual_requests.spec(deployment.cloud, usual),
            every=True,
        )
        unjudged += verdicts.count(rules.UNJUDGED)
        left = sum(
            verdict.refusal is None and verdict is not rules.UNJUDGED
            for verdict in verdicts
        )
        usable = usable or left > 0
        refusals = [each for found in verdicts for each in found.refusals]
        affected.update(
            each.name
            for each, found in zip(xen, verdicts)
            if found is rules.UNJUDGED
            or any(r.code not in _NO_TROUBLE for r in found.refusals)
        )
        remedies.update(
            (each.code, each.remedy)
            for each in refusals
            if each.code not in _NO_TROUBLE
        )
        codes = _counted(
            (each.code for each in refusals), deployment.settings.report_only
        )
        lines.append(
            '%s: %d of %d left%s' % (usual.title, left, len(xen), codes)
        )
    details = '; '.join(lines) + '.'
    if unjudged:
        details += ' Hosts could not be judged (%d times).' % unjudged
        remedies['not judged'] = 'report the error that was logged'
    if usable and not remedies:
        return Result(Code.SUCCESS, details)
    return Problem(
        Code.WARNING if usable else Code.FAILURE,
        'hosts_refused' if usable else 'no_host_left',
        details,
        '; '.join('%s: %s' % each for each in sorted(remedies.items()))
        or 'see nova-xen-sched host list.',
        affected,
    )


def _counted(
    codes: ty.Iterable[refusal.Code], report_only: ty.Collection[refusal.Code]
) -> str:
    found = ', '.join(
        '%s%s %d'
        % (code, ' (report_only)' if code in report_only else '', count)
        for code, count in sorted(collections.Counter(codes).items())
    )
    return ' (%s)' % found if found else ''


def reserved_memory(deployment: Deployment) -> Result:
    """nova keeps as much memory as dom0 has."""
    short, guessed = {}, set()
    for each, inventory in deployment.memory:
        assert each.load is not None  # noqa: S101  a Xen host
        dom0 = each.load.dom0_memory_mb
        if inventory['reserved'] < dom0:
            short[each.name] = int(dom0 - inventory['reserved'])
            if each.host.facts.get('dom0_memory_mb') is None:
                guessed.add(each.name)
    if not short:
        return Result(Code.SUCCESS)
    details = (
        'nova reserves less memory than dom0 has on Xen hosts, and so gives '
        'memory of dom0 to guests: %s; %d MiB in all.'
        % (counted_names(short), sum(short.values()))
    )
    if guessed:
        details += (
            " dom0's size is unknown on %d of them; %.12g MiB are assumed."
            % (len(guessed), deployment.settings.dom0_memory_mb)
        )
    code = Code.WARNING
    if deployment.settings.refuse_dom0_overcommit:
        further = '; refuse_dom0_overcommit refuses them until then.'
    elif guessed == set(short):
        further = ', or give the hosts the fact dom0_memory_mb.'
    else:
        code = Code.FAILURE
        further = '; refuse_dom0_overcommit refuses such hosts until then.'
    return Problem(
        code,
        'too_little_reserved',
        details,
        'set [DEFAULT] reserved_host_memory_mb in nova-compute to what dom0 '
        'has (dom0_mem=), restart nova-compute, and run this again' + further,
        short,
    )


def reserves(deployment: Deployment) -> Result:
    """The scheduler counts as reserved what the computes reserve."""
    wrong: dict[_Reserve, list[str]] = collections.defaultdict(list)
    for each, inventory in deployment.memory:
        fact = each.host.facts.get(_RESERVED)
        found = _Reserve(
            fact.source if fact else '',
            fact.value if fact else CONF.reserved_host_memory_mb,
            inventory['reserved'],
        )
        if found.counted_mb != found.reserved_mb:
            wrong[found].append(each.name)
    if not wrong:
        return Result(Code.SUCCESS)
    remedies = (
        _remedy(deployment.settings, each, hosts)
        for each, hosts in sorted(wrong.items())
    )
    return Problem(
        Code.WARNING,
        'differs_from_placement',
        'nova-scheduler counts another %s than the computes reserve in '
        'placement, and so takes a part of the reserve for guests, or a part '
        'of the guests for reserve: %s.'
        % (_RESERVED, grouped('%s: %s', wrong)),
        '; '.join(dict.fromkeys(remedies)) + '.',
        (name for each in wrong.values() for name in each),
    )


class _Reserve(ty.NamedTuple):
    """What is counted for some hosts, and what they reserve.

    :ivar source: of the fact; '' for the scheduler's own nova.conf.
    :ivar counted_mb: MiB.
    :ivar reserved_mb: by their computes, as these write it to placement, MiB.
    """

    source: str
    counted_mb: int
    reserved_mb: int

    def __str__(self) -> str:
        return '%d MiB, from %s, and %d in placement' % (
            self.counted_mb,
            self.source or 'its own nova.conf',
            self.reserved_mb,
        )


def _remedy(settings: conf.Settings, wrong: _Reserve, hosts: list[str]) -> str:
    """What to do, by where it comes from and what the scheduler reads."""
    source = wrong.source
    path = settings.host_facts_file
    by_file = path and 'file' in settings.fact_sources and not source
    # Of more hosts than are named it is easier to publish it.
    if source == 'file' or (by_file and len(hosts) <= 5):
        return 'put %s: %d under the hosts in %s, for %s' % (
            _RESERVED,
            wrong.reserved_mb,
            path,
            counted_names(hosts),
        )
    if source not in ('', 'aggregate'):
        return 'correct the fact of %s from %s' % (
            counted_names(hosts),
            source,
        )
    if 'aggregate' in settings.fact_sources:
        return _PUBLISH
    return 'add aggregate to fact_sources, then ' + _PUBLISH


def ram_allocation_ratio(deployment: Deployment) -> Result:
    """No Xen host sells its memory more than once."""
    above = {
        each.name: inventory['allocation_ratio']
        for each, inventory in deployment.memory
        if inventory['allocation_ratio'] > 1
    }
    if not above:
        return Result(Code.SUCCESS)
    return Problem(
        Code.FAILURE,
        'memory_sold_more_than_once',
        'On Xen hosts ram_allocation_ratio is above 1, up to %.12g, and Xen '
        "doesn't share memory between guests: %s."
        % (max(above.values()), counted_names(above)),
        'set ram_allocation_ratio = 1.0 for nova-compute on Xen hosts, or by '
        'openstack resource provider inventory set.',
        above,
    )
