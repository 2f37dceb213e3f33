# SPDX-License-Identifier: Apache-2.0

"""Reads a Xen host through an open libvirt connection.

What libvirt doesn't answer is None, and why is in ``problems``; nothing
raises. The connection may be read-only.
"""

from __future__ import annotations

import collections
import dataclasses
import typing as ty
from urllib import parse
from xml.etree import ElementTree

from nova_xen_sched.xenhost import Dom0
from nova_xen_sched.xenhost import dom0_mem
from nova_xen_sched.xenhost import Guests
from nova_xen_sched.xenhost import XEN
from nova_xen_sched.xenhost import XenHost
from nova_xen_sched.xenhost.local import LocalHost

#: libvirt's os type -> the dom0 model's mode. Before libvirt 5 'linux' was
#: the word for PV everywhere; in a guest's XML it still is.
MODES = {'xen': 'pv', 'linux': 'pv', 'hvm': 'hvm', 'xenpvh': 'pvh'}

#: virDomainInfo, as a list.
_MAX_KB, _KB, _VCPUS = 1, 2, 3
#: virNodeInfo, likewise.
_MEMORY_MB, _CPUS = 1, 2

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
    major, rest = divmod(number, 1000000)
    return '%d.%d.%d' % (major, *divmod(rest, 1000))


def guest_types(xml: str) -> list[tuple[str, str, str]]:
    """The guest types in libvirt's capabilities of a host.

    :param xml: what virConnectGetCapabilities answers, and
        ``virsh capabilities`` prints.
    :returns: (architecture, domain type, os type) for each, in the order of
        the document. Of an HVM-capable Xen host: ('x86_64', 'xen', 'xen'),
        ('i686', 'xen', 'hvm'), ('i686', 'xen', 'xenpvh') and so on; nova
        knows no 'xenpvh' and calls an os type a vm_mode.
    :raises ValueError: if this is no capabilities document.
    """
    found: dict[tuple[str, str, str], None] = {}
    for guest in _capabilities(xml).findall('guest'):
        os_type = (guest.findtext('os_type') or '').strip()
        for arch in guest.findall('arch'):
            for domain in arch.findall('domain'):
                name, kind = arch.get('name'), domain.get('type')
                if name and kind and os_type:
                    found[name, kind, os_type] = None
    return list(found)


def live_migration(xml: str) -> bool:
    """Whether libvirt's capabilities of a host name live migration.

    :raises ValueError: if this is no capabilities document.
    """
    return _capabilities(xml).find('host/migration_features/live') is not None


def _capabilities(xml: str) -> ElementTree.Element:
    # libvirt's own answer has none; entities can take seconds to expand.
    if '<!DOCTYPE' in xml:
        raise ValueError('not a capabilities document: it has a <!DOCTYPE')
    try:
        root = ElementTree.fromstring(xml.strip())  # noqa: S314
    except ElementTree.ParseError as e:
        raise ValueError('not a capabilities document: %s' % e) from e
    if root.tag != 'capabilities':
        raise ValueError(
            'not a capabilities document: it begins with <%s>' % root.tag
        )
    return root


def read(
    connection: ty.Any,
    uri: str | None = None,
    local: LocalHost | None = None,
    brief: bool = False,
) -> XenHost:
    """What a host reports of itself.

    :param connection: an open virConnect.
    :param uri: by which it was opened; libvirt's own word for it if None,
        which for some transports is the daemon's.
    :param local: this machine, read only where the connection is to it.
    :param brief: leave out the guests, what runs for them in dom0, its
        pinning and the capabilities, for who reads again and again: the
        guests are many calls, the capabilities may crash a libvirtd.
    """
    return _Reading(connection).host(uri, local or LocalHost(), brief)


class _Reading:
    """One reading of one host."""

    def __init__(self, connection: ty.Any) -> None:
        self._connection = connection
        self._problems: dict[str, str] = {}

    def host(self, uri: str | None, local: LocalHost, brief: bool) -> XenHost:
        connection = self._connection
        if uri is None:
            uri = self._read('uri', connection.getURI, str) or ''
        hypervisor = self._read('hypervisor', connection.getType, _line)
        own = XenHost()
        if is_local(uri) and hypervisor == XEN:
            own = self._read('dom0', lambda: local.read(brief)) or own
        memory_mb, cpus = self._read(
            'memory', connection.getInfo, _ints(_MEMORY_MB, _CPUS)
        ) or (None, None)
        host = dataclasses.replace(
            own,
            uri=uri,
            hypervisor=hypervisor,
            hostname=self._read('hostname', connection.getHostname, _line),
            libvirt_version=self._read(
                'libvirt_version', connection.getLibVersion, version_text
            ),
            xen_version=self._xen_version(own) if hypervisor == XEN else None,
            memory_mb=memory_mb,
            cpus=cpus,
            free_memory_mb=self._read(
                'free_memory_mb',
                connection.getFreeMemory,
                lambda size: _number(size) >> 20,
            ),
        )
        # Of another driver, the domain 0 would be any.
        is_xen = hypervisor in (XEN, None)
        host = dataclasses.replace(
            host, dom0=self._dom0(host) if is_xen else None
        )
        if not brief:
            host = dataclasses.replace(
                self._with_guests(host),
                guest_names=self._read(
                    'guest_names', self._connection.listAllDomains, _names
                ),
            )
            # Last, because it is what crashes a libvirtd.
            host = self._with_capabilities(host)
        return dataclasses.replace(host, problems=self._problems)

    def _read(
        self,
        part: str,
        call: ty.Callable[[], ty.Any],
        convert: ty.Callable[[ty.Any], ty.Any] = lambda answer: answer,
    ) -> ty.Any:
        """What a call answers, or None and a problem with this part."""
        try:
            return convert(call())
        except Exception as e:  # noqa: BLE001  libvirtError, or garbage
            self._problems[part] = _line(e) or repr(e)
            return None

    def _alive(self) -> bool:
        try:
            return bool(self._connection.isAlive())
        except Exception:  # noqa: BLE001  libvirtError: it is not
            return False

    def _xen_version(self, own: XenHost) -> str | None:
        """In full from dom0 itself, else major and minor from libvirt."""
        reported = self._read(
            'xen_version', self._connection.getVersion, version_text
        )
        if own.xen_version or reported is None:
            return own.xen_version
        # The patch level is never in libvirt's answer; should it come to be,
        # it is believed.
        major, minor, patch = reported.split('.')
        return reported if patch != '0' else '%s.%s' % (major, minor)

    def _dom0(self, host: XenHost) -> Dom0 | None:
        info = self._read(
            'dom0',
            lambda: self._connection.lookupByID(0).info(),
            _ints(_KB, _MAX_KB, _VCPUS),
        )
        if info is None:
            return None
        memory_kb, maximum_kb, vcpus = info
        sizing, reason = dom0_mem.sizing_of(memory_kb, maximum_kb, host)
        return dataclasses.replace(
            host.dom0 or Dom0(),
            memory_mb=memory_kb // 1024,
            maximum_mb=maximum_kb // 1024,
            sizing=sizing,
            sizing_reason=reason,
            vcpus=vcpus,
        )

    def _with_guests(self, host: XenHost) -> XenHost:
        """The running guests, and which of them a device model serves."""
        ids = self._read('guests', self._connection.listDomainsID, list)
        if ids is None:
            return host
        modes: dict[int, str] = {}
        memory_kb = vcpus = 0
        for domain_id in ids:
            if domain_id == 0:
                continue
            try:
                domain = self._connection.lookupByID(domain_id)
                mode = MODES.get(domain.OSType(), 'unknown')
                kb, count = _ints(_KB, _VCPUS)(domain.info())
            except Exception:  # noqa: BLE001  it ended meanwhile
                if not self._alive():
                    self._problems['guests'] = 'the connection broke'
                    return host
                continue
            modes[domain_id] = mode
            memory_kb += kb
            vcpus += count
        return dataclasses.replace(
            host,
            guests=Guests(
                memory_mb=memory_kb // 1024,
                vcpus=vcpus,
                **collections.Counter(modes.values()),
            ),
            device_models=host.device_models
            and tuple(
                dataclasses.replace(
                    model, mode=modes.get(model.domain_id, model.mode)
                )
                for model in host.device_models
            ),
        )

    def _with_capabilities(self, host: XenHost) -> XenHost:
        xml = self._read('guest_types', self._connection.getCapabilities, str)
        if xml is None:
            if not self._alive():
                self._problems['guest_types'] += _CRASHED
            return host
        return dataclasses.replace(
            host,
            guest_types=self._read(
                'guest_types', lambda: guest_types(xml), tuple
            ),
            live_migration=self._read(
                'live_migration', lambda: live_migration(xml)
            ),
        )


def _ints(*places: int) -> ty.Callable[[ty.Any], tuple[int, ...]]:
    """What takes numbers out of one of libvirt's lists."""
    return lambda info: tuple(_number(info[place]) for place in places)


def _number(answer: ty.Any) -> int:
    """One of libvirt's: a size or a count.

    :raises ValueError: if it is none, or has more digits than any fact.
    """
    number = int(answer)
    if not 0 <= number < 10**18:
        raise ValueError('no size and no count')
    return number


def _names(domains: ty.Any) -> tuple[str, ...]:
    """Those of all guests, sorted."""
    return tuple(
        sorted(_line(each.name()) for each in domains if each.ID() != 0)
    )


def _line(answer: ty.Any) -> str:
    return ' '.join(str(answer).split())
