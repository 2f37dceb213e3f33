# SPDX-License-Identifier: Apache-2.0

"""What runs in a process of its own for each host: see read_many.py.

It starts in a third of the time without oslo and all that imports it.
"""

from __future__ import annotations

import dataclasses
import json
import re
import sys
import typing as ty

from nova_xen_sched.xenhost import reader

#: libvirt's codes for a driver that is not there: VIR_ERR_NO_CONNECT, and
#: VIR_ERR_SYSTEM_ERROR of a daemon of its own whose socket is missing.
_NO_DRIVER = 5
_SYSTEM_ERROR = 38

_XEN_URI = re.compile(r'xen((?:\+\w+)?://[^/?#]*)[^?#]*')


def main(arguments: list[str]) -> int:
    """Read the host of a URI, and print it as JSON: as XenHost.as_dict().

    An error that has a message is printed likewise, and the code is 0.
    """
    (uri,) = arguments
    try:
        import libvirt
    except ImportError as e:
        # Installed, but not for this Python or this libvirt.
        return _print({'error': "libvirt's Python binding: %s" % e})
    # What it would print is in the exceptions too.
    libvirt.registerErrorHandler(lambda *_: None, None)
    try:
        # Nothing is changed, so no right to change anything is needed.
        connection = libvirt.openReadOnly(uri)
    except libvirt.libvirtError as e:
        return _print({'error': ' '.join(str(e).split())})
    host = reader.read(connection, uri)
    if host.is_xen:
        host = dataclasses.replace(host, qemu_driver=_qemu(libvirt, uri))
    return _print(host.as_dict())


def _print(data: dict[str, ty.Any]) -> int:
    json.dump(data, sys.stdout)
    sys.stdout.flush()
    return 0


def qemu_uri(uri: str) -> str:
    """The URI of the same libvirt's QEMU driver."""
    return _XEN_URI.sub(r'qemu\1/system', uri)


def _qemu(libvirt: ty.Any, uri: str) -> bool | None:
    """Whether libvirt's QEMU driver is there, None if it is not certain."""
    try:
        libvirt.openReadOnly(qemu_uri(uri)).close()
    except libvirt.libvirtError as e:
        missing = e.get_error_code() == _NO_DRIVER or (
            e.get_error_code() == _SYSTEM_ERROR and 'No such file' in str(e)
        )
        return False if missing else None
    return True
