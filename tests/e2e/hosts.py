# SPDX-License-Identifier: Apache-2.0

"""The computes of a run; inside/profiles.py has what they report."""

from __future__ import annotations

ALL = (
    'xen-hvm',
    'xen-a1',
    'xen-a2',
    'xen-a3',
    'xen-old',
    'xen-pv1',
    'xen-pv2',
    'xen-pv3',
    'xen-pv4',
    'kvm-1',
)
XEN = frozenset(name for name in ALL if name.startswith('xen-'))
HVM = frozenset(('xen-hvm', 'xen-a1', 'xen-a2', 'xen-a3', 'xen-old'))
PV = XEN - {'xen-hvm'}

#: Started by scenarios/slots.py: eight of which placement knows no slots, and
#: eight of which it does. Their dom0s are that of a real host.
PLAIN = tuple('xen-plain%d' % number for number in range(1, 9))
SLOTTED = tuple('xen-slot%d' % number for number in range(1, 9))
SLOTS_CAPTURE = 'xen-4.14-hvm'

#: vCPUs and MiB of each dom0, and the libvirt of each host; that of xen-old
#: is to come from an aggregate.
FACTS = """\
version: 1
defaults: {dom0_memory_mb: 4096, dom0_vcpus: 4}
patterns:
  - {match: "xen-a*", libvirt_version: "9.0.0"}
  - {match: "xen-hvm", libvirt_version: "9.0.0"}
  - {match: "xen-pv*", libvirt_version: "9.0.0"}
hosts:
  xen-a2: {dom0_memory_mb: 2048, dom0_vcpus: 2}
  xen-a3: {dom0_memory_mb: 1024, dom0_vcpus: 1}
"""
#: What each nova-compute reserves, MiB: the largest dom0.
RESERVED_MB = 4096
#: Guests that each dom0's vCPUs serve, as the plugin counts by default.
DOM0_GUESTS = {'xen-a3': 5, 'xen-a2': 25}
