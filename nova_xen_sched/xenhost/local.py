# SPDX-License-Identifier: Apache-2.0

"""What only dom0 itself knows: from its /sys and /proc, and xl.

Nothing of it comes through libvirt: Xen's patch level and command line,
libvirt's own configuration, the pinning of dom0's vCPUs, and what runs in
dom0 for the guests. What can't be
read, for want of rights or of xl, is None.
"""

from __future__ import annotations

import os
import re
import subprocess

from nova_xen_sched import versions
from nova_xen_sched.xenhost import AUTO
from nova_xen_sched.xenhost import DeviceModel
from nova_xen_sched.xenhost import Dom0
from nova_xen_sched.xenhost import dom0_mem
from nova_xen_sched.xenhost import NO_FILE
from nova_xen_sched.xenhost import OFF
from nova_xen_sched.xenhost import ON
from nova_xen_sched.xenhost import setup
from nova_xen_sched.xenhost import XenHost

#: Seconds for one call of xl, which answers at once or hangs.
PATIENCE = 10

#: The line in libvirt's libxl.conf.
_AUTOBALLOON = re.compile(r'^[ \t]*autoballoon[ \t]*=[ \t]*(\d+)', re.M)

#: PATH for it: that of a service may lack sbin.
_PATH = '/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin'


class LocalHost:
    """The machine that this runs on: its files, and its xl.

    :param root: the folder under which proc and sys are.
    """

    def __init__(self, root: str = '/') -> None:
        self._root = root
        self._info: dict[str, str] = {}

    def read(self, brief: bool = False) -> XenHost:
        """What dom0 knows of its host; nothing if this is no dom0.

        :param brief: leave out the pinning, the device models and the setup.
        """
        if (self.text('sys/hypervisor/type') or '').strip() != 'xen':
            return XenHost()
        if 'control_d' not in (self.text('proc/xen/capabilities') or ''):
            # A guest of Xen, or xenfs is not mounted.
            return XenHost()
        info = self.xl_info()
        meminfo = self.text('proc/meminfo') or ''
        return XenHost(
            xen_version=self._version()
            or versions.released(info.get('xen_version', '')),
            command_line=info.get('xen_commandline'),
            autoballoon=self._autoballoon(),
            dom0=Dom0(
                pinned=None if brief else self._pinned(),
                total_mb=_mb(meminfo, 'MemTotal'),
                available_mb=_mb(meminfo, 'MemAvailable'),
            ),
            device_models=None if brief else self._device_models(),
            setup=None if brief else setup.read(self._root),
        )

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

    def xl_info(self) -> dict[str, str]:
        """What xl info prints: name -> value.

        It is run once: what is read of it changes with a reboot only, and
        nova-compute-xen reads its host every minute.
        """
        if not self._info:
            lines = (self.xl('info') or '').splitlines()
            pairs = (line.partition(':') for line in lines if ':' in line)
            self._info = {
                name.strip(): value.strip() for name, _, value in pairs
            }
        return self._info

    def _version(self) -> str | None:
        """Xen's version with its patch level, which needs no rights."""
        major, minor, extra = (
            (self.text('sys/hypervisor/version/' + name) or '').strip()
            for name in ('major', 'minor', 'extra')
        )
        return versions.released('%s.%s%s' % (major, minor, extra))

    def _autoballoon(self) -> str | None:
        """What libxl.conf says of ballooning, None if it can't be read."""
        path = dom0_mem.LIBXL_CONF.lstrip('/')
        try:
            os.stat(os.path.join(self._root, path))
        except FileNotFoundError:
            return NO_FILE
        except OSError:
            return None
        text = self.text(path)
        if text is None:
            return None
        # Of several libvirt takes the first; an old one takes 2 for yes.
        found = _AUTOBALLOON.search(text)
        if found is None:
            return AUTO
        return ON if found[1].strip('0') else OFF

    def _pinned(self) -> bool | None:
        """Whether each of dom0's vCPUs is pinned."""
        found = re.findall(
            r'^Domain-0\s+0\s+\d+\s.*\s(\S+) / \S+\s*$',
            self.xl('vcpu-list', '0') or '',
            re.MULTILINE,
        )
        return all(hard != 'all' for hard in found) if found else None

    def _device_models(self) -> tuple[DeviceModel, ...]:
        """Every QEMU of Xen's; its guest's mode is not known here."""
        try:
            processes = os.listdir(os.path.join(self._root, 'proc'))
        except OSError:
            return ()
        found = []
        for process in filter(str.isdigit, processes):
            domain_id = self._served(process)
            if domain_id is None:
                continue
            # The first is exact and needs root, the second does not.
            rollup = self.text('proc/%s/smaps_rollup' % process) or ''
            status = self.text('proc/%s/status' % process) or ''
            resident = _kb(rollup, 'Rss') or _kb(status, 'VmRSS')
            anonymous = _kb(rollup, 'Anonymous') or _kb(status, 'RssAnon')
            if resident is not None:
                mode = 'unknown' if domain_id else 'dom0'
                found.append(DeviceModel(domain_id, mode, resident, anonymous))
        return tuple(sorted(found, key=lambda model: model.domain_id))

    def _served(self, process: str) -> int | None:
        """The guest's number that libxl gives a QEMU; None of another."""
        words = (self.text('proc/%s/cmdline' % process) or '').split('\0')
        # qemu-system-i386, xen-qemu-system-i386, qemu-dm
        if 'qemu' in os.path.basename(words[0]):
            for option, value in zip(words, words[1:]):
                if option == '-xen-domid':
                    return int(value) if value.isdigit() else None
        return None


def _kb(text: str, name: str) -> int | None:
    found = re.search(r'^%s:\s+(\d+) kB$' % name, text, re.MULTILINE)
    return int(found[1]) if found else None


def _mb(text: str, name: str) -> int | None:
    kb = _kb(text, name)
    return None if kb is None else kb // 1024
