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

import itertools
import operator
from typing import Any
from typing import Dict
from typing import Iterable
from typing import Sequence
from typing import Tuple

from nova_xen_sched import facts

_stats_of = operator.attrgetter('stats')


class Source:
    """Reads HostState.stats, which a virt driver can add keys to."""

    #: It takes the facts that are wanted.
    selective = True

    def __init__(self, conf: Any) -> None:
        pass

    def for_request(
        self,
        host_states: Iterable[Any],
        wanted: frozenset[str] = facts.EVERY,
    ) -> facts.Lookup:
        """A lookup, good for one request.

        :param host_states: the request's nova HostStates.
        :param wanted: the names of the facts that matter.
        """
        return _Lookup(facts.select(wanted))


class _Lookup(facts.Lookup):
    def __init__(self, names: tuple[facts.Name, ...]) -> None:
        self._keys = [name.stats_key for name in names]
        self._answers = _Answers(names)

    def all(self, host_states: Sequence[Any]) -> Iterable[facts.Answer]:
        try:
            stats = list(map(_stats_of, host_states))
        except AttributeError:  # a node that never reported has none
            stats = [getattr(each, 'stats', {}) for each in host_states]
        columns = [
            map(dict.get, stats, itertools.repeat(key)) for key in self._keys
        ]
        return map(self._answers.__getitem__, zip(*columns))


class _Answers(Dict[Tuple[Any, ...], facts.Answer]):
    """Answers by values: hosts with the same share one, to be read once."""

    def __init__(self, names: tuple[facts.Name, ...]) -> None:
        super().__init__()
        self._names = names
        self[(None,) * len(names)] = facts.NOTHING

    def __missing__(self, values: tuple[Any, ...]) -> facts.Answer:
        answer = self[values] = facts.Answer(
            (name.name, value)
            for name, value in zip(self._names, values)
            if value is not None
        )
        return answer
