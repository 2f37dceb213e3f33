# SPDX-License-Identifier: Apache-2.0

"""Real Xen hosts, emulated: ``make xen-host`` and ``make xen-e2e``.

QEMU emulates the processor, so that no hardware virtualization and no kernel
module is needed: Xen runs as on hardware, its dom0 is Debian with libvirt, and
guests run in it. emulator/ builds and runs such hosts, facts/ compares
``facts show`` with xl on one of them, e2e/ runs nova on two.
"""
