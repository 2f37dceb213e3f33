# SPDX-License-Identifier: Apache-2.0

"""Guest types in libvirt's answer to virConnectGetCapabilities."""

from __future__ import annotations

import typing as ty
from xml.etree import ElementTree

#: (architecture, hypervisor type, vm_mode), in libvirt's own words.
GuestType = ty.Tuple[str, str, str]


def guest_types(xml: str) -> list[GuestType]:
    """The guest types that a host's libvirt says it can run.

    :param xml: the capabilities document, as ``virsh capabilities`` prints
        it.
    :returns: (architecture, domain type, os type) for each, in the order of
        the document. Of an HVM-capable Xen host: ('x86_64', 'xen', 'xen'),
        ('i686', 'xen', 'hvm'), ('i686', 'xen', 'xenpvh') and so on; nova
        knows no 'xenpvh' and calls an os type a vm_mode.
    :raises ValueError: if this is no capabilities document.
    """
    root = _root(xml)
    found: list[GuestType] = []
    for guest in root.findall('guest'):
        os_type = (guest.findtext('os_type') or '').strip()
        for arch in guest.findall('arch'):
            for domain in arch.findall('domain'):
                triple = (arch.get('name'), domain.get('type'), os_type)
                if all(triple) and triple not in found:
                    found.append(triple)  # type: ignore[arg-type]
    return found


def live_migration(xml: str) -> bool:
    """Whether the host's libvirt says that it can migrate guests alive.

    :raises ValueError: if this is no capabilities document.
    """
    return _root(xml).find('host/migration_features/live') is not None


def _root(xml: str) -> ElementTree.Element:
    try:
        # libvirt's own answer; expat limits the expansion of entities.
        root = ElementTree.fromstring(xml.strip())  # noqa: S314
    except ElementTree.ParseError as e:
        raise ValueError('not a capabilities document: %s' % e) from e
    if root.tag != 'capabilities':
        raise ValueError(
            'not a capabilities document: it begins with <%s>' % root.tag
        )
    return root
