# SPDX-License-Identifier: Apache-2.0

"""Second part of the demo: hosts too old for live migration."""

from __future__ import annotations

import os
import typing as ty

from tests.functional import hosts
from tools import printing
from tools.demo import guest_types
from tools.demo import stage

#: The host facts file, with the last line to be filled in.
FACTS = """\
version: 1
patterns:
  - {match: "xen-*", libvirt_version: "9.0.0"}
hosts:
  mig-patched: {libvirt_version: "1.2.15", libvirt_migration_backports: true}
  mig-new: {libvirt_version: "9.0.0"}
"""
EDIT = '  mig-unknown: {libvirt_version: "9.0.0"}\n'

OPTIONS = """
[xen_scheduler]
live_migration_check = live_migration
min_libvirt_version = %s
unknown_version = refuse
fact_sources = stats,file,aggregate
dom0_headroom_weight_multiplier = 0
host_facts_file = %s
"""


def profiles() -> list[hosts.HostProfile]:
    """Four more computes, larger than those that are there."""
    return [
        hosts.xen(name, 'xen-4.17-hvm', **guest_types.sized(size))
        for name, size in (
            ('mig-old', 22),
            ('mig-patched', 20),
            ('mig-unknown', 18),
            ('mig-new', 16),
        )
    ]


def play(do: stage.Stage, filters: str) -> None:
    """Live-migrate a guest, while the facts about the hosts change."""
    cloud = do.cloud
    folder = os.path.dirname(cloud.nova_conf)
    path = os.path.join(folder, 'host-facts.yaml')

    def sighup(minimum: str) -> None:
        cloud.rewrite_conf(filters + OPTIONS % (minimum, path))

    def write(text: str) -> None:
        with open(path, 'w') as f:
            f.write(text)

    do.progress('starting 4 more computes ...')
    cloud.start_hosts(profiles())
    aggregate = cloud.create_aggregate(
        'old-libvirt', ['mig-old'], {'xen:libvirt_version': '1.2.5'}
    )
    write(FACTS)
    sighup('1.3.2')
    do.progress.done()
    _show(filters, path)

    hvm = cloud.create_image('hvm', hypervisor_type='xen', vm_mode='hvm')
    guest = do.request(
        'boot: an old libvirt counts for live migrations alone',
        lambda: cloud.boot(hvm),
    )

    def migrate(title: str) -> None:
        do.request(title, lambda: cloud.live_migrate(guest))

    migrate('live-migrate it')
    sighup('1.3.1')
    migrate('min_libvirt_version = 1.3.1, SIGHUP; live-migrate')
    write(FACTS + EDIT)
    migrate('the file gets a line for mig-unknown; live-migrate')
    cloud.set_aggregate_metadata(aggregate, {'xen:libvirt_version': '1.3.2'})
    migrate('the aggregate says 1.3.2 now; live-migrate')


def _show(filters: str, path: ty.Any) -> None:
    printing.heading('Hosts too old for live migration')
    print('    Four more computes, and what is known of their libvirt:\n')
    printing.table(
        ('host', 'libvirt', 'known from'),
        [
            ('mig-old', '1.2.5', 'aggregate, xen:libvirt_version'),
            (
                'mig-patched',
                '1.2.15 with backports: as 1.3.1',
                'host_facts_file',
            ),
            ('mig-unknown', 'unknown', ''),
            ('mig-new', '9.0.0', 'host_facts_file'),
            ('xen-*', '9.0.0', 'host_facts_file, a pattern'),
        ],
    )
    print()
    printing.indented(OPTIONS % ('1.3.2', 'host-facts.yaml'))
