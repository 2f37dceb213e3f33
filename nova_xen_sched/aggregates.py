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

"""What the aggregates of a request's hosts say, each read once.

A host has many aggregates, and few of them have metadata for this plugin;
reading an aggregate's metadata costs more than all else per host.

nova replaces aggregates or edits them in place at any time, and keeps their
id and updated_at. So nothing of them outlives a request, and they are told
apart by identity, which is how nova's objects compare.
"""

from __future__ import annotations

import itertools
import operator
from typing import Any
from typing import Dict
from typing import FrozenSet
from typing import Hashable
from typing import Iterable
from typing import Iterator
from typing import TypeVar

_Said = TypeVar('_Said', bound=Hashable)

_aggregates_of = operator.attrgetter('aggregates')


def distinct(host_states: Iterable[Any]) -> set[Any]:
    """The aggregates of nova HostStates, each once."""
    return set().union(*map(_aggregates_of, host_states))


class Said(Dict[Any, _Said]):
    """What each aggregate says; good for one request."""

    def __missing__(self, aggregate: Any) -> _Said:
        said = self[aggregate] = self.read(aggregate)
        return said

    def read(self, aggregate: Any) -> _Said:
        """What one aggregate says; the same object for many of them."""
        raise NotImplementedError

    def to(self, host_states: Iterable[Any]) -> Iterator[FrozenSet[_Said]]:
        """All that is said of each host, whichever aggregate says it.

        :param host_states: nova HostStates.
        """
        one = itertools.repeat(self.__getitem__)
        return map(frozenset, map(map, one, map(_aggregates_of, host_states)))
