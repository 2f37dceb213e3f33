# SPDX-License-Identifier: Apache-2.0

"""The cells of host list and host show."""

from __future__ import annotations

import typing as ty

from nova_xen_sched import conf
from nova_xen_sched import dom0
from nova_xen_sched import versions
from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd import troubleshooting
from nova_xen_sched.cmd.hosts import fits
from nova_xen_sched.cmd.hosts.count_fits import Counted
from nova_xen_sched.cmd.nova import xen_hosts

#: Of long texts in a table.
_WIDTH = 60
DEFAULT = 'default'


def row(host: xen_hosts.ComputeHost, counted: Counted) -> dict[str, ty.Any]:
    """The row of a host in host list.

    :param counted: how many more guests fit on it, and on others.
    """
    fit = counted.fits.get(host.name)
    settings = counted.settings
    fullest = dom0.scarcest(host.resources) if host.resources else None
    migration = xen_hosts.migration(host, settings)
    libvirt = host.host.facts.get('libvirt_version')
    xen = host.host.xen_version if host.host.is_xen else None
    unknown = tables.Cell(None, 'unknown' if host.host.is_xen else '')
    return {
        'host': host.name,
        'guest_types': tables.guest_types(host.host.guest_types),
        'libvirt': tables.Cell(
            ('' if libvirt.exact else '>=') + versions.show(libvirt.value)
        )
        if libvirt
        else unknown,
        'libvirt_source': _source(host, 'libvirt_version'),
        'xen': tables.Cell(versions.show(xen)) if xen else unknown,
        'xen_source': _source(host, 'xen_version') or 'nova' if xen else '',
        'live_migration': '%s (%s)' % (migration.answer, migration.code)
        if migration.code
        else migration.answer,
        'dom0_memory_mb': _size(host, 'dom0_memory_mb', settings),
        'dom0_vcpus': _size(host, 'dom0_vcpus', settings),
        'headroom': tables.percent(fullest.headroom if fullest else None),
        'scarcest': fit.first if fit else '',
        'fits': tables.count(fit.count) if fit else tables.Cell(None),
    }


def details(
    host: xen_hosts.ComputeHost, counted: Counted
) -> dict[str, ty.Any]:
    """All that is known of a host, for a person to read top down.

    :param counted: as for row().
    """
    state = host.state
    fit = counted.fits.get(host.name)
    found = row(host, counted)
    found['hypervisor'] = _hypervisor(state)
    found['service_version'] = (state.service or {}).get('version')
    if fit is None:
        return found
    found['live_migration_why'] = tables.wrapped(
        _why_migration(xen_hosts.migration(host, counted.settings)), _WIDTH
    )
    for name in ('dom0_memory_mb', 'dom0_vcpus'):
        found[name + '_source'] = _source(host, name) or DEFAULT
    observed = host.host.facts.get('observed_at')
    found['observed_at'] = tables.Cell(
        observed.value.isoformat() if observed else None
    )
    for mode in (*dom0.MODES, 'unknown'):
        found['guests_' + mode] = getattr(host.load, mode)
    for resource in host.resources:
        found['room_%s' % resource.resource] = '%s of %s %s' % (
            _amount(resource.used),
            _amount(resource.capacity),
            resource.resource.unit,
        )
        found['room_%s_source' % resource.resource] = resource.source
    found['fits_of'] = counted.guests
    for name in fits.in_order((*fits.LIMITS, *fit.limits)):
        found['fits_' + name] = tables.count(fit.limits.get(name))
    found['runs_out_first'] = fit.first
    found['refused'] = tables.wrapped(fit.refused, _WIDTH)
    found['logs'] = tables.wrapped(troubleshooting.LOGS, _WIDTH)
    return found


def _source(host: xen_hosts.ComputeHost, name: str) -> str:
    fact = host.host.facts.get(name)
    if fact is None:
        return ''
    return fact.source + (', stale' if fact.stale else '')


def _why_migration(migration: xen_hosts.Migration) -> str:
    parts = [migration.why, migration.remedy]
    if migration.answer in ('no', 'unknown'):
        parts.append(
            'for a server that stays MIGRATING see nova-xen-sched explain '
            '--server'
        )
    return '; '.join(filter(None, parts))


def _size(
    host: xen_hosts.ComputeHost, name: str, settings: conf.Settings
) -> tables.Cell:
    """dom0's size by a fact, or by the option of its name."""
    if not host.host.is_xen:
        return tables.Cell(None)
    fact = host.host.facts.get(name)
    if fact is not None:
        return tables.Cell(fact.value)
    default = getattr(settings, name)
    return tables.Cell(
        tables.number(default), '%s (%s)' % (_amount(default), DEFAULT)
    )


def _hypervisor(state: ty.Any) -> str | None:
    if not state.hypervisor_type:
        return None
    return '%s %s' % (
        state.hypervisor_type,
        versions.from_nova_int(state.hypervisor_version) or 'unknown',
    )


def _amount(number: float) -> str:
    return '%g' % round(number, 1) if number < 10**5 else '%d' % number
