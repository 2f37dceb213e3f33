# SPDX-License-Identifier: Apache-2.0

"""The images of tiny guests in Glance, and what the guests write."""

from __future__ import annotations

import re

from tests.e2e.client import Client
from tests.e2e.client import Server
from tests.e2e.processes import Failure
from tests.xen.e2e.hosts import Pair
from tests.xen.e2e.hosts import XenHost
from tests.xen.emulator.guests import COMMAND_LINE
from tests.xen.emulator.guests import console
from tests.xen.emulator.guests import HVM_DISK
from tests.xen.emulator.guests import INITRD
from tests.xen.emulator.guests import KERNEL
from tests.xen.emulator.guests import WORD

#: A PV guest of this kind reads nothing of its disk.
_PV_DISK = bytes(1 << 20)


def upload(client: Client, pair: Pair) -> dict[str, str]:
    """Put the images into Glance; name -> id.

    :param pair: has the kernel and the program of PV guests.
    """
    parts = {}
    for kind, path in (('aki', KERNEL), ('ari', INITRD)):
        parts[kind] = client.create_image(
            kind,
            content=pair.read(path),
            disk_format=kind,
            container_format=kind,
        )
    return {
        'pv': client.create_image(
            'pv',
            content=_PV_DISK,
            img_hv_type='xen',
            hw_vm_mode='xen',
            kernel_id=parts['aki'],
            ramdisk_id=parts['ari'],
            os_command_line=COMMAND_LINE,
        ),
        # Nothing but this says that it is HVM.
        'hvm': client.create_image('hvm', content=HVM_DISK, hw_vm_mode='hvm'),
    }


def domain(server: Server) -> str:
    """What nova calls it on its host."""
    return str(server['OS-EXT-SRV-ATTR:instance_name'])


def first_line(host: XenHost, server: Server, mode: str) -> str:
    """The first whole line that its console has on this host.

    Of a guest that came from elsewhere, the first that it wrote here.
    """
    # The second: of the first the beginning may be missing.
    line = _line(host, server, mode, 240, '-m 2')
    if not line:
        raise Failure('%s says nothing on %s' % (domain(server), host.name))
    return line


def last_line(host: XenHost, server: Server, mode: str) -> str:
    """The last line that its console has in some seconds.

    Not its very first, which says 0 as that of one that was started anew,
    unless it comes no further.
    """
    line = ''
    for _ in range(10):
        line = _line(host, server, mode, 12, '') or line
        if line and up(line, mode) > 0:
            return line
    if not line:
        raise Failure('%s says nothing on %s' % (domain(server), host.name))
    return line


def goes_on(before: str, after: str, mode: str) -> str:
    """What the first line elsewhere shows of a guest that was moved.

    :param before: its last one where it was.
    :raises Failure: if it was started anew.
    """
    if up(after, mode) < up(before, mode):
        raise Failure('it was started anew')
    if not up(before, mode):
        return 'it was up for 0 s, so that its uptime shows nothing'
    return 'its uptime goes on'


def _line(
    host: XenHost, server: Server, mode: str, seconds: int, option: str
) -> str:
    return console(
        host.host,
        domain(server),
        mode,
        seconds,
        # Not tr before grep: it hands on whole blocks, minutes late.
        'grep -a --line-buffered %s "%s." | tail -n 1 | tr -d "\\r"'
        % (option, WORD),
    ).strip()


def up(line: str, mode: str) -> float:
    """How long a guest has been up by its own clock: seconds, about."""
    found = re.search(WORD + r'([0-9a-f.]+)', line)
    assert found is not None, line
    return int(found[1], 16) * 5.0 if mode == 'hvm' else float(found[1])
