# SPDX-License-Identifier: Apache-2.0

"""nova.virt.xen_libvirt: ``compute_driver = xen_libvirt.XenLibvirtDriver``."""

from __future__ import annotations

from nova_xen_sched.compute.driver import XenLibvirtDriver

__all__ = ('XenLibvirtDriver',)
