# SPDX-License-Identifier: Apache-2.0

"""What the disks of these hosts have, beside what every Xen host has."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from tests.xen.emulator import image
from tests.xen.emulator import machine

#: Where nova is in a virtual environment.
_DOM0 = (
    # Config drives.
    'genisoimage',
    'iptables',
)
#: Debian's nova 22.0.1 with its service, and what puts our wheel beside it.
_NOVA = (
    # Debian has none for Xen.
    'nova-compute-kvm',
    'python3-guestfs',
    'python3-pip',
)
#: Debian's Neutron 17.2.1.
_NEUTRON = (
    'bridge-utils',
    'dnsmasq-base',
    'ebtables',
    'ipset',
    # What is an HVM guest here that has a driver for a port.
    'ipxe',
    'neutron-dhcp-agent',
    'neutron-linuxbridge-agent',
    'neutron-openvswitch-agent',
)
#: Debian's cinder 17.0.1, with NFS.
_CINDER = (
    'cinder-volume',
    'nfs-common',
    'nfs-kernel-server',
)

#: Where the image has that guest; below the root.
SPEAKER = 'usr/share/xen-host/speaker'
_FILES = Path(__file__).parent / 'guest'

#: Services without a use here don't start; and where two hosts are emulated at
#: once on a busy machine, a boot must not give up on itself. Of a dom0 that a
#: chapter makes smaller, nova-compute as the user nova can't tell that it
#: doesn't balloon unless libxl.conf says so.
_SCRIPT = r"""
echo 'autoballoon = 0' >>/etc/libvirt/libxl.conf
mkdir -p /etc/nova /etc/systemd/system.conf.d \
    /etc/systemd/system/ifupdown-pre.service.d
systemctl -q mask getty@tty1.service serial-getty@hvc0.service \
    haproxy.service iscsid.service open-iscsi.service \
    cinder-volume.service neutron-dhcp-agent.service \
    neutron-linuxbridge-agent.service neutron-openvswitch-agent.service \
    mdmonitor.service lvm2-monitor.service uuidd.service
cat >/etc/systemd/system.conf.d/patience.conf <<END
[Manager]
DefaultTimeoutStartSec=30min
END
cat >/etc/systemd/system/ifupdown-pre.service.d/patience.conf <<END
[Service]
TimeoutStartSec=30min
ExecStart=
ExecStart=/bin/true
END
"""

#: Neutron's agent needs the older ebtables: "RULE_DELETE failed (Invalid
#: argument)" says the newer.
_OPENSTACK_SCRIPT = r"""
sh /usr/share/xen-host/speaker/build /usr/share/xen-host/speaker
update-alternatives --set ebtables /usr/sbin/ebtables-legacy
# Started once they are configured.
systemctl -q disable nfs-server.service nova-compute.service \
    openvswitch-switch.service
"""

#: Where no package of Debian's brings them. It runs as root: sudo isn't
#: needed.
_SERVICE = '[Service]\nType=simple\n'
_USER = 'useradd -r -m -d /var/lib/nova nova\n'


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of host.

    :ivar libvirt: its version.
    :ivar environment: the virtual environment in dom0 that has nova; empty
        where it is Debian's.
    """

    recipe: image.Recipe
    libvirt: str
    environment: str = ''

    @property
    def xen(self) -> str:
        return self.recipe.xen

    def program(self, name: str) -> str:
        """One beside nova, as dom0 calls it."""
        if not self.environment:
            return name
        return '%s/bin/%s' % (self.environment, name)


def kind(xen: str, environment: str) -> Kind:
    """The hosts that have a version of Xen.

    :param environment: what a dom0 gets where Debian has no nova for it.
    :raises machine.Failure: if that can't be copied.
    """
    if xen == '4.14':
        return Kind(DEBIANS, '7.0.0')
    return Kind(_with(environment, xen), '9.0.0', environment)


DEBIANS = image.Recipe(
    name='xen-e2e',
    packages=_DOM0 + _NOVA + _NEUTRON + _CINDER,
    files=tuple(
        ('%s/%s' % (SPEAKER, path.name), path.read_text())
        for path in sorted(_FILES.iterdir())
    ),
    script=_SCRIPT + _OPENSTACK_SCRIPT,
)


def _with(environment: str, xen: str) -> image.Recipe:
    """With an environment of tools/make-venv, and its interpreter."""
    python = machine.output(
        [environment + '/bin/python', '-c']
        + ['import sys; print(sys.base_prefix)']
    ).strip()
    if python in ('', '/usr'):
        raise machine.Failure(
            'The Python of %s is %s, which can not be copied: it needs one '
            'with a folder of its own, as pyenv makes them.'
            % (environment, python or 'missing')
        )
    stamp = Path(environment, '.nova-xen-sched').read_text()
    return image.Recipe(
        name='xen-e2e-' + xen,
        packages=_DOM0,
        files=(('etc/systemd/system/nova-compute.service', _SERVICE),),
        script=_SCRIPT + _USER,
        xen=xen,
        trees=(python, environment),
        # Its pins and its Python; behind them our own setup.cfg.
        version=stamp.split()[0],
    )
