# SPDX-License-Identifier: Apache-2.0

"""The two Xen hosts: a network between them, and a folder that both see."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from tests.e2e.processes import free_ports
from tests.xen.emulator import machine
from tests.xen.emulator.host import Disk
from tests.xen.emulator.host import Hardware
from tests.xen.emulator.host import Host
from tests.xen.emulator.image import Image

NAMES = ('xen1', 'xen2')
#: This machine, as QEMU's user network has it.
MACHINE = '10.0.2.2'
#: Where both hosts have the shared folder.
SHARED = '/srv/shared'
#: Room for nova-compute, libvirtd and the device models in dom0.
_MEMORY_MB = 3584
DOM0_MB = 1280
_XEN = ('dom0_mem={0}M,max:{0}M'.format(DOM0_MB),)

#: Run in dom0, once it is up.
_SET_UP = r"""
set -eu
hostname {name}
echo {name} >/etc/hostname
cat >/etc/hosts <<END
127.0.0.1 localhost
{hosts}
END
ip link set eth1 up
ip address replace {address}/24 dev eth1
modprobe 9pnet_virtio
mkdir -p {shared}
mountpoint -q {shared} || mount -t 9p \
    -o trans=virtio,version=9p2000.L,msize=262144 shared {shared}
mkdir -p /etc/systemd/system/libvirtd-tcp.socket.d
cat >/etc/systemd/system/libvirtd-tcp.socket.d/pair.conf <<END
[Socket]
ListenStream=
ListenStream={address}:16509
END
systemctl daemon-reload
systemctl stop libvirtd.service
systemctl start libvirtd-tcp.socket
systemctl start libvirtd.service
"""


@dataclasses.dataclass
class XenHost:
    """One of them.

    :ivar address: on the network between them.
    """

    name: str
    address: str
    host: Host

    def run(self, command: str, patience: int = 300) -> str:
        return self.host.run(command, patience)

    def domains(self) -> list[str]:
        """The names of its running guests, by xl."""
        lines = self.run('xl list').splitlines()[1:]
        return [
            line.split()[0]
            for line in lines
            if not line.startswith('Domain-0 ')
        ]


class Pair:
    """Both hosts; as a context, ended at its end.

    :ivar shared: the folder that both see, on this machine.
    """

    def __init__(self, image: Image, shared: Path, log: machine.Log) -> None:
        self._image = image
        self._log = log
        self.shared = shared
        self._disks: list[Disk] = []
        self.all: list[XenHost] = []

    def __enter__(self) -> Pair:
        return self

    def __exit__(self, *_exc: object) -> None:
        for each in self.all:
            each.host.end()
        for disk in self._disks:
            disk.__exit__()

    def __getitem__(self, name: str) -> XenHost:
        return next(each for each in self.all if each.name == name)

    def other(self, name: str) -> XenHost:
        return next(each for each in self.all if each.name != name)

    def read(self, path: str) -> bytes:
        """A file of the first one's dom0."""
        self.all[0].run('cp %s %s/' % (path, SHARED))
        return (self.shared / Path(path).name).read_bytes()

    def start(self) -> None:
        """Switch both on."""
        ports = free_ports(len(NAMES))
        for number, name in enumerate(NAMES):
            hardware = Hardware(
                name=name,
                memory_mb=_MEMORY_MB,
                xen=_XEN,
                online=True,
                devices=self._devices(number, ports),
            )
            disk = Disk(self._image)
            self._disks.append(disk)
            host = Host(disk, hardware, self._log)
            self.all.append(XenHost(name, '10.99.0.%d' % (number + 1), host))
            host.start()

    def _devices(self, number: int, ports: list[int]) -> tuple[str, ...]:
        here, there = ports[number], ports[1 - number]
        network = 'socket,id=pair,udp=127.0.0.1:%d,localaddr=127.0.0.1:%d'
        # As root's, so that dom0 may do with them what it likes.
        folder = 'local,path=%s,mount_tag=shared,security_model=passthrough'
        return (
            '-netdev',
            network % (there, here),
            '-device',
            'virtio-net-pci,netdev=pair,mac=52:54:00:99:00:0%d' % (number + 1),
            '-virtfs',
            folder % self.shared,
        )

    def wait(self) -> None:
        """Until both are up, and set up."""
        hosts = '\n'.join(
            '%s %s' % (each.address, each.name) for each in self.all
        )
        for each in self.all:
            each.host.wait()
            each.run(
                _SET_UP.format(
                    name=each.name,
                    address=each.address,
                    hosts=hosts,
                    shared=SHARED,
                )
            )
            each.run('virsh -q -c xen:///system list')
