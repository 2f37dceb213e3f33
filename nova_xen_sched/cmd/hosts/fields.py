# SPDX-License-Identifier: Apache-2.0

"""What host list, host show and capacity have, and what it is called."""

from __future__ import annotations

from nova_xen_sched.cmd import tables

Column, LONG = tables.Column, tables.LONG

_FITS = (
    'how many more guests of the kind that is counted fit: see '
    'nova-xen-sched help capacity'
)
_REFUSED = (
    "why the host takes no guest at all: XenHostFilter's or placement's code, "
    "or else the first of nova's enabled filters that refuses the host"
)

#: The columns of host list.
LIST = {
    'host': Column('Host', 'the host, as HOST:NODE where they differ'),
    'state': Column(
        'State', 'the state of its nova-compute: up, down or disabled'
    ),
    'guest_types': Column(
        'Guests',
        'the modes of guests that a Xen host runs; of other hosts the '
        'hypervisors',
    ),
    'xen': Column(
        'Xen', 'the version of Xen; 4.17 alone if the patch level is unknown'
    ),
    'xen_source': Column(
        'Xen from',
        'the source of facts that has the version; "stale" if the fact is '
        'older than facts_max_age; nova if no source has it',
        LONG,
    ),
    'libvirt': Column(
        'Libvirt',
        'the version of libvirt; >=4.0.0 if only a lower bound is known',
    ),
    'libvirt_source': Column('Libvirt from', 'likewise', LONG),
    'live_migration': Column(
        'Live',
        "yes, no or unknown: whether the host's libvirt can live-migrate "
        'guests, whatever live_migration_check and unknown_version are',
    ),
    'dom0_memory_mb': Column(
        'dom0 MiB',
        'the memory of dom0, MiB; "default" if there is no such fact',
        LONG,
    ),
    'dom0_vcpus': Column('dom0 vCPUs', 'likewise', LONG),
    'headroom': Column(
        'Left',
        "the share that is left of the fullest of dom0's resources; below 0 "
        'that resource is overcommitted',
    ),
    'scarcest': Column(
        'Runs out first',
        'what limits the guests that are counted: see nova-xen-sched help '
        'capacity',
        LONG,
    ),
    'fits': Column('Fits', _FITS),
    'refused': Column('Refused', _REFUSED),
}

#: The fields of host show, under their headings.
SHOW = {
    '': {
        'host': Column('Host', LIST['host'].text),
        'state': Column('State', LIST['state'].text),
        'hypervisor': Column(
            'Hypervisor', 'type and version, as nova has them'
        ),
        'service_version': Column(
            'nova-compute', 'the version of its service, as nova counts it'
        ),
        'guest_types': Column(
            'Guest types', 'the modes of guests, and their architectures'
        ),
    },
    'Versions': {
        'xen': Column('Xen', LIST['xen'].text + ', and the source'),
        'xen_source': Column('Xen from', 'the source', LONG),
        'libvirt': Column(
            'libvirt', LIST['libvirt'].text + ', and the source'
        ),
        'libvirt_source': Column('libvirt from', 'the source', LONG),
        'live_migration': Column(
            'Live migration', 'yes, no or unknown, and the code of the reason'
        ),
        'live_migration_why': Column('Reason', 'why, and what to do'),
        'observed_at': Column(
            'Facts read',
            'when the facts were read on the host, if that is known',
        ),
    },
    'dom0': {
        'dom0_memory_mb': Column(
            'Memory', 'MiB, and the source; "default" is nova.conf'
        ),
        'dom0_memory_mb_source': Column('Memory from', 'the source', LONG),
        'dom0_vcpus': Column('vCPUs', 'likewise'),
        'dom0_vcpus_source': Column('vCPUs from', 'the source', LONG),
    },
    'Guests': {
        'guests_hvm': Column('HVM', 'how many'),
        'guests_pv': Column('PV', 'how many'),
        'guests_pvh': Column('PVH', 'how many'),
        'guests_unknown': Column('Mode unknown', 'how many'),
    },
    'Resources': {
        'headroom': Column('Left', LIST['headroom'].text),
        'room_dom0_memory': Column(
            'dom0 memory', 'what guests take, and what there is for them'
        ),
        'room_dom0_memory_source': Column('known how', 'computed', LONG),
        'room_dom0_cpu': Column('dom0 vCPUs', 'likewise, in guests'),
        'room_dom0_cpu_source': Column('known how', 'computed', LONG),
        'room_host_memory': Column('Host memory', 'likewise'),
        'room_host_memory_source': Column(
            'known how', 'computed, or reported by Xen if that is less', LONG
        ),
    },
    'More guests': {
        'fits_of': Column('Counted', 'the kind of guest'),
        'fits': Column('Fits', _FITS),
        'scarcest': Column('Runs out first', LIST['scarcest'].text),
        'runs_out_first': Column('Runs out first', 'the same', LONG),
        'fits_dom0_memory': Column('by dom0 memory', 'how many'),
        'fits_dom0_cpu': Column('by dom0 vCPUs', 'how many'),
        'fits_host_memory': Column('by host memory', 'how many'),
        'fits_ram': Column('by MEMORY_MB', 'how many, by placement'),
        'fits_vcpus': Column('by VCPU', 'likewise'),
        'fits_disk': Column('by DISK_GB', 'likewise'),
        'refused': Column('Refused', _REFUSED),
        'refused_why': Column('Reason', 'in words'),
    },
    'Logs': {
        'logs': Column('See', 'the logs on the host'),
    },
}

#: The columns of capacity.
CAPACITY = {
    'host': LIST['host'],
    'fits': Column(
        'Fits',
        'how many more guests fit: the least of the columns of --long, 0 if '
        'the host is refused',
    ),
    'runs_out_first': Column(
        'Runs out first',
        'what limits the guests: one of those columns, or another resource '
        'class of placement',
    ),
    'dom0_memory': Column(
        'dom0 memory', "how many fit into dom0's memory", LONG
    ),
    'dom0_cpu': Column('dom0 vCPUs', "into dom0's vCPUs", LONG),
    'host_memory': Column(
        'Host memory',
        "into the host's memory beside dom0, by the dom0 model",
        LONG,
    ),
    'ram': Column('MEMORY_MB', 'into what placement has of it', LONG),
    'vcpus': Column('VCPU', 'likewise', LONG),
    'disk': Column(
        'DISK_GB',
        'likewise: less what is reserved, times the allocation ratio',
        LONG,
    ),
    'refused': Column('Refused', _REFUSED),
    'refused_why': Column('Reason', 'why the host is refused', LONG),
}

#: The columns of capacity --failures.
FAILURES = {
    'host': Column('Fails', 'the host that fails, or several together'),
    'guests': Column('Guests', 'how many it has'),
    'accepted': Column(
        'All accepted',
        'whether nova would start all of them elsewhere',
    ),
    'nowhere': Column(
        'Nowhere to go', 'the guests that it would start nowhere, and why'
    ),
    'overcommitted': Column(
        'Overcommits',
        'the hosts whose dom0 the others would overcommit',
    ),
    'empty': Column(
        'Start empty',
        'the guests that come back without what was on the disk of their '
        'host; how many',
    ),
}


def limit(name: str) -> str:
    """What limits guests, for a person: a resource, or a resource class.

    :param name: of the fits module's.
    """
    column = CAPACITY.get(name)
    return column.title if column else name.upper()
