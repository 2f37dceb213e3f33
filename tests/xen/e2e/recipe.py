# SPDX-License-Identifier: Apache-2.0

"""What the disks of these hosts have, beside what every Xen host has."""

from __future__ import annotations

from tests.xen.emulator import image

#: Debian's nova 22.0.1, and what puts our wheel beside it. Its package
#: nova-compute is a service and a configuration of another kind, which can't
#: be installed in a root in which nothing runs.
PACKAGES = (
    'iptables',
    'python3-libvirt',
    'python3-nova',
    'python3-pip',
)

#: libvirtd hears other hosts in clear text and without asking who they are:
#: on the network between the two emulated machines, and nowhere else. Services
#: without a use here don't start; and where two hosts are emulated at once on
#: a busy machine, a boot must not give up on itself.
SCRIPT = r"""
echo 'auth_tcp = "none"' >>/etc/libvirt/libvirtd.conf
mkdir -p /etc/nova /etc/systemd/system.conf.d \
    /etc/systemd/system/ifupdown-pre.service.d
systemctl -q mask getty@tty1.service serial-getty@hvc0.service \
    iscsid.service open-iscsi.service
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

RECIPE = image.Recipe(name='xen-e2e', packages=PACKAGES, script=SCRIPT)
