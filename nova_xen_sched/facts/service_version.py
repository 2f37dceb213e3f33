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

"""The libvirt that a nova-compute needs at least to start."""

from __future__ import annotations

from typing import Any
from typing import Callable
from typing import Iterable

from nova_xen_sched import facts
from nova_xen_sched import versions


class Source:
    """Reads the version of a host's nova-compute service.

    It proves a lower bound only, and only of the libvirt driver, so it is
    asked about Xen hosts alone. A vendor's nova-compute may have lowered its
    minimum; then leave this source out.
    """

    #: The facts that it can know, so that it isn't asked for others.
    knows = frozenset({'libvirt_version'})

    def __init__(self, conf: Any) -> None:
        pass

    def for_request(
        self, host_states: Iterable[Any]
    ) -> Callable[[Any], facts.Raw]:
        """A lookup, good for one request.

        :param host_states: the request's nova HostStates.
        """
        known: dict[int, facts.Raw] = {}

        def lookup(state: Any) -> facts.Raw:
            try:
                version = state.service['version']
            except (AttributeError, KeyError, TypeError):
                return facts.NOTHING
            raw = known.get(version)
            if raw is None:
                raw = known[version] = _raw(version)
            return raw

        return lookup


def _raw(service_version: int) -> facts.Raw:
    floor = versions.libvirt_floor(service_version)
    if floor is None:
        return facts.NOTHING
    return {'libvirt_version': facts.AtLeast(versions.show(floor))}
