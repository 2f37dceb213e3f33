# SPDX-License-Identifier: Apache-2.0

"""nova-xen-sched facts show: what Xen hosts say of themselves."""

from __future__ import annotations

import argparse
import typing as ty

from nova_xen_sched import redact
from nova_xen_sched import xenhost
from nova_xen_sched.cmd import base
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd.facts import read_hosts
from nova_xen_sched.xenhost.finding import Finding
from nova_xen_sched.xenhost.finding import NOTE

Column, LONG = tables.Column, tables.LONG

COLUMNS = {
    'host': Column('Host', "nova's name of it where known, else libvirt's"),
    'uri': Column('URI', "libvirt's", LONG),
    'hostname': Column('Hostname', "libvirt's", LONG),
    'hypervisor': Column('Hypervisor', 'the hypervisor, Xen', LONG),
    'libvirt_version': Column('Libvirt', 'the version of libvirt'),
    'xen_version': Column(
        'Xen', 'that of Xen; only dom0 itself knows the patch level'
    ),
    'guest_types': Column('Guest types', 'architecture, type, os type', LONG),
    'live_migration': Column(
        'Live', 'whether nova can live-migrate, as far as libvirt goes'
    ),
    'memory_mb': Column('MiB', "the machine's memory, MiB", LONG),
    'free_memory_mb': Column('Free', 'what Xen has for guests, MiB', LONG),
    'cpus': Column('CPUs', "the machine's processors", LONG),
    'dom0_memory_mb': Column('dom0 MiB', "dom0's memory, MiB"),
    'dom0_maximum_mb': Column('Maximum', 'what dom0 may have, MiB', LONG),
    'dom0_sizing': Column('Sizing', 'fixed, ballooning or unknown'),
    'dom0_vcpus': Column('vCPUs', "dom0's vCPUs"),
    'dom0_pinned': Column('Pinned', 'whether these are pinned', LONG),
    'dom0_total_mb': Column('Total', "dom0's kernel's MemTotal, MiB", LONG),
    'dom0_available_mb': Column('Available', 'MemAvailable, MiB', LONG),
    'guests': Column('Guests', 'how many run'),
    'hvm_guests': Column('HVM', 'of these', LONG),
    'pv_guests': Column('PV', 'of these', LONG),
    'pvh_guests': Column('PVH', 'of these', LONG),
    'unknown_guests': Column('Unknown', 'of these', LONG),
    'guests_memory_mb': Column('Guests MiB', 'their memory, MiB', LONG),
    'guests_vcpus': Column('Guests vCPUs', 'their vCPUs', LONG),
    'device_models': Column(
        'Device models',
        'the QEMUs in dom0 by mode of guest: how many; resident_mb, the mean '
        "MiB; anonymous_mb, what of it is each one's own: the least that "
        'dom0_memory_mb_per_hvm_guest and the like should be',
        LONG,
    ),
    'qemu_driver': Column(
        'QEMU driver', "whether libvirt has that beside Xen's", LONG
    ),
    'findings': Column(
        'Findings',
        'code, level (required, recommended or note), text and remedy',
    ),
    'problems': Column('Problems', 'what could not be read', LONG),
    'error': Column('Error', 'why a host did not answer', LONG),
}

_EPILOG = """\
columns:
%s

What only dom0 itself knows is unknown of a remote host.

exit codes:
  0  fine
  1  there are findings other than notes, a host did not answer, or did not
     answer in full
  2  no host answered, or wrong usage
""" % tables.described(COLUMNS)


class Show(read_hosts.ReadsHosts, base.Lister):
    """Show what Xen hosts report, and what to correct.

    Each host's libvirt is read, all at once; nothing is changed. No nova is
    needed. One host is shown with all there is, several in a table; json,
    yaml and csv have all of every host.
    """

    COLUMNS = COLUMNS
    _epilog = _EPILOG

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[ty.Sequence[str], ty.Iterable[ty.Sequence[ty.Any]]]:
        # It imports oslo.config, which help does without.
        from nova_xen_sched.xenhost import findings

        results = self.read_hosts(parsed_args)
        # No table is better than one of hosts that did not answer.
        is_table = parsed_args.formatter in base.PERSONS
        rows: list[dict[str, ty.Any]] = []
        parts: list[tables.Part] = []
        for each in results:
            host = each.host or xenhost.XenHost()
            found = findings.findings(host, each.nova, self.nova.settings)
            if any(finding.level != NOTE for finding in found):
                self.exit_code = self.exit_code or errors.FINDINGS
            for finding in found:
                parts += ['', _paragraph(each.name, finding)]
            if each.error is None or not is_table:
                live = findings.live_migration(host)
                rows.append(_row(each, host, live, found))
        if is_table:
            self.parts = () if parsed_args.columns else parts
            if len(rows) == 1 == len(results) and not parsed_args.columns:
                self.parts = [tables.Table((), _upright(rows[0])), *parts]
                rows = []
        return tuple(COLUMNS), [list(row.values()) for row in rows]


def _paragraph(host: str, finding: Finding) -> str:
    # Before it is broken into lines, and a password with it.
    return redact.passwords(
        '%s: %s (%s): %s. Remedy: %s.'
        % (host, finding.code, finding.level, finding.text, finding.remedy)
    )


def _row(
    result: read_hosts.Result,
    host: xenhost.XenHost,
    live: bool | None,
    found: list[Finding],
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
        'live_migration': live,
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
