# SPDX-License-Identifier: Apache-2.0

"""The cells of host list, host show and capacity."""

from __future__ import annotations

import typing as ty

from nova_xen_sched import conf
from nova_xen_sched import dom0
from nova_xen_sched import versions
from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd import troubleshooting
from nova_xen_sched.cmd.hosts import fields
from nova_xen_sched.cmd.hosts import fits
from nova_xen_sched.cmd.hosts.count_fits import Counted
from nova_xen_sched.cmd.nova import xen_hosts
from nova_xen_sched.facts import Fact

#: The sources of what nova itself reports, and of an option.
NOVA, DEFAULT = 'nova', 'default'
#: The facts that are shown, by key.
_FACTS = {
    'xen': 'xen_version',
    'libvirt': 'libvirt_version',
    'dom0_memory_mb': 'dom0_memory_mb',
    'dom0_vcpus': 'dom0_vcpus',
}


def row(host: xen_hosts.ComputeHost, counted: Counted) -> dict[str, ty.Any]:
    """The row of a host in host list.

    :param counted: how many more guests fit on it, and on others.
    """
    fit = counted.fits.get(host.name)
    state = xen_hosts.service_state(host.state)
    fullest = dom0.scarcest(host.resources) if host.resources else None
    migration = xen_hosts.migration(host, counted.settings)
    cells: dict[str, ty.Any] = {
        'host': host.name,
        'state': tables.Cell(state or None, bad=state == 'down'),
        'guest_types': _guest_types(host, _modes(host)),
        'live_migration': tables.Structured(
            {
                'answer': migration.answer,
                'code': migration.code and str(migration.code),
            }
            if migration.answer
            else None,
            migration.answer,
            bad=migration.answer == 'no',
        ),
        'headroom': tables.percent(fullest.headroom if fullest else None),
        'scarcest': limit(fit.first if fit else ''),
        'fits': tables.count(fit.count) if fit else tables.Cell(None),
        'refused': refused(fit),
    }
    for name, fact in _facts(host, counted.settings).items():
        text = 'unknown' if host.host.is_xen else ''
        if fact is not None:
            text = _value(fact)
            if fact.source == DEFAULT:
                text += ' (%s)' % DEFAULT
        cells[name] = _fact(fact, text)
        cells[name + '_source'] = _source(fact)
    return cells


def details(
    host: xen_hosts.ComputeHost, counted: Counted
) -> dict[str, ty.Any]:
    """All that is known of a host.

    :param counted: as for row().
    """
    state = host.state
    fit = counted.fits.get(host.name)
    cells = row(host, counted)
    cells['guest_types'] = _guest_types(
        host, tables.guest_types(host.host.guest_types)
    )
    cells['hypervisor'] = _hypervisor(state)
    cells['service_version'] = (state.service or {}).get('version')
    for name, fact in _facts(host, counted.settings).items():
        if fact is not None:
            unit = ' MiB' if name == 'dom0_memory_mb' else ''
            source = tables.text(_source(fact))
            text = '%s%s (%s)' % (_value(fact), unit, source)
            cells[name] = _fact(fact, text)
    migration = xen_hosts.migration(host, counted.settings)
    if migration.code:
        cells['live_migration'] = tables.Structured(
            cells['live_migration'].machine_readable(),
            '%s (%s)' % (migration.answer, migration.code),
            bad=migration.answer == 'no',
        )
    if migration.answer:
        cells['live_migration_why'] = _why_migration(migration)
    else:
        cells['live_migration_why'] = None
    observed = host.host.facts.get('observed_at')
    cells['observed_at'] = observed and observed.value.isoformat()
    for mode in (*dom0.MODES, 'unknown'):
        cells['guests_' + mode] = host.load and getattr(host.load, mode)
    by_name = {each.resource: each for each in host.resources}
    for resource in dom0.Resource:
        usage = by_name.get(resource)
        cells['room_%s' % resource] = _usage(usage)
        cells['room_%s_source' % resource] = usage and usage.source
    cells['fits_of'] = tables.Structured(
        counted.guests.machine_readable(),
        tables.text(counted.guests) if host.host.is_xen else '',
    )
    found = limits(host.name, counted)
    cells.update(('fits_' + name, cell) for name, cell in found.items())
    cells['runs_out_first'] = cells['scarcest']
    cells['refused_why'] = refused_why(fit)
    cells['logs'] = troubleshooting.ON_THE_HOST if host.host.is_xen else None
    return cells


def limits(host: str, counted: Counted) -> dict[str, tables.Cell]:
    """How many guests fit on a host by what limits them, in order.

    Empty is what is not known: without placement only the dom0 model is.
    """
    fit = counted.fits.get(host)
    found: ty.Mapping[str, int | None] = counted.dom0_limits.get(host, {})
    if fit:
        found = fit.limits
    return {
        name: tables.count(found.get(name))
        if fit or name in found
        else tables.Cell(None)
        for name in fits.in_order((*fits.LIMITS, *found))
    }


def limit(name: str) -> tables.Cell:
    """What runs out first; programs get None if nothing does."""
    return tables.Cell(name or None, fields.limit(name) if name else '')


def refused(fit: fits.Fits | None) -> tables.Cell:
    """Why a host takes none: the code, or else the step."""
    found = fit.refused if fit else None
    if found is None:
        return tables.Structured(None, '')
    return tables.Structured(
        {'step': found.step, 'code': found.code},
        found.code or found.step,
        bad=True,
    )


def refused_why(fit: fits.Fits | None) -> str | None:
    """Why a host takes none, in words."""
    return fit.refused.why if fit and fit.refused else None


def _facts(
    host: xen_hosts.ComputeHost, settings: conf.Settings
) -> dict[str, Fact | None]:
    """Facts, with what nova reports and what options say instead."""
    if not host.host.is_xen:
        return dict.fromkeys(_FACTS)
    found = {key: host.host.facts.get(name) for key, name in _FACTS.items()}
    xen = host.host.xen_version
    if xen and not found['xen']:
        # libvirt leaves the patch level out of what it reports.
        found['xen'] = Fact(xen, NOVA, exact=len(xen) > 2)
    for name in ('dom0_memory_mb', 'dom0_vcpus'):
        found[name] = found[name] or Fact(getattr(settings, name), DEFAULT)
    return found


def _fact(fact: Fact | None, text: str) -> tables.Cell:
    """A version, or a number, and its text for a person."""
    if fact is None:
        return tables.Structured(None, text, order=())
    is_version = isinstance(fact.value, tuple)
    return tables.Structured(
        {
            'value': versions.show(fact.value)
            if is_version
            else tables.number(fact.value),
            'source': fact.source,
            'exact': fact.exact,
            'stale': fact.stale,
            'default': fact.source == DEFAULT,
        },
        text,
        order=fact.value,
    )


def _value(fact: Fact) -> str:
    if not isinstance(fact.value, tuple):
        return _amount(fact.value)
    is_bound = not fact.exact and fact.source != NOVA
    return ('>=' if is_bound else '') + versions.show(fact.value)


def _source(fact: Fact | None) -> tables.Cell:
    if fact is None:
        return tables.Cell(None)
    text = fact.source + (', stale' if fact.stale else '')
    return tables.Cell(fact.source, text, bad=fact.stale)


def _guest_types(host: xen_hosts.ComputeHost, text: str) -> tables.Cell:
    types = [list(each) for each in host.host.guest_types]
    return tables.Structured(types, text)


def _modes(host: xen_hosts.ComputeHost) -> str:
    """The modes of Xen's guests, and the types of other hypervisors."""
    types = host.host.guest_types
    modes = {mode for _, hv_type, mode in types if hv_type == 'xen'}
    others = [hv_type for _, hv_type, _ in types if hv_type != 'xen']
    found = [text for mode, text in tables.MODES.items() if mode in modes]
    return ' '.join(found + list(dict.fromkeys(others)))


def _why_migration(migration: xen_hosts.Migration) -> str:
    parts = [migration.why, migration.remedy]
    if migration.answer in ('no', 'unknown'):
        parts.append(
            'for a server that stays MIGRATING see nova-xen-sched explain '
            '--server'
        )
    return '; '.join(filter(None, parts))


def _usage(usage: dom0.Usage | None) -> tables.Cell:
    """What guests take of a resource, and what it has."""
    if usage is None:
        return tables.Structured(None, '')
    left = tables.percent(usage.headroom)
    text = '%s of %s %s taken, %s left' % (
        _amount(usage.used),
        _amount(usage.capacity),
        usage.resource.unit,
        tables.text(left),
    )
    if usage.source != dom0.COMPUTED:
        text += ' (%s)' % usage.source
    return tables.Structured(
        {
            'capacity': round(usage.capacity, 1),
            'used': round(usage.used, 1),
            'unit': usage.resource.unit,
            'headroom': left.machine_readable(),
            'source': usage.source,
        },
        text,
        bad=usage.overcommitted,
    )


def _hypervisor(state: ty.Any) -> tables.Structured:
    if not state.hypervisor_type:
        return tables.Structured(None, '')
    kind = str(state.hypervisor_type)
    version = versions.from_nova_int(state.hypervisor_version)
    return tables.Structured(
        {'type': kind, 'version': version},
        '%s %s' % (kind, version or 'unknown'),
    )


def _amount(number: float) -> str:
    return '%g' % round(number, 1) if number < 10**5 else '%d' % number
