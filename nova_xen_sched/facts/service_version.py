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

import operator
from typing import Any
from typing import Dict
from typing import Iterable
from typing import Sequence

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

    def for_request(self, host_states: Iterable[Any]) -> facts.Lookup:
        """A lookup, good for one request.

        :param host_states: the request's nova HostStates.
        """
        return _Lookup()


#: HostState.service is nova's own read-only dict, a UserDict: what it holds
#: is read a third as fast through its own getter.
_service_of = operator.attrgetter('service.data')
_version_of = operator.itemgetter('version')


class _Lookup(facts.Lookup):
    def __init__(self) -> None:
        self._answers = _Answers()

    def all(self, host_states: Sequence[Any]) -> Iterable[facts.Answer]:
        try:
            found = list(map(_version_of, map(_service_of, host_states)))
        except (AttributeError, KeyError, TypeError):
            found = list(map(_version, host_states))
        return map(self._answers.__getitem__, found)


def _version(state: Any) -> int | None:
    try:
        version: int = state.service['version']
    except (AttributeError, KeyError, TypeError):
        return None
    return version


class _Answers(Dict[Any, facts.Answer]):
    """Answers by the version of the service."""

    def __missing__(self, version: int | None) -> facts.Answer:
        floor = None if version is None else versions.libvirt_floor(version)
        answer = facts.NOTHING
        if floor is not None:
            answer = facts.Answer(
                libvirt_version=facts.AtLeast(versions.show(floor))
            )
        self[version] = answer
        return answer
