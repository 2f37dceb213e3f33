# SPDX-License-Identifier: Apache-2.0


"""The checks of nova-xen-sched-status upgrade check, one module a topic.

A check is a plain function of a Situation that returns a Finding, and an
entry in CHECKS with its name.
"""

from __future__ import annotations

from nova_xen_sched.cmd.upgrade_check import check_facts
from nova_xen_sched.cmd.upgrade_check import check_hosts
from nova_xen_sched.cmd.upgrade_check import check_other_plugins
from nova_xen_sched.cmd.upgrade_check import check_plugins
from nova_xen_sched.cmd.upgrade_check import check_reserves
from nova_xen_sched.cmd.upgrade_check.situation import Check

#: In the order in which they are shown.
CHECKS: tuple[Check, ...] = (
    Check('XenHostFilter enabled', check_plugins.filter_enabled),
    Check('Dom0HeadroomWeigher enabled', check_plugins.weigher_enabled),
    Check('Option names', check_plugins.option_names),
    Check('ImagePropertiesFilter', check_plugins.image_properties_filter),
    Check('Hosts that the rules refuse', check_hosts.refused),
    Check('Memory kept for dom0', check_hosts.reserved_memory),
    Check('reserved_host_memory_mb', check_reserves.counted),
    Check('Memory sold more than once', check_hosts.ram_allocation_ratio),
    Check('Facts file', check_facts.facts_file),
    Check('Facts for hosts that exist', check_facts.nonexistent),
    Check('Facts known', check_facts.unknown),
    Check('Facts readable and fresh', check_facts.remarks),
    Check('Multipliers', check_other_plugins.multipliers),
    Check('HypervisorVersionWeigher', check_other_plugins.hypervisor_version),
    Check('max_placement_results', check_other_plugins.max_placement_results),
    Check(
        'AggregateImagePropertiesIsolation',
        check_other_plugins.aggregate_image_properties_isolation,
    ),
)
