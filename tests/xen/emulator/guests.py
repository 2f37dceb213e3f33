# SPDX-License-Identifier: Apache-2.0

"""What tiny guests boot from, and what their consoles show.

PV and PVH guests have dom0's kernel and one program, both in the image. An
HVM guest has the sector of a disk that its firmware starts: here a processor
and all its devices are emulated on one that is emulated, and a kernel takes
minutes. All write a line every five seconds that says how long they have been
up.
"""

from __future__ import annotations

import struct

from tests.xen.emulator.host import COMMAND
from tests.xen.emulator.host import Host

#: In dom0, see image.py.
KERNEL = '/usr/share/xen-host/guest-vmlinuz'
INITRD = '/usr/share/xen-host/guest-initrd.gz'
#: For the kernel.
COMMAND_LINE = 'console=hvc0 quiet'

#: What a line begins with, of the program in the image too.
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
#: The disk of an HVM guest.
HVM_DISK = _SECTOR.ljust(1 << 20, b'\0')


def console(host: Host, name: str, mode: str, seconds: int, then: str) -> str:
    """What a guest's console has kept, and what comes.

    :param name: libvirt's and Xen's name of the guest.
    :param mode: pv, hvm or pvh.
    :param seconds: how long to wait for what comes.
    :param then: what it is piped through; the waiting ends with it.
    """
    return host.run(
        'timeout %d xl console -t %s %s </dev/null 2>&1 | %s'
        % (seconds, 'serial' if mode == 'hvm' else 'pv', name, then),
        patience=seconds + COMMAND,
    )
