# SPDX-License-Identifier: Apache-2.0

"""Tiny guests, started through libvirt.

PV and PVH guests have dom0's kernel and one program. An HVM guest has the
sector of a disk that its firmware starts: here a processor and all its
devices are emulated on one that is emulated, and a kernel takes minutes.
"""

from __future__ import annotations

from xml.sax import saxutils

from tests.xen.emulator import machine
from tests.xen.emulator.host import Host

MEMORY_MB = 128
#: How long a guest may take until its program runs, seconds.
PATIENCE = 900
#: How often a start is tried.
TRIES = 3
#: In the image, see image.py.
_FOLDER = '/usr/share/xen-host'

#: What a guest writes to its console, every few seconds.
WORD = b'GUEST UP'

#: 16-bit code, loaded at 0x7c00: WORD goes to the serial line, again and
#: again.
_CODE = bytes.fromhex(
    '31c0'  # xor ax, ax
    '8ed8'  # mov ds, ax
    'fc'  # cld
    'fb'  # sti
    'be287c'  # again: mov si, text
    'ac'  # next: lodsb
    '84c0'  # test al, al
    '7412'  # jz pause
    '88c4'  # mov ah, al
    'bafd03'  # mov dx, 0x3fd
    'ec'  # wait: in al, dx
    'a820'  # test al, 0x20
    '74fb'  # jz wait
    'baf803'  # mov dx, 0x3f8
    '88e0'  # mov al, ah
    'ee'  # out dx, al
    'ebe9'  # jmp next
    'b95b00'  # pause: mov cx, 91 ticks of the clock, five seconds
    'f4'  # tick: hlt
    'e2fd'  # loop tick
    'ebde'  # jmp again
)
BOOT_SECTOR = (_CODE + WORD + b'\r\n\0').ljust(510, b'\0') + b'\x55\xaa'

_XML = """\
<domain type='xen'>
  <name>{name}</name>
  <memory unit='MiB'>{memory}</memory>
  <vcpu>1</vcpu>
  {system}
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>destroy</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    {devices}
  </devices>
</domain>
"""
#: In a guest's XML libvirt says linux for PV.
_LINUX = """\
<os>
    <type arch='x86_64' machine='{machine}'>{os}</type>
    <kernel>{folder}/guest-vmlinuz</kernel>
    <initrd>{folder}/guest-initrd.gz</initrd>
    <cmdline>console=hvc0 quiet</cmdline>
  </os>"""
_SYSTEMS = {
    'pv': _LINUX.format(machine='xenpv', os='linux', folder=_FOLDER),
    'pvh': _LINUX.format(machine='xenpvh', os='xenpvh', folder=_FOLDER),
    'hvm': """\
<os>
    <type arch='x86_64' machine='xenfv'>hvm</type>
    <boot dev='hd'/>
  </os>
  <features><acpi/><apic/><pae/></features>""",
}
_PV_DEVICES = "<console type='pty'><target type='xen' port='0'/></console>"
_HVM_DEVICES = """\
<disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <source file='{disk}'/>
      <target dev='hda' bus='ide'/>
    </disk>
    <serial type='pty'><target port='0'/></serial>
    <video><model type='cirrus' vram='8192'/></video>
    <graphics type='vnc' autoport='yes' listen='127.0.0.1'/>"""


def xml(name: str, mode: str, memory_mb: int = MEMORY_MB) -> str:
    """A guest as libvirt wants it described.

    :param mode: pv, hvm or pvh.
    """
    devices = _HVM_DEVICES if mode == 'hvm' else _PV_DEVICES
    return _XML.format(
        name=saxutils.escape(name),
        memory=memory_mb,
        system=_SYSTEMS[mode],
        devices=devices.format(disk=_disk(name)),
    )


def start(host: Host, name: str, mode: str) -> None:
    """A guest that runs when this returns.

    :raises machine.Failure: if its program doesn't say that it does.
    """
    if mode == 'hvm':
        host.write(_disk(name), BOOT_SECTOR.ljust(1 << 20, b'\0'))
    path = '/run/%s.xml' % name
    host.write(path, xml(name, mode).encode())
    _create(host, name, path)
    # What the console has kept, and what comes.
    host.run(
        'timeout %d xl console -t %s %s </dev/null 2>&1 | grep -a -q "%s"'
        % (
            PATIENCE,
            'serial' if mode == 'hvm' else 'pv',
            name,
            WORD.decode(),
        ),
        patience=PATIENCE + 60,
    )


def _create(host: Host, name: str, path: str) -> None:
    """Let libvirt start it; libxl may give up on a slow dom0 too early.

    :raises machine.Failure: if it gives up each time.
    """
    create = 'virsh -q -c xen:///system create %s' % path
    for left in reversed(range(TRIES)):
        code, _text, errors = host.status(create)
        if code == 0:
            return
        # Why it did stands in the log of what is said to dom0.
        host.status(
            'tail -n 20 /var/log/libvirt/libxl/libxl-driver.log'
            ' /var/log/xen/qemu-dm-%s.log' % name
        )
        why = ' '.join(errors.split())
        host.log('%s did not start: %s' % (name, why))
        if not left:
            raise machine.Failure('%s did not start: %s' % (name, why))


def _disk(name: str) -> str:
    return '/var/tmp/%s.raw' % name
