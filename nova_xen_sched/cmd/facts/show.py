# SPDX-License-Identifier: Apache-2.0

"""nova-xen-sched facts show: what Xen hosts say of themselves."""

from __future__ import annotations

import argparse
import textwrap
import typing as ty

from nova_xen_sched import redact
from nova_xen_sched import xenhost
from nova_xen_sched.cmd import base
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd.facts import read_hosts
from nova_xen_sched.xenhost import findings
from nova_xen_sched.xenhost.findings import Finding
from nova_xen_sched.xenhost.findings import NOTE

#: Those that a table of several hosts has room for.
_BRIEF = (
    'host',
    'libvirt_version',
    'xen_version',
    'live_migration',
    'memory_mb',
    'dom0_memory_mb',
    'dom0_sizing',
    'dom0_vcpus',
    'guests',
    'findings',
)


class Show(read_hosts.ReadsHosts, base.Lister):
    """Show what Xen hosts say of themselves, and what differs from the guide.

    Asks libvirt on each host, read-only and all at once; no nova is needed.
    A table of one host has all there is, one of several the most important;
    json, yaml, csv and value have all of every host:

    host: nova's name where it is known, else libvirt's. uri, hostname:
    libvirt's. hypervisor: Xen. libvirt_version, xen_version: the patch level
    of Xen is known only to dom0 itself. guest_types: architecture, type, os
    type. live_migration: whether nova can, as far as libvirt goes.
    memory_mb, free_memory_mb (Xen's, for guests), cpus: of the machine.
    dom0_memory_mb, dom0_maximum_mb, dom0_sizing (fixed, ballooning or
    unknown), dom0_vcpus, dom0_pinned, and what dom0's kernel sees,
    dom0_total_mb and dom0_available_mb. guests, hvm_guests, pv_guests,
    pvh_guests, unknown_guests, guests_memory_mb, guests_vcpus: those that
    run. device_models: the QEMUs in dom0 by mode of guest: count, mean
    resident_mb and mean anonymous_mb, the part that is each one's own: the
    least that dom0_memory_mb_per_hvm_guest and the like should be.
    qemu_driver: whether libvirt has it too. findings: code, level
    (required, recommended or note), text and remedy. problems: what could
    not be read. error: why a host did not answer.

    What only dom0 itself can say is not known of a remote host. Memory is in
    MiB. Exit code: 0; 1 if there are findings other than notes, or a host
    did not answer, or not in full; 2 if none answered.
    """

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[ty.Sequence[str], ty.Iterable[ty.Sequence[ty.Any]]]:
        results = self.read_hosts(parsed_args)
        # No table is better than one of hosts that did not answer.
        is_table = parsed_args.formatter == 'table'
        rows, parts = [], []
        for each in results:
            host = each.host or xenhost.XenHost()
            found = findings.findings(host, each.nova, self.nova.settings)
            if any(finding.level != NOTE for finding in found):
                self.exit_code = self.exit_code or errors.FINDINGS
            parts += [_paragraph(each.name, finding) for finding in found]
            if each.error is None or not is_table:
                rows.append(_row(each, host, found))
        if is_table:
            self.parts = () if parsed_args.columns else parts
        if not is_table or parsed_args.columns:
            columns: ty.Sequence[str] = tuple(rows[0]) if rows else ()
        elif len(rows) == 1 == len(results):
            return ('what', 'value'), _upright(rows[0])
        else:
            columns = _BRIEF
        return columns, [[row[name] for name in columns] for row in rows]


def _paragraph(host: str, finding: Finding) -> str:
    text = '%s: %s (%s): %s. Remedy: %s.' % (
        host,
        finding.code,
        finding.level,
        finding.text,
        finding.remedy,
    )
    return '\n' + textwrap.fill(
        redact.passwords(text),
        tables.WIDTH,
        subsequent_indent='  ',
        break_on_hyphens=False,
        break_long_words=False,
    )


def _row(
    result: read_hosts.Result, host: xenhost.XenHost, found: list[Finding]
) -> dict[str, ty.Any]:
    """A host: column -> cell."""
    dom0 = host.dom0 or xenhost.Dom0()
    guests = host.guests
    values = {
        'host': result.name,
        'uri': result.uri,
        'hostname': host.hostname,
        'hypervisor': host.hypervisor,
        'libvirt_version': host.libvirt_version,
        'xen_version': host.xen_version,
        'guest_types': host.guest_types
        and [list(each) for each in host.guest_types],
        'live_migration': findings.live_migration(host),
        'memory_mb': host.memory_mb,
        'free_memory_mb': host.free_memory_mb,
        'cpus': host.cpus,
        'dom0_memory_mb': dom0.memory_mb,
        'dom0_maximum_mb': dom0.maximum_mb,
        'dom0_sizing': dom0.sizing,
        'dom0_vcpus': dom0.vcpus,
        'dom0_pinned': dom0.pinned,
        'dom0_total_mb': dom0.total_mb,
        'dom0_available_mb': dom0.available_mb,
        'guests': guests and guests.count,
        'hvm_guests': guests and guests.hvm,
        'pv_guests': guests and guests.pv,
        'pvh_guests': guests and guests.pvh,
        'unknown_guests': guests and guests.unknown,
        'guests_memory_mb': guests and guests.memory_mb,
        'guests_vcpus': guests and guests.vcpus,
        'device_models': _device_models(host),
        'qemu_driver': host.qemu_driver,
        'findings': [finding._asdict() for finding in found],
        'problems': dict(host.problems),
        'error': result.error,
    }
    return {key: _cell(key, value) for key, value in values.items()}


def _cell(key: str, value: ty.Any) -> ty.Any:
    if value is None:
        return tables.Cell(None, 'unknown')
    if isinstance(value, bool):
        return tables.Structured(value, 'yes' if value else 'no')
    if key in _TEXTS:
        return tables.Structured(value, _TEXTS[key](value))
    # A number is to stand at the right.
    return value if isinstance(value, int) else tables.Cell(value)


def _device_models(host: xenhost.XenHost) -> list[dict[str, ty.Any]] | None:
    if host.device_models is None:
        return None
    by_mode = {
        mode: [each for each in host.device_models if each.mode == mode]
        for mode in ('dom0', 'hvm', 'pv', 'pvh', 'unknown')
    }
    return [
        {
            'mode': mode,
            'count': len(models),
            'resident_mb': _mean([each.resident_kb for each in models]),
            'anonymous_mb': _mean([each.anonymous_kb for each in models]),
        }
        for mode, models in by_mode.items()
        if models
    ]


def _mean(sizes_kb: list[int | None] | list[int]) -> float | None:
    known = [kb for kb in sizes_kb if kb is not None]
    if not known:
        return None
    return round(sum(known) / len(known) / 1024, 1)


def _upright(row: dict[str, ty.Any]) -> list[tuple[str, ty.Any]]:
    """One host, a line each; findings and problems stand beside it."""
    lines: list[tuple[str, ty.Any]] = []
    for key, cell in row.items():
        if key == 'device_models':
            texts = cell.human_readable().split('; ')
            lines += [(key, text) for text in texts]
        elif key not in ('findings', 'problems', 'error'):
            lines.append((key, cell))
    return lines


def _models(found: list[dict[str, ty.Any]]) -> str:
    """hvm: 1 of 42.1 MiB, 17.1 its own"""
    return '; '.join(
        '%s: %d of %s MiB%s'
        % (
            each['mode'],
            each['count'],
            each['resident_mb'],
            ''
            if each['anonymous_mb'] is None
            else ', %s its own' % each['anonymous_mb'],
        )
        for each in found
    )


_TEXTS: ty.Dict[str, ty.Callable[[ty.Any], str]] = {
    'guest_types': tables.guest_types,
    'device_models': _models,
    'findings': lambda found: ' '.join(each['code'] for each in found),
    'problems': lambda found: '; '.join(
        '%s: %s' % pair for pair in found.items()
    ),
}
