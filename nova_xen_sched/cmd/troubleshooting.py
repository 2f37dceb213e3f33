# SPDX-License-Identifier: Apache-2.0

"""Where to look when a host was chosen and it still fails."""

from __future__ import annotations

#: Where to look for what a step of nova's says.
PLACEMENT = (
    'compare: openstack resource provider inventory list, usage show and '
    'trait list, each of UUID'
)
DISABLED = (
    'why: openstack compute service list --long; to have it take guests '
    'again: openstack compute service set --enable HOST nova-compute'
)
FILTERS = {
    'ComputeFilter': 'openstack compute service list --service nova-compute '
    'says which is down or disabled',
}

#: The guide's "Troubleshoot Xen with libvirt", in its order.
LOGS = (
    'If it then fails on the host, see there: /var/log/libvirt/libxl/ '
    "(libvirt's Xen driver; a file for each guest), /var/log/xen/ (Xen's "
    'tools; qemu-dm-*.log of the device models of HVM guests), and the log '
    'of nova-compute.'
)
