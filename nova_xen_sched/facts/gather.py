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

"""All that the sources know of a host, the first source first."""

from __future__ import annotations

import dataclasses
import datetime
from importlib import metadata
from typing import Any
from typing import Callable
from typing import Iterable
from typing import Mapping
from typing import Sequence
from typing import Tuple

from oslo_log import log as logging
import stevedore

from nova_xen_sched import conf
from nova_xen_sched import facts
from nova_xen_sched import notices
from nova_xen_sched import versions

LOG = logging.getLogger(__name__)

NAMESPACE = 'nova_xen_sched.facts'

Lookup = Callable[[Any], facts.Raw]
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


def available() -> list[str]:
    """The names of all sources that are installed; none is loaded."""
    every: Any = metadata.entry_points()
    if hasattr(every, 'select'):
        found = every.select(group=NAMESPACE)
    else:  # Python before 3.10
        found = every.get(NAMESPACE, ())
    return sorted({entry_point.name for entry_point in found})


#: One for each configuration (kept, so that its id stays its own) and list
#: of names.
_SHARED: dict[tuple[int, tuple[str, ...]], tuple[Any, Gatherer]] = {}


def shared(config: Any, names: tuple[str, ...]) -> Gatherer:
    """The sources that all plugins of one process share.

    :param config: nova's configuration.
    :param names: what fact_sources says.
    :raises conf.OptionError: if one of them is not installed.
    """
    entry = _SHARED.get((id(config), names))
    if entry is not None:
        return entry[1]
    installed = available()
    for name in names:
        if names.count(name) > 1:
            raise conf.OptionError(
                '[%s] fact_sources names %s twice' % (conf.GROUP.name, name)
            )
        if name not in installed:
            raise conf.OptionError(
                '[%s] fact_sources names %s, which is not installed; there '
                'are %s'
                % (conf.GROUP.name, name, ', '.join(installed) or 'none')
            )
    made = Gatherer(config, names)
    _SHARED[id(config), names] = (config, made)
    return made


class Gatherer:
    """The sources of a running nova-scheduler.

    :param conf: nova's configuration.
    :param names: of the sources, the most trusted first.
    """

    def __init__(self, conf: Any, names: Iterable[str]) -> None:
        self._sources: list[tuple[str, Any]] = []
        manager = stevedore.NamedExtensionManager(
            NAMESPACE,
            list(names),
            invoke_on_load=True,
            invoke_args=(conf,),
            name_order=True,
            on_load_failure_callback=_load_failed,
        )
        for each in manager:
            self._sources.append((each.name, each.obj))

    def for_request(
        self,
        host_states: list[Any],
        wanted: frozenset[str],
        max_age_days: float = 0,
    ) -> Request:
        """What is needed to look up hosts during one request.

        :param host_states: the request's nova HostStates.
        :param wanted: the names of the facts that matter; others may be left
            out.
        :param max_age_days: after which facts are stale; 0 for never.
        """
        if max_age_days:
            wanted |= {'observed_at'}
        lookups: list[tuple[str, Lookup]] = []
        for name, source in self._sources:
            # A source may say what it can know; else it is always asked.
            if wanted.isdisjoint(getattr(source, 'knows', wanted)):
                continue
            try:
                if getattr(source, 'selective', False):
                    lookup = source.for_request(host_states, wanted)
                else:
                    lookup = source.for_request(host_states)
            except Exception:  # noqa: BLE001  a site's own source may do that
                _source_failed(name)
                continue
            # A source that has nothing to say in this request has no lookup.
            if lookup is not None:
                lookups.append((name, lookup))
        oldest = None
        if max_age_days:
            oldest = datetime.datetime.now(
                datetime.timezone.utc
            ) - datetime.timedelta(days=max_age_days)
        return Request(lookups, oldest)


def _load_failed(_manager: Any, entry_point: Any, error: Exception) -> None:
    if notices.NOTICES.first(('source', entry_point.name)):
        LOG.error(
            "The source of facts %(name)s can't be loaded and is skipped: "
            '%(error)r',
            {'name': entry_point.name, 'error': error},
        )


def _source_failed(name: str) -> None:
    notices.unexpected('asking the source of facts %s; it is skipped' % name)


def _answers(
    name: str, lookup: Lookup, states: Sequence[Any]
) -> list[facts.Raw]:
    """What a source says of each host; nothing where it fails."""
    try:
        if isinstance(lookup, facts.Lookup):
            return list(lookup.all(states))
        return list(map(lookup, states))
    except Exception:  # noqa: BLE001  a site's own source may do that
        return [_answer(name, lookup, state) for state in states]


def _answer(name: str, lookup: Lookup, state: Any) -> facts.Raw:
    try:
        return lookup(state)
    except Exception:  # noqa: BLE001  as above
        _source_failed(name)
        return facts.NOTHING


class Request:
    """Looks up the facts of hosts during one request.

    What was learned is kept by the identity of the sources' answers, which
    are kept too, and is gone with the request.
    """

    def __init__(
        self,
        lookups: list[tuple[str, Lookup]],
        oldest: datetime.datetime | None = None,
    ) -> None:
        self._lookups = lookups
        self._oldest = oldest
        self._known: dict[tuple[int, ...], HostFacts] = {}
        self._kept: list[tuple[facts.Raw, ...]] = []
        self._remarked: dict[Remark, tuple[str, list[str]]] = {}

    def __call__(self, state: Any) -> HostFacts:
        """The facts of a host.

        :param state: its nova HostState.
        """
        return self.all((state,))[0]

    def all(self, states: Sequence[Any]) -> list[HostFacts]:
        """The facts of each host, in their order.

        :param states: nova HostStates.
        """
        if not self._lookups:
            return [NOTHING_KNOWN] * len(states)
        columns = [
            _answers(name, lookup, states) for name, lookup in self._lookups
        ]
        keys = list(zip(*(map(id, column) for column in columns)))
        remarks = False
        for key, answers in dict(zip(keys, zip(*columns))).items():
            facts_ = self._known.get(key)
            if facts_ is None:
                facts_ = self._known[key] = self._merge(answers)
                self._kept.append(answers)
            remarks = remarks or bool(facts_.remarks)
        found = list(map(self._known.__getitem__, keys))
        if remarks:
            self._note(states, found)
        return found

    def _note(self, states: Sequence[Any], found: list[HostFacts]) -> None:
        for state, facts_ in zip(states, found):
            for kind, sentence in facts_.remarks:
                _, hosts = self._remarked.setdefault(kind, (sentence, []))
                hosts.append(str(state.host))

    def done(self) -> None:
        """Say what was noticed, of all hosts at once."""
        for kind, (sentence, hosts) in self._remarked.items():
            notices.warn_of(kind, sentence, dict(zip(hosts, hosts)))

    def _merge(self, answers: tuple[facts.Raw, ...]) -> HostFacts:
        remarks: list[tuple[Remark, str]] = []
        read = []
        for (name, _), raw in zip(self._lookups, answers):
            try:
                # None is as good as an empty answer.
                read.append(self._read(name, raw or {}, remarks))
            except Exception:  # noqa: BLE001  a site's own source may say
                _source_failed(name)
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
        return HostFacts(found, tuple(remarks))

    def _read(
        self,
        source: str,
        raw: facts.Raw,
        remarks: list[tuple[Remark, str]],
    ) -> dict[str, facts.Fact]:
        """What one source says that can be read."""
        values: dict[str, tuple[Any, bool]] = {}
        for key, value in raw.items():
            name = facts.BY_NAME.get(key)
            if name is None or value is None:
                continue
            try:
                values[key] = (
                    name.parse(value),
                    not isinstance(value, facts.AtLeast),
                )
            except (ValueError, OverflowError) as e:
                remarks.append(
                    (
                        ('unreadable', source, key),
                        "%s from %s can't be read and is unknown, such as "
                        '%s: %s' % (key, source, notices.shown(value), e),
                    )
                )
        observed, _ = values.get('observed_at', (None, True))
        stale = (
            self._oldest is not None
            and observed is not None
            and observed < self._oldest
        )
        if stale:
            remarks.append(
                (
                    ('stale', source),
                    'Facts from %s are older than facts_max_age and still '
                    'used' % source,
                )
            )
        return {
            key: facts.Fact(value, source, exact, stale)
            for key, (value, exact) in values.items()
        }
