# SPDX-License-Identifier: Apache-2.0


"""Checks of the Xen hosts under the options as they are."""

from __future__ import annotations

import collections
import typing as ty

from nova_xen_sched import refusal
from nova_xen_sched import request as guest
from nova_xen_sched.cmd.nova import request_spec
from nova_xen_sched.cmd.upgrade_check.situation import failure
from nova_xen_sched.cmd.upgrade_check.situation import Finding
from nova_xen_sched.cmd.upgrade_check.situation import fine
from nova_xen_sched.cmd.upgrade_check.situation import memory
from nova_xen_sched.cmd.upgrade_check.situation import names
from nova_xen_sched.cmd.upgrade_check.situation import Situation
from nova_xen_sched.cmd.upgrade_check.situation import warning
from nova_xen_sched.request import Kind

#: The smallest guest that is usual: what it is refused for isn't its size.
_RAM, _VCPUS, _DISK = 512, 1, 1

#: Codes by which guests are sorted; that a host has them is no trouble.
_SORTING = frozenset(
    {
        refusal.Code.ARCHITECTURE,
        refusal.Code.HYPERVISOR_TYPE,
        refusal.Code.VM_MODE,
        refusal.Code.GUEST_TYPE,
        refusal.Code.PV_BY_DEFAULT,
        refusal.Code.HYPERVISOR_TYPE_REQUIRED,
    }
)


def _requests(situation: Situation) -> ty.Iterator[tuple[str, ty.Any]]:
    """Requests that stand for what users and operators ask."""
    flavor = request_spec.flavor_of(_RAM, _VCPUS, _DISK)
    hvm = {'hypervisor_type': 'xen', 'vm_mode': 'hvm'}
    pv = {'hypervisor_type': 'xen', 'vm_mode': 'xen'}
    untyped: dict[str, str] = {}
    for name, properties, kind in (
        ('HVM boot', hvm, Kind.BOOT),
        ('PV boot', pv, Kind.BOOT),
        ('boot of an untyped image', untyped, Kind.BOOT),
        ('HVM live migration', hvm, Kind.LIVE_MIGRATION),
        ('PV live migration', pv, Kind.LIVE_MIGRATION),
    ):
        image = request_spec.image_of(properties, 'raw')
        spec = request_spec.boot(situation.view, image, flavor)
        guest.tell(spec, kind)
        yield name, spec


def refused(situation: Situation) -> Finding:
    """How many Xen hosts each rule refuses, as configured."""
    xen = situation.xen
    if not xen:
        return fine('There are no Xen hosts.')
    states = [each.state for each in xen]
    xen_filter = situation.view.xen_filter()
    report_only = situation.settings.report_only
    lines = []
    serious: ty.Counter[str] = collections.Counter()
    remedies: dict[str, str] = {}
    usable = False
    for name, spec in _requests(situation):
        tally: ty.Counter[refusal.Code] = collections.Counter()
        left = 0
        for verdict in xen_filter.verdicts(states, spec, every=True):
            tally.update(reason.code for reason in verdict.refusals)
            left += verdict.refusal is None
            for reason in verdict.refusals:
                if reason.code not in _SORTING:
                    serious[str(reason.code)] += 1
                    remedies[str(reason.code)] = reason.remedy
        usable = usable or left > 0
        codes = ', '.join(
            '%s%s %d'
            % (code, ' (report_only)' if code in report_only else '', number)
            for code, number in sorted(tally.items())
        )
        lines.append(
            '%s: %d of %d left%s'
            % (name, left, len(xen), ' (%s)' % codes if codes else '')
        )
    details = '; '.join(lines) + '.'
    remedy = (
        '; '.join(
            '%s: %s' % (code, remedies[code]) for code in sorted(serious)
        )
        or 'see nova-xen-sched host list.'
    )
    if not usable:
        return failure(details, remedy)
    return warning(details, remedy) if serious else fine(details)


def reserved_memory(situation: Situation) -> Finding:
    """nova keeps as much memory as dom0 has."""
    short, guessed = {}, set()
    for each, inventory in memory(situation):
        assert each.load is not None  # noqa: S101  a Xen host
        dom0 = each.load.dom0_memory_mb
        if inventory['reserved'] < dom0:
            short[each.name] = int(dom0 - inventory['reserved'])
            if each.host.facts.get('dom0_memory_mb') is None:
                guessed.add(each.name)
    if not short:
        return fine()
    details = (
        'On Xen hosts nova keeps less memory than dom0 has, and sells the '
        'rest: %s; %d MiB in all.' % (names(short), sum(short.values()))
    )
    if guessed:
        details += (
            " Of %d of them dom0's size is not known, and counted as %g MiB."
            % (len(guessed), situation.settings.dom0_memory_mb)
        )
    remedy = (
        'set [DEFAULT] reserved_host_memory_mb in nova-compute to what dom0 '
        'has (dom0_mem=), restart nova-compute, and run this again'
    )
    if situation.settings.refuse_dom0_overcommit:
        return warning(
            details,
            remedy + '; refuse_dom0_overcommit refuses them until then.',
        )
    if guessed == set(short):
        return warning(details, remedy + ', or state the fact dom0_memory_mb.')
    return failure(
        details,
        remedy + '; refuse_dom0_overcommit refuses such hosts until then.',
    )


def ram_allocation_ratio(situation: Situation) -> Finding:
    """No Xen host sells its memory more than once."""
    above = {
        each.name: inventory['allocation_ratio']
        for each, inventory in memory(situation)
        if inventory['allocation_ratio'] > 1
    }
    if not above:
        return fine()
    return failure(
        'On Xen hosts ram_allocation_ratio is above 1, up to %g, and Xen '
        "doesn't share memory between guests: %s."
        % (max(above.values()), names(above)),
        'set ram_allocation_ratio = 1.0 for nova-compute on Xen hosts, or by '
        'openstack resource provider inventory set.',
    )
