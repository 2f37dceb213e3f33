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
_EVERY = frozenset(_KEYS)
_NAMES = tuple(name.name for name in facts.NAMES)


def _reports(state: Any) -> bool:
    """Whether a host reports any fact."""
    try:
        return not _EVERY.isdisjoint(state.stats)
    except AttributeError:  # a node that never reported has no stats
        return False


class Source:
    """Reads HostState.stats, which a virt driver can add keys to."""

    def __init__(self, conf: Any) -> None:
        pass

    def for_request(
        self, host_states: Iterable[Any]
    ) -> Callable[[Any], facts.Raw] | None:
        """A lookup, good for one request; None if no host reports any fact.

        :param host_states: the request's nova HostStates.
        """
        if not any(map(_reports, host_states)):
            return None
        # Hosts with the same values share one dict, so that it is read once.
        known: dict[tuple[Any, ...], facts.Raw] = {}

        def lookup(state: Any) -> facts.Raw:
            if not _reports(state):
                return facts.NOTHING
            values = tuple(map(state.stats.get, _KEYS))
            raw = known.get(values)
            if raw is None:
                raw = known[values] = {
                    name: value
                    for name, value in zip(_NAMES, values)
                    if value is not None
                }
            return raw

        return lookup
