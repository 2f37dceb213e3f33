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
from typing import FrozenSet
from typing import Iterable
from typing import Iterator
from typing import List

_aggregates_of = operator.attrgetter('aggregates')


class Hosts(List[Any]):
    """A request's HostStates, which looks at all their aggregates once."""

    @property
    def distinct(self) -> list[tuple[Any, Any]]:
        """Their aggregates, each once, with its metadata as it is now.

        nova replaces aggregates or edits them in place at any time, and
        keeps their id and updated_at. So nothing of them outlives a request,
        and they are told apart by identity, which is how nova's objects
        compare.
        """
        found: list[tuple[Any, Any]] | None
        found = getattr(self, '_distinct', None)
        if found is None:
            every: set[Any] = set().union(*map(_aggregates_of, self))
            found = self._distinct = [(each, each.metadata) for each in every]
        return found


#: Aggregates, whatever their order.
Some = FrozenSet[Any]


class Relevant:
    """The aggregates of a request's hosts that have any of some keys.

    It is good for one request.

    :param host_states: the request's nova HostStates.
    :param keys: of the metadata.
    :ivar metadata: of each that is relevant.
    """

    def __init__(
        self, host_states: Iterable[Any], keys: Iterable[str]
    ) -> None:
        if not isinstance(host_states, Hosts):
            host_states = Hosts(host_states)
        wanted = frozenset(keys)
        self.metadata: dict[Any, Any] = {
            aggregate: metadata
            for aggregate, metadata in host_states.distinct
            if not wanted.isdisjoint(metadata)
        }
        self._every = frozenset(self.metadata)

    def of(self, host_states: Iterable[Any]) -> Iterator[Some]:
        """The relevant aggregates of each host.

        :param host_states: of those of the request.
        """
        return map(self._every.intersection, map(_aggregates_of, host_states))
