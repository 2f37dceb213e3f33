# SPDX-License-Identifier: Apache-2.0

"""What xl reports of a host, beside what nova-xen-sched reports of it."""

from __future__ import annotations

import dataclasses
import json
import re
import typing as ty

from nova_xen_sched.xenhost.reader import MODES
from tests.xen.emulator.host import Host

#: What is run in dom0 for it, each of them read-only. libvirt's version and
#: the device models are not xl's.
COMMANDS = {
    'info': 'xl info',
    'list': 'xl list',
    'vcpus': 'xl vcpu-list 0',
    'guests': 'xl list -l',
    'libvirtd': 'libvirtd --version',
    'meminfo': 'cat /proc/meminfo',
    'processes': 'ps -eo args',
}

#: What libvirt doesn't report from afar, as docs say: there it is unknown,
#: or true.
ONLY_INSIDE = frozenset(
    (
        'dom0_pinned',
        'dom0_total_mb',
        'device_models',
        'dom0_balloons',
        'dom0_max_vcpus_unset',
        'dom0_not_pinned',
    )
)
#: Findings that depend on Xen's command line and on the guests only.
FINDINGS = ('dom0_balloons', 'dom0_max_vcpus_unset', 'dom0_not_pinned')


class Row(ty.NamedTuple):
    """One fact, three times; None is unknown."""

    fact: str
    xl: ty.Any
    inside: ty.Any
    outside: ty.Any

    @property
    def agree(self) -> bool:
        if self.inside != self.xl:
            return False
        if self.fact == 'xen_version':
            # From afar without the patch level.
            return self.outside == self.xl.rpartition('.')[0]
        if self.fact == 'dom0_sizing':
            return self.outside in ('unknown', self.xl)
        if self.fact in ONLY_INSIDE:
            return self.outside in (None, self.xl)
        return bool(self.outside == self.xl)


@dataclasses.dataclass(frozen=True)
class ByXl:
    """What xl reports of a host, by the names of ``facts show``.

    :ivar texts: what the COMMANDS printed; no part of what is compared.
    """

    facts: dict[str, ty.Any]
    texts: dict[str, str] = dataclasses.field(compare=False)

    @classmethod
    def read(cls, host: Host) -> ByXl:
        """From a running host."""
        return cls.parse({k: host.run(v) for k, v in COMMANDS.items()})

    @classmethod
    def parse(cls, texts: dict[str, str]) -> ByXl:
        """Out of what the COMMANDS printed."""
        info = dict(
            re.findall(r'^(\w+) *: *(.*?) *$', texts['info'], re.MULTILINE)
        )
        sizes = {
            int(number): (int(memory), int(vcpus))
            for number, memory, vcpus in re.findall(
                r'^\S+ +(\d+) +(\d+) +(\d+) ', texts['list'], re.MULTILINE
            )
        }
        modes = {
            domain['domid']: domain['config']['c_info']['type']
            for domain in json.loads(texts['guests'])
        }
        guests = [number for number in sizes if number]
        options = dict(
            word.partition('=')[::2]
            for word in info['xen_commandline'].split()
        )
        affinities = re.findall(
            r'^Domain-0 .* (\S+) / \S+ *$', texts['vcpus'], re.MULTILINE
        )
        pinned = bool(affinities) and 'all' not in affinities
        total = re.search(r'^MemTotal: +(\d+) kB$', texts['meminfo'], re.M)
        version = re.search(r'(\d+\.\d+\.\d+)', texts['libvirtd'])
        facts: dict[str, ty.Any] = {
            'hostname': info['host'],
            'libvirt_version': version and version[1],
            'xen_version': info['xen_version'],
            'memory_mb': int(info['total_memory']),
            'free_memory_mb': int(info['free_memory']),
            'cpus': int(info['nr_cpus']),
            'dom0_memory_mb': sizes[0][0],
            'dom0_sizing': 'fixed' if 'dom0_mem' in options else 'ballooning',
            'dom0_vcpus': sizes[0][1],
            'dom0_pinned': pinned,
            'dom0_total_mb': total and int(total[1]) // 1024,
            'guests': len(guests),
            'guests_memory_mb': sum(sizes[n][0] for n in guests),
            'guests_vcpus': sum(sizes[n][1] for n in guests),
            'device_models': _device_models(texts['processes'], modes),
            'dom0_balloons': 'dom0_mem' not in options,
            'dom0_max_vcpus_unset': 'dom0_max_vcpus' not in options,
            'dom0_not_pinned': not pinned,
        }
        runs = _guest_types(info['xen_caps'])
        for mode in ('pv', 'hvm', 'pvh'):
            facts['%s_for' % mode] = sorted(runs[mode])
            facts['%s_guests' % mode] = [modes[n] for n in guests].count(mode)
        return cls(facts, texts)

    def rows(
        self, inside: dict[str, ty.Any], outside: dict[str, ty.Any]
    ) -> list[Row]:
        """A row for each fact.

        :param inside: what ``facts show`` printed in dom0, as JSON has it.
        :param outside: what it printed elsewhere.
        """
        return [
            Row(name, value, _shown(inside, name), _shown(outside, name))
            for name, value in sorted(self.facts.items())
        ]


def _guest_types(capabilities: str) -> dict[str, set[str]]:
    """xen-3.0-x86_64 hvm-3.0-x86_32p: what Xen itself says that it runs.

    It has no word for PVH: that takes what HVM takes.

    :returns: mode -> the architectures of its guests.
    """
    found: dict[str, set[str]] = {mode: set() for mode in MODES.values()}
    for word in capabilities.split():
        kind, _, arch = word.partition('-3.0-')
        for mode in ('hvm', 'pvh') if kind == 'hvm' else ('pv',):
            found[mode].add('i686' if arch.startswith('x86_32') else arch)
    return found


def _device_models(processes: str, modes: dict[int, str]) -> dict[str, int]:
    """How many QEMUs there are for guests of each mode, and for dom0."""
    found: dict[str, int] = {}
    for number in re.findall(
        r'^\S*qemu\S* .*-xen-domid (\d+)', processes, re.MULTILINE
    ):
        mode = 'dom0' if number == '0' else modes.get(int(number), 'unknown')
        found[mode] = found.get(mode, 0) + 1
    return found


def _shown(row: dict[str, ty.Any], name: str) -> ty.Any:
    """What ``facts show`` has of it, in the form in which xl's is here."""
    if name in FINDINGS:
        found = name in [finding['code'] for finding in row['findings']]
        inside = row['dom0_pinned'] is not None
        return found or (None if name in ONLY_INSIDE and not inside else False)
    mode, is_types, _ = name.partition('_for')
    value = row['guest_types' if is_types else name]
    if value is None:
        return None
    if is_types:
        return sorted(arch for arch, _, os in value if MODES.get(os) == mode)
    if name == 'device_models':
        return {each['mode']: each['count'] for each in value}
    if name == 'hostname':
        # It may be fully qualified.
        return value.partition('.')[0]
    return value
