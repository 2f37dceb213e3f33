# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.


"""The checks of nova-xen-sched-status upgrade check, one module a topic.

A check is a plain function of a Situation that returns a Finding, and an
entry in CHECKS with its name.
"""

from __future__ import annotations

from nova_xen_sched.status import facts
from nova_xen_sched.status import hosts
from nova_xen_sched.status import neighbours
from nova_xen_sched.status import plugins
from nova_xen_sched.status import reserves
from nova_xen_sched.status.situation import Check

#: In the order in which they are shown.
CHECKS: tuple[Check, ...] = (
    Check('XenHostFilter enabled', plugins.filter_enabled),
    Check('Dom0HeadroomWeigher enabled', plugins.weigher_enabled),
    Check('Option names', plugins.option_names),
    Check('ImagePropertiesFilter', plugins.image_properties_filter),
    Check('Hosts that the rules refuse', hosts.refused),
    Check('Memory kept for dom0', hosts.reserved_memory),
    Check('reserved_host_memory_mb', reserves.counted),
    Check('Memory sold more than once', hosts.ram_allocation_ratio),
    Check('Facts file', facts.facts_file),
    Check('Facts for hosts that exist', facts.nonexistent),
    Check('Facts known', facts.unknown),
    Check('Facts readable and fresh', facts.remarks),
    Check('Multipliers', neighbours.multipliers),
    Check('HypervisorVersionWeigher', neighbours.hypervisor_version),
    Check('max_placement_results', neighbours.max_placement_results),
    Check(
        'AggregateImagePropertiesIsolation',
        neighbours.aggregate_image_properties_isolation,
    ),
)
