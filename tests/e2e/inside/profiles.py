# SPDX-License-Identifier: Apache-2.0

"""The computes of a run, as their drivers report them: see ../hosts.py."""

from __future__ import annotations

import typing as ty

from tests.functional import hosts
from tests.functional.hosts import HostProfile


def _sized(memory_gb: int) -> ty.Dict[str, int]:
    return {
        'memory_mb': memory_gb * 1024,
        'vcpus': memory_gb // 2,
        'local_gb': 20000,
    }


# All of one Xen: nova live-migrates to none that is older.
def _all() -> ty.Dict[str, HostProfile]:
    hvm = hosts.xen('xen-hvm', 'xen-4.14-hvm', **_sized(160))
    profiles = (
        # Xen built without PV, seen in libvirt's source only: no capture.
        hvm.but(
            supported_instances=tuple(
                each for each in hvm.supported_instances if each[2] == 'hvm'
            )
        ),
        hosts.xen('xen-a1', 'xen-4.14-hvm', **_sized(160)),
        hosts.xen('xen-a2', 'xen-4.14-dom0-unsized', **_sized(192)),
        # Much memory beside a small dom0: see FACTS.
        hosts.xen('xen-a3', 'xen-4.14-hvm-6-guests', **_sized(320)),
        # The most memory of all, and a libvirt that is too old.
        hosts.xen('xen-old', 'xen-4.14-hvm', **_sized(384)),
        hosts.xen('xen-pv1', 'xen-4.14-pv-only', **_sized(128)),
        hosts.xen('xen-pv2', 'xen-4.14-pv-only', **_sized(96)),
        hosts.xen('xen-pv3', 'xen-4.14-pv-only', **_sized(64)),
        hosts.xen('xen-pv4', 'xen-4.14-pv-only', **_sized(64)),
        hosts.kvm('kvm-1', **_sized(128)),
        *(
            hosts.xen(
                'xen-%s%d' % (kind, number), 'xen-4.14-hvm', **_sized(64)
            )
            for kind in ('plain', 'slot')
            for number in range(1, 9)
        ),
    )
    return {profile.name: profile for profile in profiles}


HOSTS = _all()
