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

import datetime
from importlib import metadata
from typing import Any
from typing import Callable
from typing import Iterable
from typing import Iterator
from typing import Sequence

import stevedore

from nova_xen_sched import conf
from nova_xen_sched import facts
from nova_xen_sched import notices
from nova_xen_sched import redact
from nova_xen_sched.facts import merge

LOG = redact.logger(__name__)

NAMESPACE = 'nova_xen_sched.facts'

Lookup = Callable[[Any], facts.Raw]
HostFacts = merge.HostFacts
NOTHING_KNOWN = merge.NOTHING_KNOWN


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
                config, 'fact_sources', '%s stands there twice' % name
            )
        if name not in installed:
            raise conf.OptionError(
                config,
                'fact_sources',
                '%s is not installed; there are %s'
                % (name, ', '.join(installed) or 'none'),
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


class _OneByOne(facts.Lookup):
    """A site's own lookup, which knows one host at a time and any dict.

    :param name: of the source.
    """

    def __init__(self, name: str, lookup: Lookup) -> None:
        self._name = name
        self._lookup = lookup

    def all(self, host_states: Sequence[Any]) -> Iterator[facts.Answer]:
        return map(self._answer, host_states)

    def _answer(self, state: Any) -> facts.Answer:
        try:
            # A copy, since it may be one dict that is changed for each host.
            # None is as good as an empty answer.
            return facts.Answer(self._lookup(state) or ())
        except Exception:  # noqa: BLE001  a site's own source may do that
            _source_failed(self._name)
            return facts.NOTHING


class Request:
    """Looks up the facts of hosts during one request.

    What was learned is kept by the sources' answers, and is gone with the
    request.
    """

    def __init__(
        self,
        lookups: list[tuple[str, Lookup]],
        oldest: datetime.datetime | None = None,
    ) -> None:
        self._names = [name for name, _ in lookups]
        self._lookups = [
            lookup
            if isinstance(lookup, facts.Lookup)
            else _OneByOne(name, lookup)
            for name, lookup in lookups
        ]
        self._known = merge.Merged(self._names, oldest)
        self._remarked: dict[merge.Remark, tuple[str, list[str]]] = {}

    @property
    def asks(self) -> bool:
        """Whether any source is asked."""
        return bool(self._lookups)

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
        try:
            found = self._ask(self._lookups, states)
        except Exception:  # noqa: BLE001  one host is to blame, for one source
            one_by_one = [
                _OneByOne(name, lookup)
                for name, lookup in zip(self._names, self._lookups)
            ]
            found = self._ask(one_by_one, states)
        if self._known.remarked:
            self._note(states, found)
        return found

    def _ask(
        self, lookups: Sequence[facts.Lookup], states: Sequence[Any]
    ) -> list[HostFacts]:
        columns = [lookup.all(states) for lookup in lookups]
        return list(map(self._known.__getitem__, zip(*columns)))

    def _note(self, states: Sequence[Any], found: list[HostFacts]) -> None:
        for state, each in zip(states, found):
            for kind, sentence in each.remarks:
                _, hosts = self._remarked.setdefault(kind, (sentence, []))
                hosts.append(str(state.host))

    def done(self) -> None:
        """Say what was noticed, of all hosts at once."""
        for kind, (sentence, hosts) in self._remarked.items():
            notices.warn_of(kind, sentence, dict(zip(hosts, hosts)))
