# SPDX-License-Identifier: Apache-2.0

"""Captured Xen hosts, as a libvirt connection and as a dom0.

No Xen host is at hand where unit tests run, so these stand for one: what they
answer, and the errors that they raise, are what real ones did.
"""

from __future__ import annotations

import ast
import pathlib
import re

from nova_xen_sched.xenhost import local

CAPTURES = pathlib.Path(__file__).parents[2] / 'fixtures' / 'captures'
ALL = sorted(path.name for path in CAPTURES.iterdir() if path.is_dir())


class LibvirtError(Exception):
    """Stands for libvirt.libvirtError, which is not installed here."""


def _answer(value):
    if isinstance(value, str) and value.startswith('libvirtError: '):
        raise LibvirtError(value)
    return value


class Domain:
    """A guest, or dom0, as it answered through python3-libvirt."""

    def __init__(self, answers):
        self._answers = answers

    def ID(self):  # noqa: N802
        return self._answers['ID()']

    def name(self):
        return self._answers['name()']

    def OSType(self):  # noqa: N802  libvirt's name
        return _answer(self._answers['OSType()'])

    def info(self):
        return _answer(self._answers['info()'])


class Connection:
    """A host as it answered through python3-libvirt.

    :param broken: method name -> the error that it raises instead.
    """

    def __init__(self, name, uri='xen+ssh://host/system', broken=None):
        folder = CAPTURES / name
        self._uri = uri
        self._broken = broken or {}
        self._capabilities = (folder / 'capabilities.xml').read_text()
        self.alive = True
        self.conn = {}
        self.domains = {}
        text = (folder / 'python-libvirt-api.txt').read_text()
        for line in text.splitlines():
            found = re.match(r'conn\.(\w+)\(\) = (.*)$', line)
            if found:
                self.conn[found[1]] = ast.literal_eval(found[2])
            found = re.match(r'dom\[(\d+):.*?\]\.(\S+) = (.*)$', line)
            if found:
                domain = self.domains.setdefault(int(found[1]), {})
                domain[found[2]] = ast.literal_eval(found[3])

    def _of(self, name):
        if name in self._broken:
            raise self._broken[name]
        return _answer(self.conn[name])

    def getType(self):  # noqa: N802
        return self._of('getType')

    def getURI(self):  # noqa: N802
        return self._uri

    def getHostname(self):  # noqa: N802
        return self._of('getHostname')

    def getLibVersion(self):  # noqa: N802
        return self._of('getLibVersion')

    def getVersion(self):  # noqa: N802
        return self._of('getVersion')

    def getInfo(self):  # noqa: N802
        return self._of('getInfo')

    def getFreeMemory(self):  # noqa: N802
        return self._of('getFreeMemory')

    def listDomainsID(self):  # noqa: N802
        return self._of('listDomainsID')

    def listAllDomains(self):  # noqa: N802
        if 'listAllDomains' in self._broken:
            raise self._broken['listAllDomains']
        return [
            Domain({'ID()': number, 'name()': name})
            for number, name in self.conn['listAllDomains']
        ]

    def isAlive(self):  # noqa: N802
        return self.alive

    def getCapabilities(self):  # noqa: N802
        if 'getCapabilities' in self._broken:
            self._of('getCapabilities')
        return self._capabilities

    def lookupByID(self, number):  # noqa: N802
        if 'lookupByID' in self._broken:
            raise self._broken['lookupByID']
        if number not in self.domains:
            raise LibvirtError('Domain not found: No domain with ID')
        return Domain(self.domains[number])


class Dom0(local.LocalHost):
    """A captured dom0: its /proc and /sys in a folder, and what xl said.

    /sys/hypervisor was not captured, nor was /proc/PID: the versions are
    those of ``xl info``, the memory of a QEMU that of ``ps`` or of the
    captured smaps_rollup.

    :param folder: an empty one.
    """

    def __init__(self, name, folder, has_xl=True):
        super().__init__(str(folder))
        self._capture = CAPTURES / name
        self._has_xl = has_xl
        self._folder = folder
        info = (self._capture / 'xl-info.txt').read_text()
        for part in ('major', 'minor', 'extra'):
            value = re.search(r'xen_%s +: (.*)' % part, info)[1]
            self.put('sys/hypervisor/version/' + part, value + '\n')
        self.put('sys/hypervisor/type', 'xen\n')
        self.put('proc/xen/capabilities', 'control_d\n')
        # As Debian has it: autoballoon is only a comment. That the captured
        # dom0 balloons shows that the file was there.
        self.put('etc/libvirt/libxl.conf', '#autoballoon = 1\n')
        self.put(
            'proc/meminfo', (self._capture / 'proc-meminfo.txt').read_text()
        )
        self._processes()

    def put(self, path, text):
        target = self._folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def _processes(self):
        for line in (self._capture / 'ps.txt').read_text().splitlines():
            found = re.match(r' *(\d+) +(\d+) +\d+ (.*)$', line)
            if found:
                pid, resident, arguments = found.groups()
                self.put(
                    'proc/%s/cmdline' % pid,
                    '\0'.join([*arguments.split(' '), '']),
                )
                self.put('proc/%s/status' % pid, 'VmRSS:\t%s kB\n' % resident)
        rollup = self._capture / 'qemu-smaps-rollup.txt'
        if rollup.exists():
            for part in rollup.read_text().split('pid=')[1:]:
                pid, _, rest = part.partition('\n')
                self.put('proc/%s/smaps_rollup' % pid, rest)

    def xl(self, *arguments):
        if not self._has_xl:
            return None
        name = 'xl-%s.txt' % arguments[0]
        return (self._capture / name).read_text()
