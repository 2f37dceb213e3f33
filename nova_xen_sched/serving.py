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

"""dom0 and the guests that it serves, once for all hosts that are alike."""

from __future__ import annotations

from typing import Dict
from typing import Optional
from typing import Tuple

from nova_xen_sched import conf
from nova_xen_sched.facts.gather import HostFacts
from nova_xen_sched.headroom import Serves

#: Of a host whose guests nova knows: whether the guest that is asked for
#: would be one more, and how many HVM, PV and PVH guests there are.
Mix = Tuple[bool, int, int, int]


class Serving(
    Dict[
        Tuple[HostFacts, Optional[str], int, Optional[Mix]],
        Tuple[Serves, Optional[float], int],
    ]
):
    """dom0 and the guests that it serves, worked out once for hosts alike.

    By what is known of the host, how many guests its stats report, how many
    nova counts, and the mix of those that it knows, None if it knows none.
    Each comes with the host's reserve, MiB, None if no fact says it, and with
    how many guests of this request are placed there already.

    :param settings: whose defaults stand for what is not known.
    :param mode: the model's mode of the guest that is asked for.
    :param average: as for census.Census.apart().
    :param tracked: as for census.Census.
    """

    def __init__(
        self,
        settings: conf.Settings,
        mode: str,
        average: bool,
        tracked: bool = True,
    ) -> None:
        super().__init__()
        self._settings = settings
        self._mode = mode
        self._average = average
        self._tracked = tracked

    def __missing__(
        self, key: tuple[HostFacts, str | None, int, Mix | None]
    ) -> tuple[Serves, float | None, int]:
        known, reported, counted, mix = key
        memory_mb, vcpus, reserved_mb = self._sizes(known)
        # num_instances counts those placed by this very request, which have
        # its mode; the stats have what the compute last reported.
        there = int(reported) if reported is not None else 0
        placed = max(counted - there, 0)
        coming, hvm, pv, pvh = mix or (True, 0, 0, 0)
        # nova may track more guests than were reported yet.
        unknown = max(there - hvm - pv - pvh, 0)
        guests = {'hvm': hvm, 'pv': pv, 'pvh': pvh, None: unknown}
        guests[self._mode] += placed
        on_average = self._average and (unknown or not self._tracked)
        guests[None if on_average else self._mode] += coming
        hvm, pv, pvh, unknown = guests.values()
        found = self[key] = (
            (memory_mb, vcpus, hvm, pv, pvh, unknown),
            reserved_mb,
            placed,
        )
        return found

    def _sizes(self, known: HostFacts) -> tuple[float, float, float | None]:
        """dom0's memory and vCPUs and the host's reserve."""
        memory = known.get('dom0_memory_mb')
        vcpus = known.get('dom0_vcpus')
        reserved = known.get('reserved_host_memory_mb')
        return (
            memory.value if memory else self._settings.dom0_memory_mb,
            vcpus.value if vcpus else self._settings.dom0_vcpus,
            reserved.value if reserved else None,
        )
