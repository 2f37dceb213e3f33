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

"""Facts that the compute itself reports, in its stats."""

from __future__ import annotations

from typing import Any
from typing import Callable
from typing import Iterable

from nova_xen_sched import facts

_KEYS = tuple(name.stats_key for name in facts.NAMES)
_NAMES = tuple(name.name for name in facts.NAMES)


class Source:
    """Reads HostState.stats, which a virt driver can add keys to."""

    def __init__(self, conf: Any) -> None:
        pass

    def for_request(
        self, host_states: Iterable[Any]
    ) -> Callable[[Any], facts.Raw]:
        """A lookup, good for one request.

        :param host_states: the request's nova HostStates.
        """
        # Hosts with the same values share one dict, so that it is read once.
        known: dict[tuple[Any, ...], facts.Raw] = {
            (None,) * len(_KEYS): facts.NOTHING
        }

        def lookup(state: Any) -> facts.Raw:
            # A node that never reported has no stats.
            stats = getattr(state, 'stats', None)
            if not stats:
                return facts.NOTHING
            values = tuple(map(stats.get, _KEYS))
            raw = known.get(values)
            if raw is None:
                raw = known[values] = {
                    name: value
                    for name, value in zip(_NAMES, values)
                    if value is not None
                }
            return raw

        return lookup
