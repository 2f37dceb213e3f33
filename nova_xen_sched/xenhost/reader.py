# SPDX-License-Identifier: Apache-2.0

"""Reads a Xen host through an open libvirt connection.

What libvirt can't answer is None, and said in ``problems``; nothing raises.
The connection may be read-only.
"""

from __future__ import annotations

import dataclasses
import typing as ty
from urllib import parse

from nova_xen_sched.xenhost import capabilities
from nova_xen_sched.xenhost import DeviceModel
from nova_xen_sched.xenhost import Dom0
from nova_xen_sched.xenhost import dom0_options
from nova_xen_sched.xenhost import Guests
from nova_xen_sched.xenhost import local as local_
from nova_xen_sched.xenhost import XEN
from nova_xen_sched.xenhost import XenHost

#: libvirt's os type -> the dom0 model's mode. Before libvirt 5 'linux' was
#: the word for PV everywhere; in a guest's XML it still is.
MODES = {'xen': 'pv', 'linux': 'pv', 'hvm': 'hvm', 'xenpvh': 'pvh'}

#: virDomainInfo, as a list.
_MAX_KB, _KB, _VCPUS = 1, 2, 3
#: virNodeInfo, likewise.
_MACHINE_MB, _CPUS = 1, 2

_CRASHED = (
    '; the connection broke: libvirtd may have crashed, as libvirt 7.0 does '
    'on a CPU that fits none of its models'
)


def is_local(uri: str) -> bool:
    """Whether a libvirt URI is of the machine itself: xen:///system."""
    try:
        parts = parse.urlsplit(uri)
    except ValueError:
        return False
    return parts.scheme != '' and '+' not in parts.scheme and not parts.netloc


def version_text(number: int) -> str:
    """libvirt's number for a version as text: 9000000 is '9.0.0'.

    :raises ValueError: if it is none.
    """
    if not 0 < number < 1000 * 1000000:
        raise ValueError('%d is no version' % number)
    return '%d.%d.%d' % (
        number // 1000000,
        number // 1000 % 1000,
        number % 1000,
    )


def read(
    connection: ty.Any,
    uri: str | None = None,
    machine: local_.Machine | None = None,
    brief: bool = False,
) -> XenHost:
    """What a host says of itself.

    :param connection: an open virConnect.
    :param uri: by which it was opened; libvirt's own word for it if None,
        which for some transports is the daemon's.
    :param machine: this machine, asked only where the connection is to it.
    :param brief: leave out the guests and the capabilities, for who asks
        again and again: the one is many questions, the other may crash a
        libvirtd.
    """
    return _Reading(connection).host(uri, machine or local_.Machine(), brief)


class _Reading:
    """One reading of one host."""

    def __init__(self, connection: ty.Any) -> None:
        self._connection = connection
        self._problems: dict[str, str] = {}

    def host(
        self, uri: str | None, machine: local_.Machine, brief: bool
    ) -> XenHost:
        connection = self._connection
        if uri is None:
            uri = self._ask('uri', connection.getURI, str) or ''
        hypervisor = self._ask('hypervisor', connection.getType, str)
        own = local_.NOTHING
        if is_local(uri) and hypervisor == XEN:
            answer = self._ask('dom0', lambda: local_.read(machine), None)
            own = answer or local_.NOTHING
        node = self._ask('memory', connection.getInfo, _node)
        guests, modes = (None, {}) if brief else self._guests()
        found = XenHost(
            uri=uri,
            hostname=self._ask('hostname', connection.getHostname, str),
            hypervisor=hypervisor,
            libvirt_version=self._ask(
                'libvirt_version', connection.getLibVersion, version_text
            ),
            xen_version=self._xen_version(hypervisor, own),
            memory_mb=node and node[0],
            cpus=node and node[1],
            free_memory_mb=self._ask(
                'free_memory_mb',
                connection.getFreeMemory,
                lambda size: int(size) >> 20,
            ),
            command_line=own.command_line,
            # Of another driver, the domain 0 would be any.
            dom0=self._dom0(node and node[0], own)
            if hypervisor in (XEN, None)
            else None,
            guests=guests,
            device_models=_device_models(own.processes, modes),
        )
        # Last, because it is what crashes a libvirtd.
        types, live = (None, None) if brief else self._capabilities()
        return dataclasses.replace(
            found,
            guest_types=types,
            live_migration=live,
            problems=self._problems,
        )

    def _capabilities(
        self,
    ) -> tuple[tuple[capabilities.GuestType, ...] | None, bool | None]:
        """The guest types, and whether live migration is named."""
        xml = self._ask('guest_types', self._connection.getCapabilities, str)
        if xml is None:
            if not self._alive():
                self._problems['guest_types'] += _CRASHED
            return None, None
        return (
            self._ask(
                'guest_types', lambda: capabilities.guest_types(xml), tuple
            ),
            self._ask(
                'live_migration',
                lambda: capabilities.live_migration(xml),
                bool,
            ),
        )

    def _ask(
        self,
        part: str,
        question: ty.Callable[[], ty.Any],
        read: ty.Callable[[ty.Any], ty.Any] | None,
    ) -> ty.Any:
        """An answer, or None and why there is none."""
        try:
            answer = question()
            return read(answer) if read else answer
        except Exception as e:  # noqa: BLE001  libvirtError, or garbage
            self._problems[part] = ' '.join(str(e).split()) or repr(e)
            return None

    def _alive(self) -> bool:
        try:
            return bool(self._connection.isAlive())
        except Exception:  # noqa: BLE001  libvirtError: it is not
            return False

    def _xen_version(
        self, hypervisor: str | None, own: local_.Local
    ) -> str | None:
        """In full from dom0 itself, else major and minor from libvirt."""
        if hypervisor != XEN:
            return None
        reported = self._ask(
            'xen_version', self._connection.getVersion, version_text
        )
        if own.xen_version:
            return own.xen_version
        if reported is None:
            return None
        # The patch level is never in libvirt's answer; should it come to be,
        # it is believed.
        major, minor, patch = reported.split('.')
        return reported if patch != '0' else '%s.%s' % (major, minor)

    def _dom0(self, machine_mb: int | None, own: local_.Local) -> Dom0 | None:
        info = self._ask('dom0', self._dom0_info, _domain)
        if info is None:
            return None
        maximum_kb, memory_kb, vcpus = info
        return Dom0(
            memory_mb=memory_kb // 1024,
            maximum_mb=maximum_kb // 1024,
            sizing=dom0_options.sizing_of(
                memory_kb, maximum_kb, machine_mb, own.command_line
            ),
            vcpus=vcpus,
            pinned=own.pinned,
            total_mb=own.total_mb,
            available_mb=own.available_mb,
        )

    def _dom0_info(self) -> ty.Any:
        return self._connection.lookupByID(0).info()

    def _guests(self) -> tuple[Guests | None, dict[int, str]]:
        """The running guests, and each one's mode by its number."""
        ids = self._ask('guests', self._connection.listDomainsID, list)
        if ids is None:
            return None, {}
        counts = {'hvm': 0, 'pv': 0, 'pvh': 0, 'unknown': 0}
        modes: dict[int, str] = {}
        memory_kb = vcpus = 0
        for domain_id in ids:
            if domain_id == 0:
                continue
            try:
                domain = self._connection.lookupByID(domain_id)
                mode = MODES.get(domain.OSType(), 'unknown')
                _, kb, count = _domain(domain.info())
            except Exception:  # noqa: BLE001  it ended meanwhile
                if not self._alive():
                    self._problems['guests'] = 'the connection broke'
                    return None, {}
                continue
            counts[mode] += 1
            modes[domain_id] = mode
            memory_kb += kb
            vcpus += count
        return (
            Guests(memory_mb=memory_kb // 1024, vcpus=vcpus, **counts),
            modes,
        )


def _node(info: ty.Any) -> tuple[int, int]:
    return int(info[_MACHINE_MB]), int(info[_CPUS])


def _domain(info: ty.Any) -> tuple[int, int, int]:
    return int(info[_MAX_KB]), int(info[_KB]), int(info[_VCPUS])


def _device_models(
    processes: tuple[local_.Process, ...] | None, modes: dict[int, str]
) -> tuple[DeviceModel, ...] | None:
    if processes is None:
        return None
    return tuple(
        DeviceModel(
            domain_id,
            'dom0' if domain_id == 0 else modes.get(domain_id, 'unknown'),
            resident_kb,
            anonymous_kb,
        )
        for domain_id, resident_kb, anonymous_kb in processes
    )
