# SPDX-License-Identifier: Apache-2.0

"""What only dom0 itself can say: from /sys, /proc and xl.

Nothing of it comes through libvirt: Xen's patch level and command line, the
pinning of dom0's vCPUs, and what runs in dom0 for the guests. What can't be
read, for want of rights or of xl, is None.
"""

from __future__ import annotations

import os
import re
import subprocess
import typing as ty

#: Seconds for one call of xl, which answers at once or hangs.
PATIENCE = 10

#: PATH for it: that of a service may lack sbin.
_PATH = '/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin'


class Process(ty.NamedTuple):
    """A QEMU in dom0: the guest that it serves, and its memory in KiB."""

    domain_id: int
    resident_kb: int
    anonymous_kb: ty.Optional[int]


class Local(ty.NamedTuple):
    """What dom0 says of itself; None is what it doesn't."""

    xen_version: ty.Optional[str] = None
    command_line: ty.Optional[str] = None
    pinned: ty.Optional[bool] = None
    total_mb: ty.Optional[int] = None
    available_mb: ty.Optional[int] = None
    processes: ty.Optional[ty.Tuple[Process, ...]] = None


NOTHING = Local()


class Machine:
    """This machine, as the files and programs that read() needs.

    :param root: the folder under which /proc and /sys are.
    """

    def __init__(self, root: str = '/') -> None:
        self._root = root

    def text(self, path: str) -> str | None:
        """The content of a file, None if it can't be read."""
        try:
            with open(
                os.path.join(self._root, path),
                encoding='utf-8',
                errors='replace',
            ) as f:
                return f.read(1 << 20)
        except OSError:
            return None

    def folder(self, path: str) -> list[str]:
        """What is in a folder, nothing if it can't be read."""
        try:
            return sorted(os.listdir(os.path.join(self._root, path)))
        except OSError:
            return []

    def xl(self, *arguments: str) -> str | None:
        """What xl prints, None if it is not there, fails or hangs."""
        try:
            return subprocess.run(  # noqa: S603  no words from outside
                ('xl', *arguments),  # noqa: S607  see _PATH
                env={'PATH': _PATH, 'LC_ALL': 'C'},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=PATIENCE,
                check=True,
            ).stdout.decode('utf-8', 'replace')
        except Exception:  # noqa: BLE001  eventlet's errors are others
            return None


def read(machine: Machine) -> Local:
    """What dom0 says of itself; NOTHING if this machine is none."""
    if (machine.text('sys/hypervisor/type') or '').strip() != 'xen':
        return NOTHING
    if 'control_d' not in (machine.text('proc/xen/capabilities') or ''):
        # A guest of Xen, or xenfs is not mounted.
        return NOTHING
    info = _info(machine.xl('info') or '')
    command_line = info.get('xen_commandline')
    total, available = _memory(machine.text('proc/meminfo') or '')
    return Local(
        xen_version=_version(machine) or _plain(info.get('xen_version', '')),
        command_line=command_line,
        pinned=pinned(machine.xl('vcpu-list', '0') or ''),
        total_mb=total,
        available_mb=available,
        processes=_processes(machine),
    )


def _info(text: str) -> dict[str, str]:
    """xl info: NAME : VALUE a line."""
    pairs = (line.partition(':') for line in text.splitlines())
    return {
        name.strip(): value.strip() for name, colon, value in pairs if colon
    }


def _version(machine: Machine) -> str | None:
    """Xen's version with its patch level, which needs no rights."""
    parts = [
        (machine.text('sys/hypervisor/version/' + name) or '').strip()
        for name in ('major', 'minor', 'extra')
    ]
    return _plain('%s.%s%s' % tuple(parts))


def _plain(text: str) -> str | None:
    """'4.14.6' of '4.14.6-pre'; None without a patch level: '4.18-rc'."""
    found = re.match(r'\d{1,4}\.\d{1,4}\.\d{1,4}(?![\d.])', text, re.ASCII)
    return found[0] if found else None


def pinned(vcpu_list: str) -> bool | None:
    """Whether each of dom0's vCPUs is pinned.

    :param vcpu_list: what ``xl vcpu-list`` prints, of dom0 or of all.
    :returns: None if it says nothing of dom0.
    """
    found = re.findall(
        r'^Domain-0\s+0\s+\d+\s.*\s(\S+) / \S+\s*$', vcpu_list, re.MULTILINE
    )
    return all(hard != 'all' for hard in found) if found else None


def _memory(meminfo: str) -> tuple[int | None, int | None]:
    def mb(name: str) -> int | None:
        kb = _kb(meminfo, name)
        return None if kb is None else kb // 1024

    return mb('MemTotal'), mb('MemAvailable')


def _kb(text: str, name: str) -> int | None:
    found = re.search(r'^%s:\s+(\d+) kB$' % name, text, re.MULTILINE)
    return int(found[1]) if found else None


def _processes(machine: Machine) -> tuple[Process, ...]:
    """Every QEMU of Xen's; libxl gives each the number of its guest."""
    found = []
    for name in machine.folder('proc'):
        if not name.isdigit():
            continue
        words = (machine.text('proc/%s/cmdline' % name) or '').split('\0')
        # qemu-system-i386, xen-qemu-system-i386, qemu-dm
        if 'qemu' not in os.path.basename(words[0]):
            continue
        if '-xen-domid' not in words[:-1]:
            continue
        domain_id = words[words.index('-xen-domid') + 1]
        if not domain_id.isdigit():
            continue
        # The first is exact and needs root, the second does not.
        rollup = machine.text('proc/%s/smaps_rollup' % name) or ''
        status = machine.text('proc/%s/status' % name) or ''
        resident = _kb(rollup, 'Rss') or _kb(status, 'VmRSS')
        anonymous = _kb(rollup, 'Anonymous') or _kb(status, 'RssAnon')
        if resident is not None:
            found.append(Process(int(domain_id), resident, anonymous))
    return tuple(sorted(found))
