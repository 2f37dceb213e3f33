# SPDX-License-Identifier: Apache-2.0

"""The two Xen hosts: a network between them, and a folder that both see."""

from __future__ import annotations

import dataclasses
from pathlib import Path
import typing as ty

from tests.e2e.processes import free_ports
from tests.xen.e2e.certificates import Authority
from tests.xen.e2e.recipe import Kind
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
#: The network card at which each dom0 has the network of the guests.
GUESTS_NIC = 'eth2'
#: Room for nova-compute, Neutron's agents, libvirtd and the device models in
#: dom0.
_MEMORY_MB = 4096
DOM0_MB = 1536
#: Between the two: of the hosts, and of their guests.
_NETWORKS = ('pair', 'guests')
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
ip link set {nic} up
mkdir -p /etc/iscsi
echo InitiatorName=iqn.2004-10.com.example:{name} \
    >/etc/iscsi/initiatorname.iscsi
modprobe 9pnet_virtio
mkdir -p {shared}
mountpoint -q {shared} || mount -t 9p \
    -o trans=virtio,version=9p2000.L,msize=262144 shared {shared}
chmod 700 /etc/pki/libvirt/private
systemctl stop libvirtd.service
systemctl start libvirtd-tls.socket
systemctl start libvirtd.service
# nova goes from one to the other by ssh, as itself.
usermod -s /bin/sh nova
cd ~nova
mkdir -p .ssh
cp /root/.ssh/id_ed25519 /root/.ssh/authorized_keys .ssh
rm /root/.ssh/id_ed25519
cat >.ssh/known_hosts <<END
{known}
END
chown -R nova: .ssh
chmod -R go= .ssh
"""


@dataclasses.dataclass
class XenHost:
    """One of them.

    :ivar address: on the network between them.
    """

    name: str
    address: str
    host: Host
    kind: Kind
    image: Image

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

    :param kinds: of each, with its image.
    :ivar shared: the folder that both see, on this machine.
    :ivar told: until when it is told what libxl gave up waiting for.
    """

    def __init__(
        self,
        kinds: ty.Sequence[tuple[Kind, Image]],
        shared: Path,
        log: machine.Log,
    ) -> None:
        self._kinds = kinds
        self._log = log
        self.shared = shared
        self._disks: list[Disk] = []
        self.all: list[XenHost] = []
        self.told = 0.0

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

    def lose(self, name: str) -> None:
        """One is switched off, and stays so."""
        dead = self[name]
        self.all.remove(dead)
        dead.host.end()

    def read(self, path: str) -> bytes:
        """A file of the first one's dom0."""
        self.all[0].run('cp %s %s/' % (path, SHARED))
        return (self.shared / Path(path).name).read_bytes()

    def start(self) -> None:
        """Switch both on."""
        ports = free_ports(len(NAMES) * len(_NETWORKS))
        for number, (name, (kind, image)) in enumerate(
            zip(NAMES, self._kinds)
        ):
            hardware = Hardware(
                name=name,
                memory_mb=_MEMORY_MB,
                xen=_XEN,
                online=True,
                devices=self._devices(number, ports),
            )
            disk = Disk(image)
            self._disks.append(disk)
            host = Host(disk, hardware, self._log)
            address = '10.99.0.%d' % (number + 1)
            self.all.append(XenHost(name, address, host, kind, image))
            host.start()

    def _devices(self, number: int, ports: list[int]) -> tuple[str, ...]:
        networks = []
        for each, name in enumerate(_NETWORKS):
            here, there = (
                ports[2 * each + number],
                ports[2 * each + 1 - number],
            )
            networks += [
                '-netdev',
                'socket,id=%s,udp=127.0.0.1:%d,localaddr=127.0.0.1:%d'
                % (name, there, here),
                '-device',
                'virtio-net-pci,netdev=%s,mac=52:54:00:99:0%d:0%d'
                % (name, each, number + 1),
            ]
        # As root's, so that dom0 may do with them what it likes.
        folder = 'local,path=%s,mount_tag=shared,security_model=passthrough'
        return (
            *networks,
            '-virtfs',
            folder % self.shared,
        )

    def wait(self) -> None:
        """Until both are up, and set up."""
        hosts = '\n'.join(
            '%s %s' % (each.address, each.name) for each in self.all
        )
        known = '\n'.join(
            '%s,%s %s' % (each.name, each.address, _host_key(each.image))
            for each in self.all
        )
        authority = Authority(self._disks[0].folder / 'certificates')
        for each in self.all:
            each.host.wait()
            other = self.other(each.name).image
            each.host.write(
                '/root/.ssh/id_ed25519',
                (other.folder / 'ssh-key').read_bytes(),
            )
            each.run('mkdir -p /etc/pki/CA /etc/pki/libvirt/private')
            for path, content in authority.files(
                each.name, each.address
            ).items():
                each.host.write(path, content)
            each.run(
                _SET_UP.format(
                    name=each.name,
                    address=each.address,
                    hosts=hosts,
                    shared=SHARED,
                    nic=GUESTS_NIC,
                    known=known,
                )
            )
            each.run('virsh -q -c xen:///system list')


def _host_key(image: Image) -> str:
    """What sshd of its hosts is known by."""
    known = (image.folder / 'known-hosts').read_text()
    return known.split(' ', 1)[1].strip()
