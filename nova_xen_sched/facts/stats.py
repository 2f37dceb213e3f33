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

from nova_xen_sched import facts

_KEYS = tuple((name.name, name.stats_key) for name in facts.NAMES)


class Source:
    """Reads HostState.stats, which a virt driver can add keys to."""

    def __init__(self, conf: Any) -> None:
        pass

    def for_request(self, host_states: Any) -> Callable[[Any], facts.Raw]:
        """What looks a nova HostState up."""
        return _read


def _read(state: Any) -> facts.Raw:
    # A node that never reported has none.
    stats = getattr(state, 'stats', {})
    return {name: stats[key] for name, key in _KEYS if key in stats}
