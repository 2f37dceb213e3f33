# SPDX-License-Identifier: Apache-2.0

"""Small clouds, with guests where a test wants them."""

from __future__ import annotations

from nova_xen_sched import conf
from nova_xen_sched import dom0
from nova_xen_sched.planner.cloud import Cloud
from nova_xen_sched.planner.cloud import Destinations
from nova_xen_sched.planner.cloud import Guest
from nova_xen_sched.planner.cloud import Host
from nova_xen_sched.planner.cloud import Operation

MODEL = conf.defaults().dom0_model


def cloud(slots, guests, **more):
    """HVM guests of 512 MiB and 1 vCPU on hosts of one letter.

    :param slots: by host, how many of them fill its dom0's memory.
    :param guests: the host of each.
    :param more: for all of them.
    """
    loads = {
        name: dom0.Load(
            65536, MODEL.base_memory_mb + count * MODEL.hvm_memory_mb, 16
        )
        for name, count in slots.items()
    }
    found = []
    to_all = Destinations({name: [{}] for name in slots}, {})
    for number, host in enumerate(guests):
        loads[host] = MODEL.plus(loads[host], 'hvm', 512, 1)
        found.append(
            Guest(
                **{
                    'uuid': 'uuid-%d' % number,
                    'name': 'guest%d' % number,
                    'host': host,
                    'mode': 'hvm',
                    'memory_mb': 512,
                    'vcpus': 1,
                    'holds': {},
                    'destinations': {
                        Operation.LIVE: to_all,
                        Operation.COLD: to_all,
                    },
                    **more,
                }
            )
        )
    return Cloud(
        MODEL, {name: Host(name, loads[name]) for name in slots}, found, {}
    )
