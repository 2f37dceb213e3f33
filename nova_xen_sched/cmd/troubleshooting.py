# SPDX-License-Identifier: Apache-2.0

"""Where to look when a host was chosen and it still fails."""

from __future__ import annotations

#: Where to look for what a step of nova's says.
PLACEMENT = (
    'compare: openstack resource provider inventory list, usage show and '
    'trait list, each of UUID'
)
#: Why nova's filters refuse a host: clauses.
FILTERS = {
    'ComputeFilter': 'its nova-compute is down or disabled',
    'AvailabilityZoneFilter': 'it is in another availability zone',
    'AggregateImagePropertiesIsolation': 'one of its aggregates is for images '
    'with other properties',
    'AggregateInstanceExtraSpecsFilter': 'none of its aggregates has the '
    "metadata that the flavor's extra specs ask for",
    'AggregateIoOpsFilter': 'it has as many builds, resizes and the like at a '
    'time as max_io_ops_per_host of its aggregates or of nova.conf allows',
    'AggregateMultiTenancyIsolation': 'one of its aggregates is for other '
    'projects',
    'AggregateNumInstancesFilter': 'it has as many servers as '
    'max_instances_per_host of its aggregates or of nova.conf allows',
    'AggregateTypeAffinityFilter': 'one of its aggregates is for other '
    'flavors (instance_type)',
    'AllHostsFilter': 'this filter refuses no host',
    'ComputeCapabilitiesFilter': "it lacks what the flavor's extra specs or "
    'the image name as capabilities',
    'ImagePropertiesFilter': "it doesn't offer the architecture, hypervisor "
    'type, vm_mode or hypervisor version that the image names',
    'IoOpsFilter': 'it has as many builds, resizes and the like at a time as '
    '[filter_scheduler] max_io_ops_per_host allows',
    'IsolatedHostsFilter': 'it is not for the image by [filter_scheduler] '
    'isolated_hosts and isolated_images',
    'JsonFilter': "the scheduler hint query doesn't hold there",
    'MetricsFilter': 'it does not report the metrics of [metrics] '
    'weight_setting',
    'NumInstancesFilter': 'it has as many servers as [filter_scheduler] '
    'max_instances_per_host allows',
    'ServerGroupAntiAffinityFilter': 'a server of the same server group is '
    'there, and the group has the policy anti-affinity',
    'ServerGroupAffinityFilter': 'the servers of the same server group are on '
    'another host, and the group has the policy affinity',
    'SameHostFilter': 'none of the servers of the hint same_host is there',
    'DifferentHostFilter': 'a server of the hint different_host is there',
    'SimpleCIDRAffinityFilter': 'its address is not in the network of the '
    'scheduler hints build_near_host_ip and cidr',
    'NUMATopologyFilter': 'no NUMA topology of the flavor or image fits there',
    'PciPassthroughFilter': 'it has no PCI device left as the flavor names',
}

#: The guide's "Troubleshoot Xen with libvirt", in its order.
ON_THE_HOST = (
    "/var/log/libvirt/libxl/ (libvirt's Xen driver; a file for each guest), "
    "/var/log/xen/ (Xen's tools; qemu-dm-*.log of the device models of HVM "
    'guests), and the log of nova-compute.'
)
LOGS = 'If the guest then fails on the host, see there: ' + ON_THE_HOST
