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

"""Facts in the metadata of a host's aggregates."""

from __future__ import annotations

from typing import Any
from typing import Dict
from typing import Iterable
from typing import Sequence

from oslo_log import log as logging

from nova_xen_sched import aggregates
from nova_xen_sched import facts
from nova_xen_sched import notices

LOG = logging.getLogger(__name__)


class Source:
    """Reads ``xen:...`` keys; of several aggregates the lowest value counts.

    For libvirt_migration_backports that is false, for observed_at the
    oldest.
    """

    #: It takes the facts that are wanted.
    selective = True

    def __init__(self, conf: Any) -> None:
        pass

    def for_request(
        self,
        host_states: Iterable[Any],
        wanted: frozenset[str] = facts.EVERY,
    ) -> facts.Lookup | None:
        """A lookup, good for one request; None if no aggregate has facts.

        :param host_states: the request's nova HostStates.
        :param wanted: the names of the facts that matter.
        """
        names = facts.select(wanted)
        keys = [name.metadata_key for name in names]
        relevant = aggregates.Relevant(host_states, keys)
        if not relevant.metadata:
            return None
        bad: dict[str, str] = {}
        read: dict[Any, facts.Answer] = {}
        # Aggregates that say the same share one answer.
        shared: dict[tuple[Any, ...], facts.Answer] = {}
        for each, metadata in relevant.metadata.items():
            values = tuple(map(metadata.get, keys))
            answer = shared.get(values)
            if answer is None:
                known_bad = len(bad)
                answer = _read(each, names, values, bad)
                if len(bad) == known_bad:
                    shared[values] = answer
            read[each] = answer
        notices.unreadable('aggregates', bad)
        return _Lookup(relevant, _Answers(names, read))


class _Lookup(facts.Lookup):
    def __init__(
        self, relevant: aggregates.Relevant, answers: _Answers
    ) -> None:
        self._relevant = relevant
        self._answers = answers

    def all(self, host_states: Sequence[Any]) -> Iterable[facts.Answer]:
        return map(self._answers.__getitem__, self._relevant.of(host_states))


class _Answers(Dict[aggregates.Some, facts.Answer]):
    """Answers by the set of aggregates that have facts.

    :param read: what each of them says.
    """

    def __init__(
        self, names: tuple[facts.Name, ...], read: dict[Any, facts.Answer]
    ) -> None:
        super().__init__()
        self._names = names
        self._read = read
        # Sets of aggregates that say the same share one answer.
        self._merged: dict[frozenset[int], facts.Answer] = {}
        self[frozenset()] = facts.NOTHING

    def __missing__(self, some: aggregates.Some) -> facts.Answer:
        found = [self._read[each] for each in some]
        key = frozenset(map(id, found))
        answer = self._merged.get(key)
        if answer is None:
            answer = found[0] if len(key) == 1 else _merge(self._names, found)
            self._merged[key] = answer
        self[some] = answer
        return answer


def read(aggregate: Any, bad: dict[str, str]) -> facts.Raw:
    """All the facts in one aggregate's metadata that can be read.

    :param bad: gets the others.
    """
    values = (aggregate.metadata.get(n.metadata_key) for n in facts.NAMES)
    return _read(aggregate, facts.NAMES, tuple(values), bad)


def merge(found: list[facts.Raw]) -> facts.Raw:
    """The facts of a host in several aggregates: the lowest of each."""
    return _merge(facts.NAMES, found)


def _read(
    aggregate: Any,
    names: tuple[facts.Name, ...],
    values: tuple[Any, ...],
    bad: dict[str, str],
) -> facts.Answer:
    """The facts of one aggregate that can be read.

    :param values: what its metadata has for each of the names.
    :param bad: gets what can't be read.
    """
    answer = facts.Answer()
    for name, value in zip(names, values):
        if value is None:
            continue
        try:
            name.parse(value)
        except ValueError as e:
            where = '%s of aggregate %s' % (
                name.metadata_key,
                notices.shown(aggregate.name),
            )
            bad[where] = '%s: %s, %s' % (where, notices.shown(value), e)
        else:
            answer[name.name] = value
    return answer


def _merge(
    names: tuple[facts.Name, ...], found: Sequence[facts.Raw]
) -> facts.Answer:
    answer = facts.Answer()
    for name in names:
        values = [each[name.name] for each in found if name.name in each]
        if values:
            answer[name.name] = name.lowest(values)
    return answer
