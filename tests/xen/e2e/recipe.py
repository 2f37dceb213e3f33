# SPDX-License-Identifier: Apache-2.0

"""What the disks of these hosts have, beside what every Xen host has."""

from __future__ import annotations

from pathlib import Path

from tests.xen.emulator import image

#: Debian's nova 22.0.1 with its service, and what puts our wheel beside it.
_NOVA = (
    # Config drives.
    'genisoimage',
    'iptables',
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
#: once on a busy machine, a boot must not give up on itself. Neutron's agent
#: needs the older ebtables: "RULE_DELETE failed (Invalid argument)" says the
#: newer. Of a dom0 that a chapter makes smaller, nova-compute as the user nova
#: can't tell that it doesn't balloon unless libxl.conf says so.
SCRIPT = r"""
sh /usr/share/xen-host/speaker/build /usr/share/xen-host/speaker
update-alternatives --set ebtables /usr/sbin/ebtables-legacy
echo 'autoballoon = 0' >>/etc/libvirt/libxl.conf
mkdir -p /etc/nova /etc/systemd/system.conf.d \
    /etc/systemd/system/ifupdown-pre.service.d
systemctl -q mask getty@tty1.service serial-getty@hvc0.service \
    haproxy.service iscsid.service open-iscsi.service \
    cinder-volume.service neutron-dhcp-agent.service \
    neutron-linuxbridge-agent.service neutron-openvswitch-agent.service \
    mdmonitor.service lvm2-monitor.service uuidd.service
# Started once they are configured.
systemctl -q disable nfs-server.service nova-compute.service \
    openvswitch-switch.service
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

RECIPE = image.Recipe(
    name='xen-e2e',
    packages=_NOVA + _NEUTRON + _CINDER,
    files=tuple(
        ('%s/%s' % (SPEAKER, path.name), path.read_text())
        for path in sorted(_FILES.iterdir())
    ),
    script=SCRIPT,
)
