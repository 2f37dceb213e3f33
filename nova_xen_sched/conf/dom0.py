# SPDX-License-Identifier: Apache-2.0

"""Options about dom0's size, and what guests take from it."""

from __future__ import annotations

from oslo_config import cfg

from nova_xen_sched.conf import values

#: Above any real figure; keeps sums finite.
MOST = 10**9


OPTS = [
    cfg.Opt(
        'dom0_memory_mb',
        type=values.Number(1, MOST, 'MiB'),
        default=1024,
        mutable=True,
        help="""
Memory of dom0, in MiB, on Xen hosts without the fact ``dom0_memory_mb``.

Possible values:

* MiB. The default, 1024, is the least that OpenStack's guide to Xen via
  libvirt (1 to 4 GiB) and the Xen Project's Best Practices name.

Related options:

* ``fact_sources``: where the fact ``dom0_memory_mb`` comes from
""",
    ),
    cfg.Opt(
        'dom0_vcpus',
        type=values.Number(0.1, MOST, 'vCPUs'),
        default=4,
        mutable=True,
        help="""
vCPUs of dom0 on Xen hosts without the fact ``dom0_vcpus``.

Possible values:

* vCPUs. The default, 4, is what OpenStack's guide to Xen via libvirt says
  (``dom0_max_vcpus=4``).

Related options:

* ``fact_sources``: where the fact ``dom0_vcpus`` comes from
""",
    ),
    cfg.Opt(
        'dom0_base_memory_mb',
        type=values.Number(0, MOST, 'MiB'),
        default=400,
        mutable=True,
        help="""
Memory that dom0 itself uses, in MiB: its kernel, its daemons, nova-compute.

Possible values:

* MiB. The default is measured on a real Xen 4.14 host, and rounded up: an
  idle dom0 of 1024 MiB had 828 MiB available, so used 196; nova-compute took
  152 MiB, and a privsep daemon 38.
""",
    ),
    cfg.Opt(
        'dom0_base_vcpus',
        type=values.Number(0, MOST, 'vCPUs'),
        default=0.75,
        mutable=True,
        help="""
vCPUs of dom0 that dom0 itself uses.

Possible values:

* vCPUs. The default is inferred: with it and 20 guests a vCPU, 4 vCPUs carry
  65 guests and 8 carry 145; Citrix saw 4 full at 60 to 65 desktop guests and
  8 carry more than 150 (citrix.com/blogs/2012/06/23).

Related options:

* ``dom0_guests_per_vcpu``
""",
    ),
    cfg.Opt(
        'dom0_memory_mb_per_hvm_guest',
        type=values.Number(0, MOST, 'MiB'),
        default=24,
        mutable=True,
        help="""
Memory of dom0 that an HVM guest takes, in MiB: its QEMU and its backends.

Possible values:

* MiB. The default is 18.6 MiB, measured on a real Xen 4.14 host (256 MiB,
  1 vCPU, no NIC, 8 MiB of video: a floor), and a margin of 30 %, which is an
  estimate.
""",
    ),
    cfg.Opt(
        'dom0_memory_mb_per_pv_guest',
        type=values.Number(0, MOST, 'MiB'),
        default=14,
        mutable=True,
        help="""
Memory of dom0 that a PV guest takes, in MiB.

Possible values:

* MiB. The default is 10.9 MiB, measured on a real Xen 4.14 host with the disk
  in a file, which takes a QEMU, and a margin of 30 %, which is an estimate.
  With block devices 4.3 MiB were measured.
""",
    ),
    cfg.Opt(
        'dom0_memory_mb_per_pvh_guest',
        type=values.Number(0, MOST, 'MiB'),
        default=3,
        mutable=True,
        help="""
Memory of dom0 that a PVH guest takes, in MiB.

nova knows no PVH guests. This is for sites whose nova was changed for them.

Possible values:

* MiB. The default is 1.8 MiB, measured on a real Xen 4.14 host with a block
  device, and a margin of 30 %, rounded up.
""",
    ),
    cfg.Opt(
        'dom0_guests_per_vcpu',
        type=values.Number(0.01, MOST, 'guests'),
        default=20,
        mutable=True,
        help="""
Guests that one vCPU of dom0 serves.

Possible values:

* guests. The default is inferred from Citrix' figures: see
  ``dom0_base_vcpus``.
""",
    ),
    cfg.Opt(
        'dom0_hvm_share',
        type=values.Number(0, 1),
        default=0.6,
        mutable=True,
        help="""
The share of HVM guests among guests whose mode is unknown.

nova-scheduler knows the guests of a host one by one while
``[filter_scheduler]track_instance_changes`` is on, its default.

Possible values:

* from 0, all are PV, to 1, all are HVM. The default is an estimate.
""",
    ),
    cfg.Opt(
        'guest_memory_overhead',
        type=values.Choice(
            [
                ('none', 'nothing'),
                ('xenapi', "nova's XenAPI driver's"),
                ('libxl', "libxl's"),
            ]
        ),
        default='xenapi',
        mutable=True,
        help="""
The formula for what a guest takes from the host's RAM beyond its own memory.

Xen keeps page tables and other structures for each guest. nova doesn't count
them.

Possible values:

* ``none``: nothing.
* ``xenapi``: 0.00781 x MiB + 1.5 x vCPUs + 3 MiB, which nova's XenAPI driver
  used until 19, fitted to Rackspace's fleet. A guest of 4096 MiB with 2 vCPUs
  takes 38 MiB so; 35 to 36 were measured. The default.
* ``libxl``: 4 KiB a MiB, 1 MiB a vCPU, and 2 MiB for an HVM guest or 1 for
  a PV guest, from libxl_create.c.
""",
    ),
    cfg.Opt(
        'dom0_headroom_weight_multiplier',
        type=values.Number(-MOST, MOST),
        default=10.0,
        mutable=True,
        help="""
Multiplier of Dom0HeadroomWeigher: how much dom0's headroom counts among the
other weighers.

Of Xen hosts the one with the most headroom weighs 0, and fuller ones less.
Where none has a headroom of 10 %, all of them weigh less than 0. Hosts of
other kinds weigh 0 always, so no Xen host comes before them for its headroom.

Possible values:

* a positive number prefers hosts with headroom. The default, 10, was chosen
  by simulation: with 1 or 2 nova's other weighers decide, 5 does nearly as
  well as 10, and 20 hardly better.
* a negative number fills hosts one after the other: the one with the least
  headroom weighs 0, or less where that is below 10 %. Among Xen hosts only
  ``refuse_dom0_overcommit`` stops it at what dom0 serves.
* ``0`` switches the weigher off.

Aggregate metadata of the same name wins over this option. In an aggregate
with a larger multiplier fuller hosts lose more, and so come behind equally
full hosts elsewhere. Hosts with positive and with negative multipliers are
not compared with one another.

Related options:

* ``[filter_scheduler]weight_classes`` must name the weigher.
""",
    ),
    cfg.Opt(
        'refuse_dom0_overcommit',
        type=values.Flag(),
        default=False,
        mutable=True,
        help="""
Refuse Xen hosts on which the guest would leave one of three resources
overcommitted: dom0's memory, dom0's CPUs, or the host's RAM beside dom0.

It counts for every request but rebuilds, and for each server of a request
for several. The refusal codes are ``dom0_memory``, ``dom0_cpu`` and
``host_memory``.

Possible values:

* ``false``: such hosts only weigh less, if Dom0HeadroomWeigher is enabled.
  The default.
* ``true``: they are refused. Measure your own hosts first.

Two schedulers may choose one host at one moment. nova-compute-xen reads this
option in its own nova.conf: where it is true, the host itself judges a guest
once more before it is built or comes by live migration. nova then tries the
next host; BuildFailureWeigher counts a refused boot as a failed one. An
evacuated, unshelved or rebuilt guest has no other host, so that there it is
only logged. Whatever the option is, a guest for which Xen itself has not
enough RAM left is refused so.
""",
    ),
]
