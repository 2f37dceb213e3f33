# SPDX-License-Identifier: Apache-2.0

"""First part of the demo: which hosts can run the guest at all."""

from __future__ import annotations

import collections
import typing as ty

from tests.functional import hosts
from tools import printing
from tools.demo import stage

GIB = 1024

PV = ('x86_64', 'xen', 'xen')


def sized(n: int) -> dict[str, int]:
    """The larger, the more of everything, so that nova's weighers agree."""
    return {
        'memory_mb': n * 16 * GIB,
        'vcpus': n * 8,
        'local_gb': n * 250,
    }


def profiles() -> list[hosts.HostProfile]:
    """Eight computes of different sizes, so that no two weigh the same."""

    hvm_only = hosts.xen('xen-hvm', 'xen-4.17-hvm', **sized(12))
    return [
        hvm_only.but(
            supported_instances=tuple(
                t for t in hvm_only.supported_instances if t != PV
            )
        ),
        hosts.xen('xen-a1', 'xen-4.17-hvm', **sized(10)),
        hosts.xen('xen-a2', 'xen-4.14-hvm', **sized(8)),
        hosts.xen('xen-a3', 'xen-4.14-hvm-6-guests', **sized(6)),
        hosts.xen('xen-pv1', 'xen-4.14-pv-only', **sized(9)),
        hosts.xen('xen-pv2', 'xen-4.14-pv-only', **sized(5)),
        hosts.kvm('kvm-1', **sized(7)),
        hosts.kvm('kvm-2', **sized(4)),
    ]


REMARKS = {
    'xen-hvm': 'as xen-4.17-hvm, less its PV entry: Xen built without PV',
    'kvm-1': 'as nova reports KVM hosts',
    'kvm-2': 'as nova reports KVM hosts',
    'xen-a1': 'captured: xen-4.17-hvm',
    'xen-a2': 'captured: xen-4.14-hvm',
    'xen-a3': 'captured: xen-4.14-hvm-6-guests',
    'xen-pv1': 'captured: xen-4.14-pv-only',
    'xen-pv2': 'captured: xen-4.14-pv-only',
}


def describe(host: hosts.HostProfile) -> tuple[ty.Any, ...]:
    major, minor = divmod(host.hypervisor_version // 1000, 1000)
    types = collections.defaultdict(list)
    for arch, hv_type, mode in host.supported_instances:
        name = {'xen': 'PV', 'hvm': 'HVM'}[mode]
        if hv_type != 'qemu':
            types[name].append(arch)
    return (
        host.name,
        '%s %d.%d' % (host.hypervisor_type, major, minor),
        ', '.join(
            '%s (%s)' % (name, ', '.join(sorted(archs)))
            for name, archs in sorted(types.items(), reverse=True)
        ),
        host.memory_mb // GIB,
        host.vcpus,
        REMARKS.get(host.name, ''),
    )


def show_hosts(cloud: ty.Any) -> None:
    printing.table(
        ('host', 'reports', 'guest types', 'GiB', 'vCPUs', 'from'),
        [describe(host) for host in profiles()],
    )


def play(do: stage.Stage) -> None:
    """Boot, move and rebuild guests of every type."""
    cloud = do.cloud
    xen = {'hypervisor_type': 'xen'}
    hvm = cloud.create_image('hvm', vm_mode='hvm', **xen)
    pv = cloud.create_image('pv', vm_mode='xen', **xen)
    no_mode = cloud.create_image('xen, no vm_mode', **xen)
    kvm = cloud.create_image('kvm', hypervisor_type='kvm')
    untyped = cloud.create_image('untyped')
    i386_pv = cloud.create_image(
        'pv i686', vm_mode='xen', architecture='i686', **xen
    )
    vmdk = cloud.create_image('vmdk', 'vmdk', vm_mode='hvm', **xen)

    hvm_guest = do.request(
        'boot an HVM image (type xen, mode hvm)', lambda: cloud.boot(hvm)
    )
    pv_guest = do.request(
        'boot a PV image (type xen, mode xen)', lambda: cloud.boot(pv)
    )
    do.request('boot a Xen image without vm_mode', lambda: cloud.boot(no_mode))
    do.request('boot a KVM image (type kvm)', lambda: cloud.boot(kvm))
    do.request('boot an image that names nothing', lambda: cloud.boot(untyped))
    do.request(
        'boot a 32-bit PV image',
        lambda: cloud.boot(i386_pv, wait='ERROR'),
    )
    do.request(
        'boot a vmdk image; disk_formats = raw,qcow2,vhd',
        lambda: cloud.boot(vmdk, wait='ERROR'),
    )
    do.request(
        'boot from a volume made of the vmdk image',
        lambda: cloud.boot(vmdk, volume=True),
    )
    do.request(
        'live-migrate the HVM guest', lambda: cloud.live_migrate(hvm_guest)
    )
    do.request(
        'cold-migrate the PV guest', lambda: cloud.cold_migrate(pv_guest)
    )
    do.request(
        'evacuate the HVM guest; its host is down',
        lambda: cloud.evacuate(hvm_guest),
    )
    do.request(
        'rebuild the PV guest where it is from the HVM image',
        lambda: cloud.rebuild(pv_guest, hvm, fails='NoValidHost'),
    )
