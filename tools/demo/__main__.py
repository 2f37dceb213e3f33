# SPDX-License-Identifier: Apache-2.0

"""``make demo``: a real nova-scheduler, this plugin, and some requests."""

from __future__ import annotations

import logging
import sys

# isort: split
import tests.functional  # noqa: F401  before any other import of nova

# isort: split
from nova import version

from tests.functional import cloud
from tools import printing
from tools.demo import guest_types
from tools.demo import headroom
from tools.demo import live_migration
from tools.demo import stage

FILTERS = """
[filter_scheduler]
available_filters = nova.scheduler.filters.all_filters
available_filters = nova_xen_sched.filters.all_filters
enabled_filters = ComputeFilter,ComputeCapabilitiesFilter,XenHostFilter,\
ServerGroupAntiAffinityFilter,ServerGroupAffinityFilter
weight_classes = nova.scheduler.weights.all_weighers,\
nova_xen_sched.weights.all_weighers
"""


class DemoCloud(cloud.Cloud):
    """The operator's part of nova.conf, as the documentation has it."""

    # A nova-compute of today proves a libvirt of today by its service
    # version; leaving that source out lets one host be unknown.
    NOVA_CONF = (
        FILTERS
        + """
[xen_scheduler]
disk_formats = raw,qcow2,vhd
fact_sources = stats,file,aggregate
dom0_headroom_weight_multiplier = 0
"""
    )


def main() -> int:
    progress = printing.Progress()
    release = version.version_string()
    count = len(guest_types.profiles())
    progress('starting nova %s with %d computes ...' % (release, count))
    with cloud.running(DemoCloud, guest_types.profiles()) as running:
        progress.done()
        printing.heading(
            'nova %s in one process: api, conductor, scheduler, placement '
            'and %d computes' % (release, count)
        )
        print("The operator's part of nova.conf:\n")
        printing.indented(DemoCloud.NOVA_CONF.strip())
        printing.heading('The hosts')
        guest_types.show_hosts(running)
        printing.heading('Guest types')
        print(
            '    Each request with the host that was chosen, and every '
            'refused host with the reason.\n'
            "    stock nova: what nova's weighers choose behind "
            'ImagePropertiesFilter.\n'
        )
        play = stage.Stage(running, progress)
        guest_types.play(play)
        live_migration.play(play, FILTERS)
        headroom.play(play, FILTERS)
        # nova has nothing to say that matters while it is taken down.
        logging.disable(logging.CRITICAL)
    scenes = play.scenes
    print(
        '%d requests in %.0f s. Stock nova, with ImagePropertiesFilter, '
        'would have sent %d of\nthem to a host that cannot run the guest; '
        'XenHostFilter sent %s.'
        % (
            len(scenes),
            progress.seconds,
            sum(s.cannot_run(s.stock_chooses) for s in scenes),
            sum(s.cannot_run(s.outcome) for s in scenes) or 'none',
        )
    )
    return 0


if __name__ == '__main__':
    sys.exit(main())
