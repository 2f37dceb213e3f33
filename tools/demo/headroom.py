# SPDX-License-Identifier: Apache-2.0

"""Third part of the demo: hosts whose dom0 has room come first."""

from __future__ import annotations

import collections
import typing as ty

from nova_xen_sched import dom0
from nova_xen_sched import weights
from tests.functional import hosts
from tools import printing
from tools.demo import guest_types
from tools.demo import stage

OPTIONS = """
[xen_scheduler]
fact_sources = stats,file,aggregate
"""

COUNT = 7


def profiles() -> list[hosts.HostProfile]:
    """The larger the host, the smaller its dom0: nova sees only the host."""
    return [
        hosts.xen(
            name,
            'xen-4.17-hvm',
            stats={
                'xen_dom0_memory_mb': str(memory),
                'xen_dom0_vcpus': str(vcpus),
            },
            **guest_types.sized(size),
        )
        for name, size, memory, vcpus in (
            ('dom0-1g', 20, 1024, 2),
            ('dom0-2g', 16, 2048, 4),
            ('dom0-4g', 12, 4096, 8),
        )
    ]


def play(do: stage.Stage, filters: str) -> None:
    """Boot some guests at once; show how the last one was weighed."""
    cloud = do.cloud
    others = list(cloud.computes)
    do.progress('starting 3 more computes, disabling the others ...')
    cloud.start_hosts(profiles())
    for service in cloud.api.get_services(binary='nova-compute'):
        if service['host'] in others:
            cloud.api.put_service(service['id'], {'status': 'disabled'})
    cloud.rewrite_conf(filters + OPTIONS)
    hvm = cloud.create_image('hvm', hypervisor_type='xen', vm_mode='hvm')
    tables: list[ty.Any] = []
    cloud.on_asked = lambda asked: tables.append(_weigh(cloud, asked))
    do.progress('booting %d guests at once' % COUNT)
    try:
        servers = cloud.boot(hvm, count=COUNT)
        do.progress('booting one more')
        cloud.boot(hvm)
    finally:
        cloud.on_asked = None
    do.progress.done()
    placed = collections.Counter(cloud.host_of(each) for each in servers)
    _show(tables, placed)


def _weigh(cloud: ty.Any, asked: ty.Any) -> list[tuple[ty.Any, ...]]:
    """How nova's weighers rank the hosts, with ours and without."""
    manager = cloud.host_manager
    ours = next(
        each
        for each in manager.weighers
        if isinstance(each, weights.Dom0HeadroomWeigher)
    )
    handler = manager.weight_handler
    others = [each for each in manager.weighers if each is not ours]
    names = [profile.name for profile in profiles()]
    states = [state for state in asked.candidates if state.host in names]
    by_default = handler.get_weighed_objects(others, states, asked.spec)
    weighed = handler.get_weighed_objects(manager.weighers, states, asked.spec)
    alone = handler.get_weighed_objects([ours], states, asked.spec)
    share = {each.obj.host: each.weight for each in alone}
    ranks = [each.obj.host for each in by_default]
    rows = []
    for rank, each in enumerate(weighed, 1):
        state = each.obj
        resources = ours.resources(state, asked.spec)
        rows.append(
            (
                state.host,
                state.num_instances,
                *('%.0f %%' % (100 * left.headroom) for left in resources),
                str(dom0.scarcest(resources).resource),
                '%+.2f' % share[state.host],
                '%.2f' % each.weight,
                rank,
                ranks.index(state.host) + 1,
            )
        )
    return rows


def _show(tables: list[ty.Any], placed: ty.Any) -> None:
    printing.heading('Hosts whose dom0 has room come first')
    print(
        '    Three computes; the largest has the smallest dom0. '
        'Dom0HeadroomWeigher is enabled;\n'
        '    until here its multiplier was 0.\n'
    )
    printing.table(
        ('host', 'GiB', 'dom0 MiB', 'dom0 vCPUs', 'of %d guests' % COUNT),
        [
            (
                each.name,
                each.memory_mb // guest_types.GIB,
                int(each.stats['xen_dom0_memory_mb']),
                int(each.stats['xen_dom0_vcpus']),
                placed[each.name],
            )
            for each in profiles()
        ],
    )
    for rows, what in ((tables[0], 'The first'), (tables[-1], 'One more')):
        print('\n    %s: the headroom of each room with it, weighed\n' % what)
        printing.table(
            (
                'host',
                'guests',
                'dom0 memory',
                'dom0 CPU',
                'RAM',
                'scarcest',
                'headroom weight',
                'all weights',
                'rank',
                "nova's rank",
            ),
            rows,
        )
    print()
