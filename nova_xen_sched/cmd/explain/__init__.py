# SPDX-License-Identifier: Apache-2.0

"""What would happen to a request, and why: for the command explain.

A request goes the way that nova-scheduler sends it, through the same objects:
placement's candidates, nova's own choice of hosts, each enabled filter, each
weigher. Nothing here judges a host itself; it looks on and takes notes.
"""

from nova_xen_sched.request import Kind

#: What can be done with a server, and what kind of request that is.
OPERATIONS = {
    'boot': Kind.BOOT,
    'live-migrate': Kind.LIVE_MIGRATION,
    'cold-migrate': Kind.MOVE,
    'resize': Kind.MOVE,
    'unshelve': Kind.MOVE,
    'evacuate': Kind.EVACUATION,
    'rebuild': Kind.REBUILD,
}
