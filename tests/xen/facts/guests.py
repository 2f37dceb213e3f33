# SPDX-License-Identifier: Apache-2.0

"""Tiny guests, started through libvirt."""

from __future__ import annotations

from xml.sax import saxutils

from tests.xen.emulator import guests
from tests.xen.emulator import machine
from tests.xen.emulator.host import Host

MEMORY_MB = 128
#: How long a guest may take until its program runs, seconds.
PATIENCE = 900
#: How often a start is tried.
TRIES = 3

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
#: In a guest's XML libvirt has linux for PV.
_OS_TYPES = {'pv': 'linux', 'pvh': 'xenpvh'}
_LINUX = """\
<os>
    <type arch='x86_64' machine='{machine}'>{os}</type>
    <kernel>{kernel}</kernel>
    <initrd>{initrd}</initrd>
    <cmdline>{command_line}</cmdline>
  </os>"""
_HVM = """\
<os>
    <type arch='x86_64' machine='xenfv'>hvm</type>
    <boot dev='hd'/>
  </os>
  <features><acpi/><apic/><pae/></features>"""
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
    if mode == 'hvm':
        system, devices = _HVM, _HVM_DEVICES.format(disk=_disk(name))
    else:
        devices = _PV_DEVICES
        system = _LINUX.format(
            machine='xen' + mode,
            os=_OS_TYPES[mode],
            kernel=guests.KERNEL,
            initrd=guests.INITRD,
            command_line=guests.COMMAND_LINE,
        )
    return _XML.format(
        name=saxutils.escape(name),
        memory=memory_mb,
        system=system,
        devices=devices,
    )


def start(host: Host, name: str, mode: str) -> None:
    """A guest that runs when this returns.

    :raises machine.Failure: if its program doesn't say that it does.
    """
    if mode == 'hvm':
        host.write(_disk(name), guests.HVM_DISK)
    path = '/run/%s.xml' % name
    host.write(path, xml(name, mode).encode())
    _create(host, name, path)
    guests.console(host, name, mode, PATIENCE, 'grep -a -q "%s"' % guests.WORD)


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
