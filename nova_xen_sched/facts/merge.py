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

"""What the answers of all sources make of a host."""

from __future__ import annotations

import dataclasses
import datetime
import functools
from typing import Any
from typing import Dict
from typing import Mapping
from typing import Sequence
from typing import Tuple

from nova_xen_sched import facts
from nova_xen_sched import notices
from nova_xen_sched import versions

#: A kind of thing to warn of.
Remark = Tuple[str, ...]


@dataclasses.dataclass(frozen=True, eq=False)
class HostFacts:
    """What is known of a host; one object for all of which it is the same.

    :ivar known: by name; a fact that no source knows is missing.
    :ivar remarks: things to warn of, once for all hosts of which they are
        true: (kind, sentence). The sentence is one of its kind.
    """

    known: Mapping[str, facts.Fact]
    remarks: tuple[tuple[Remark, str], ...] = ()

    def get(self, name: str) -> facts.Fact | None:
        return self.known.get(name)


#: Of hosts of which nothing was asked, or no source says anything.
NOTHING_KNOWN = HostFacts({})


class Merged(Dict[Tuple[facts.Answer, ...], HostFacts]):
    """What is known, by the answers of the sources; good for one request.

    :param sources: their names, the most trusted first.
    :param oldest: when facts must have been observed not to be stale, None
        if they never are.
    :ivar remarked: whether there is anything to warn of.
    """

    def __init__(
        self, sources: Sequence[str], oldest: datetime.datetime | None
    ) -> None:
        super().__init__()
        self._sources = sources
        self._oldest = oldest
        self.remarked = False

    def __missing__(self, answers: tuple[facts.Answer, ...]) -> HostFacts:
        remarks: list[tuple[Remark, str]] = []
        read = [
            self._read(source, answer, remarks)
            for source, answer in zip(self._sources, answers)
        ]
        found: dict[str, facts.Fact] = {}
        for each in read:
            for name, fact in each.items():
                found.setdefault(name, fact)
        stated = found.get('libvirt_version')
        for each in read:
            bound = each.get('libvirt_version')
            if (
                stated is not None
                and stated.exact
                and bound is not None
                and not bound.exact
                and versions.older(stated.value, bound.value)
            ):
                remarks.append(
                    (
                        (
                            'below the bound',
                            stated.source,
                            versions.show(stated.value),
                            versions.show(bound.value),
                        ),
                        'libvirt %s, stated by %s, is used although %s says '
                        'that nova-compute needs %s at least'
                        % (
                            versions.show(stated.value),
                            stated.source,
                            bound.source,
                            versions.show(bound.value),
                        ),
                    )
                )
        merged = self[answers] = HostFacts(found, tuple(remarks))
        if remarks:
            self.remarked = True
        return merged

    def _read(
        self,
        source: str,
        answer: facts.Answer,
        remarks: list[tuple[Remark, str]],
    ) -> Mapping[str, facts.Fact]:
        """What one source says that can be read."""
        if not answer:
            return answer
        said = tuple((key, type(raw), raw) for key, raw in answer.items())
        try:
            read, unreadable = _read_before(source, said)
        except TypeError:  # a site's own source may say things without hash
            read, unreadable = _read(source, said)
        remarks += unreadable
        observed = read.get('observed_at')
        if (
            self._oldest is None
            or observed is None
            or observed.value >= self._oldest
        ):
            return read
        remarks.append(
            (
                ('stale', source),
                'Facts from %s are older than facts_max_age and still '
                'used' % source,
            )
        )
        return {
            key: dataclasses.replace(fact, stale=True)
            for key, fact in read.items()
        }


#: What one source says, as (name, type, value): '9.0.0' may be a version or
#: AtLeast one, which are equal.
_Said = Tuple[Tuple[str, type, Any], ...]


def _read(
    source: str, said: _Said
) -> tuple[Mapping[str, facts.Fact], Sequence[tuple[Remark, str]]]:
    """The facts that can be read, and remarks on what can't."""
    read: dict[str, facts.Fact] = {}
    remarks: list[tuple[Remark, str]] = []
    for key, _, raw in said:
        name = facts.BY_NAME.get(key)
        if name is None or raw is None:
            continue
        try:
            read[key] = facts.Fact(
                name.parse(raw), source, not isinstance(raw, facts.AtLeast)
            )
        except ValueError as e:
            remarks.append(
                (
                    ('unreadable', source, key),
                    "%s from %s can't be read and is unknown, such as "
                    '%s: %s' % (key, source, notices.shown(raw), e),
                )
            )
    return read, remarks


#: It depends on nothing but the words themselves, so it is right for as long
#: as one likes, whatever changes, and for all threads.
_read_before = functools.lru_cache(maxsize=4096)(_read)
