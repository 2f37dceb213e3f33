# SPDX-License-Identifier: Apache-2.0

"""What the guests of a run boot from, and what they say.

A PV guest has dom0's kernel and one program. An HVM guest has the sector of
a disk that its firmware starts: tests/xen/facts/guests.py says why. Both write
a line every five seconds that says how long they have been up.
"""

from __future__ import annotations

import re
import struct

from tests.e2e.client import Client
from tests.e2e.client import Server
from tests.xen.e2e.hosts import Pair
from tests.xen.e2e.hosts import XenHost

#: What a line begins with, see tests/xen/facts/image.py.
WORD = 'GUEST UP '

#: 16-bit code, loaded at 0x7c00: WORD and a number go to the serial line,
#: again and again. The number is a register: it would begin at 0 if the
#: guest were started anew.
_CODE = bytes.fromhex(
    '31c0'  # xor ax, ax
    '8ed8'  # mov ds, ax
    'fc'  # cld
    'fb'  # sti
    '31ed'  # xor bp, bp
    'be537c'  # again: mov si, text
    'ac'  # next: lodsb
    '84c0'  # test al, al
    '7405'  # jz number
    'e82f00'  # call put
    'ebf6'  # jmp next
    'bf0400'  # number: mov di, 4
    '89eb'  # mov bx, bp
    'c1c304'  # digit: rol bx, 4
    '88d8'  # mov al, bl
    '240f'  # and al, 15
    '3c0a'  # cmp al, 10
    '7202'  # jb decimal
    '0427'  # add al, 'a' - '0' - 10
    '0430'  # decimal: add al, '0'
    'e81600'  # call put
    '4f'  # dec di
    '75eb'  # jnz digit
    'b00d'  # mov al, 13
    'e80e00'  # call put
    'b00a'  # mov al, 10
    'e80900'  # call put
    '45'  # inc bp
    'b95b00'  # mov cx, 91 ticks of the clock, five seconds
    'f4'  # tick: hlt
    'e2fd'  # loop tick
    'ebc6'  # jmp again
    '88c4'  # put: mov ah, al
    'bafd03'  # mov dx, 0x3fd
    'ec'  # wait: in al, dx
    'a820'  # test al, 0x20
    '74fb'  # jz wait
    'baf803'  # mov dx, 0x3f8
    '88e0'  # mov al, ah
    'ee'  # out dx, al
    'c3'  # ret
)
#: One partition, the rest of the disk: Glance takes no boot sector without.
_PARTITION = struct.pack(
    '<B3sB3sII', 0x80, b'\0\2\0', 0x83, b'\0\2\0', 1, 2047
)
_SECTOR = (
    (_CODE + WORD.encode()).ljust(446, b'\0')
    + _PARTITION.ljust(64, b'\0')
    + b'\x55\xaa'
)
_HVM_DISK = _SECTOR.ljust(1 << 20, b'\0')
#: A PV guest of this kind reads nothing of its disk.
_PV_DISK = bytes(1 << 20)

_KERNEL = '/usr/share/xen-host/guest-vmlinuz'
_INITRD = '/usr/share/xen-host/guest-initrd.gz'


def upload(client: Client, pair: Pair) -> dict[str, str]:
    """Put the images into Glance; name -> id.

    :param pair: has the kernel and the program of PV guests.
    """
    parts = {}
    for kind, path in (('aki', _KERNEL), ('ari', _INITRD)):
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
            os_command_line='console=hvc0 quiet',
        ),
        # Nothing but this says that it is HVM.
        'hvm': client.create_image('hvm', content=_HVM_DISK, hw_vm_mode='hvm'),
    }


def domain(server: Server) -> str:
    """What nova calls it on its host."""
    return str(server['OS-EXT-SRV-ATTR:instance_name'])


def last_line(host: XenHost, server: Server, mode: str) -> str:
    """What the guest writes now."""
    return host.last_line(domain(server), _kind(mode), WORD)


def first_line(host: XenHost, server: Server, mode: str) -> str:
    """What it wrote first on this host."""
    return host.first_line(domain(server), _kind(mode), WORD)


def _kind(mode: str) -> str:
    return 'serial' if mode == 'hvm' else 'pv'


def up(line: str, mode: str) -> float:
    """How long a guest has been up by its own clock: seconds, about."""
    found = re.search(WORD + r'([0-9a-f.]+)', line)
    assert found is not None, line
    return int(found[1], 16) * 5.0 if mode == 'hvm' else float(found[1])
