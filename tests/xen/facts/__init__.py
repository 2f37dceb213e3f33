# SPDX-License-Identifier: Apache-2.0

"""A real Xen host, emulated: ``make xen-host``.

QEMU emulates the processor, so that no hardware virtualization and no
kernel module is needed: Xen runs as on hardware, its dom0 is Debian with
libvirt, and guests run in it.
"""
