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
from typing import FrozenSet
from typing import Iterable
from typing import Sequence

from nova_xen_sched import aggregates
from nova_xen_sched import facts
from nova_xen_sched import notices


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
    ) -> facts.Lookup:
        """A lookup, good for one request.

        :param host_states: the request's nova HostStates.
        :param wanted: the names of the facts that matter.
        """
        return _Lookup(facts.select(wanted))


class _Lookup(facts.Lookup):
    def __init__(self, names: tuple[facts.Name, ...]) -> None:
        self._said = _Said(names)
        self._merged = _Merged(names)

    def all(self, host_states: Sequence[Any]) -> Iterable[facts.Answer]:
        said = self._said.to(host_states)
        found = list(map(self._merged.__getitem__, said))
        if self._said.bad:
            notices.unreadable('aggregates', self._said.bad)
        return found


class _Said(aggregates.Said[facts.Answer]):
    """Answers by aggregate.

    :ivar bad: what can't be read, by where it stands.
    """

    def __init__(self, names: tuple[facts.Name, ...]) -> None:
        super().__init__()
        self.bad: dict[str, str] = {}
        self._names = names
        self._keys = [name.metadata_key for name in names]
        self._wanted = frozenset(self._keys)
        # Aggregates that say the same share one answer.
        self._shared: dict[tuple[Any, ...], facts.Answer] = {}

    def read(self, aggregate: Any) -> facts.Answer:
        metadata = aggregate.metadata
        if self._wanted.isdisjoint(metadata):
            return facts.NOTHING
        values = tuple(map(metadata.get, self._keys))
        answer = self._shared.get(values)
        if answer is None:
            known_bad = len(self.bad)
            answer = _read(aggregate, self._names, values, self.bad)
            if len(self.bad) == known_bad:
                self._shared[values] = answer
        return answer


class _Merged(Dict[FrozenSet[facts.Answer], facts.Answer]):
    """One answer from those of a host's aggregates."""

    def __init__(self, names: tuple[facts.Name, ...]) -> None:
        super().__init__()
        self._names = names

    def __missing__(self, answers: frozenset[facts.Answer]) -> facts.Answer:
        found = list(filter(None, answers))
        if len(found) > 1:
            answer = _merge(self._names, found)
        else:
            answer = found[0] if found else facts.NOTHING
        self[answers] = answer
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
