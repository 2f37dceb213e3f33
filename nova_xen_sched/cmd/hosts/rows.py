# SPDX-License-Identifier: Apache-2.0


"""A host in words: the cells of host list and host show."""

from __future__ import annotations

import textwrap
import typing as ty

from nova_xen_sched import conf
from nova_xen_sched import dom0
from nova_xen_sched import facts
from nova_xen_sched import versions
from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd import troubleshooting
from nova_xen_sched.cmd.hosts import fits as capacity
from nova_xen_sched.cmd.nova import xen_hosts

_MODES = {'xen': 'PV', 'hvm': 'HVM'}
#: Of long texts in a table.
_WIDTH = 60
DEFAULT = 'default'


class HostRow:
    """One host.

    :param fits: how many more guests fit; None of a host that is no Xen host.
    """

    def __init__(
        self,
        seen: xen_hosts.Seen,
        fits: capacity.Fits | None,
        settings: conf.Settings,
    ) -> None:
        self._seen = seen
        self._fits = fits
        self._settings = settings
        self._migration = xen_hosts.migration(seen, settings)
        self.is_xen = seen.host.is_xen
        self.row: dict[str, ty.Any] = self._row()

    def _row(self) -> dict[str, ty.Any]:
        left = dom0.scarcest(self._seen.rooms) if self.is_xen else None
        return {
            'host': self._seen.name,
            'guest_types': guest_types(self._seen.host.guest_types),
            'libvirt': self._libvirt(),
            'libvirt_source': self._source('libvirt_version'),
            'xen': self._xen(),
            'xen_source': self._xen_source(),
            'live_migration': self._live_migration(),
            'dom0_memory_mb': self._size(
                'dom0_memory_mb', self._settings.dom0_memory_mb
            ),
            'dom0_vcpus': self._size('dom0_vcpus', self._settings.dom0_vcpus),
            'headroom': tables.percent(left.headroom if left else None),
            'scarcest': str(left.room) if left else '',
            'fits': tables.count(self._fits.count)
            if self._fits
            else tables.Cell(None),
        }

    def details(self, label: str, wrap: bool) -> dict[str, ty.Any]:
        """All that is known, for a person to read top down.

        :param label: the kind of guest that fits counts.
        :param wrap: break long texts into lines.
        """
        state = self._seen.state
        found = dict(self.row)
        found['hypervisor'] = _hypervisor(state)
        found['service_version'] = (state.service or {}).get('version')
        if not self.is_xen:
            return found
        fold = _folded if wrap else str
        found['live_migration_why'] = fold(self._why_migration())
        for name in ('dom0_memory_mb', 'dom0_vcpus'):
            found[name + '_source'] = self._source(name) or DEFAULT
        observed = self._fact('observed_at')
        found['observed_at'] = tables.Cell(
            observed.value.isoformat() if observed else None
        )
        load = self._seen.load
        for mode in (*dom0.MODES, 'unknown'):
            found['guests_' + mode] = getattr(load, mode)
        for room in self._seen.rooms:
            found['room_%s' % room.room] = '%s of %s %s' % (
                _amount(room.used),
                _amount(room.capacity),
                room.room.unit,
            )
            found['room_%s_source' % room.room] = room.source
        found['fits_of'] = label
        if self._fits is not None:
            limits = self._fits.limits
            for name in capacity.in_order((*capacity.LIMITS, *limits)):
                found['fits_' + name] = tables.count(limits.get(name))
            found['runs_out_first'] = self._fits.first
            found['refused'] = fold(self._fits.refused)
        found['logs'] = fold(troubleshooting.LOGS)
        return found

    def _fact(self, name: str) -> facts.Fact | None:
        return self._seen.host.facts.get(name)

    def _source(self, name: str) -> str:
        fact = self._fact(name)
        if fact is None:
            return ''
        return fact.source + (', stale' if fact.stale else '')

    def _libvirt(self) -> tables.Cell:
        fact = self._fact('libvirt_version')
        if fact is None:
            return tables.Cell(None, 'unknown' if self.is_xen else '')
        version = versions.show(fact.value)
        return tables.Cell(version if fact.exact else '>=' + version)

    def _xen(self) -> tables.Cell:
        version = self._seen.host.xen_version if self.is_xen else None
        if version is None:
            return tables.Cell(None, 'unknown' if self.is_xen else '')
        return tables.Cell(versions.show(version))

    def _xen_source(self) -> str:
        if not self.is_xen or self._seen.host.xen_version is None:
            return ''
        return self._source('xen_version') or 'nova'

    def _live_migration(self) -> str:
        code = self._migration.code
        return self._migration.answer + (' (%s)' % code if code else '')

    def _why_migration(self) -> str:
        found = self._migration
        parts = [found.why, found.remedy]
        if found.answer in ('no', 'unknown'):
            parts.append(
                'for a server that stays MIGRATING see nova-xen-sched explain '
                '--server'
            )
        return '; '.join(filter(None, parts))

    def _size(self, name: str, default: float) -> tables.Cell:
        if not self.is_xen:
            return tables.Cell(None)
        fact = self._fact(name)
        if fact is not None:
            return tables.Cell(fact.value)
        return tables.Cell(
            tables.number(default), '%s (%s)' % (_amount(default), DEFAULT)
        )


def guest_types(types: ty.Any) -> str:
    """Guest types by mode: "PV (x86_64), HVM (i686, x86_64)"."""
    found: dict[str, list[str]] = {}
    for arch, hv_type, mode in types:
        name = _MODES.get(mode, mode)
        if hv_type != 'xen':
            name = '%s %s' % (hv_type, name)
        found.setdefault(name, [])
        if arch not in found[name]:
            found[name].append(arch)
    return ', '.join(
        '%s (%s)' % (name, ', '.join(sorted(archs)))
        for name, archs in found.items()
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


def _folded(text: str) -> str:
    return '\n'.join(textwrap.wrap(text, _WIDTH, break_on_hyphens=False))
