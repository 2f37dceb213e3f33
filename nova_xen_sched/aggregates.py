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

"""Which of a request's aggregates say anything that matters here.

A host has many aggregates, and few of them have metadata for this plugin;
reading an aggregate's metadata costs more than all else per host.
"""

from __future__ import annotations

import operator
from typing import Any
from typing import Iterable
from typing import List

_aggregates_of = operator.attrgetter('aggregates')


class Hosts(List[Any]):
    """A request's HostStates, which looks at all their aggregates once."""

    @property
    def distinct(self) -> dict[int, Any]:
        """Their aggregates by identity; kept, so that it stays theirs.

        nova replaces aggregates or edits them in place at any time, and
        keeps their id and updated_at: identity alone tells them apart, for as
        long as they live.
        """
        found: dict[int, Any] | None = getattr(self, '_distinct', None)
        if found is None:
            # nova's objects are hashed and compared by identity.
            every: set[Any] = set().union(*map(_aggregates_of, self))
            found = self._distinct = dict(zip(map(id, every), every))
        return found


class Relevant:
    """The aggregates of a request's hosts that have any of some keys.

    It is good for one request.

    :param host_states: the request's nova HostStates.
    :param keys: of the metadata.
    """

    def __init__(
        self, host_states: Iterable[Any], keys: Iterable[str]
    ) -> None:
        if not isinstance(host_states, Hosts):
            host_states = Hosts(host_states)
        wanted = frozenset(keys)
        self._hosts = host_states
        self.by_id: dict[int, Any] = {
            identity: aggregate
            for identity, aggregate in host_states.distinct.items()
            if not wanted.isdisjoint(aggregate.metadata)
        }

    def of(self, state: Any) -> list[int]:
        """The identities of a host's relevant aggregates, in its order."""
        by_id = self.by_id
        return [key for key in map(id, state.aggregates) if key in by_id]
