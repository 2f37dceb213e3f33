# SPDX-License-Identifier: Apache-2.0

"""All that the sources know of a host, the first source first."""

from __future__ import annotations

import dataclasses
import datetime
import functools
import typing as ty

import stevedore

from nova_xen_sched import conf
from nova_xen_sched import facts
from nova_xen_sched import log
from nova_xen_sched import versions

LOG = log.logger(__name__)

NAMESPACE = 'nova_xen_sched.facts'

Lookup = ty.Callable[[ty.Any], facts.Raw]

#: What a source knows of one fact: the source's name, the fact's, the value
#: as it stood there, its class (1 and True are equal), and whether it is older
#: than facts_max_age.
Reported = ty.Tuple[str, str, ty.Any, type, bool]

#: A kind of thing to warn of, and the sentence that is said of it.
Remark = ty.Tuple[ty.Tuple[str, ...], str]


@dataclasses.dataclass(frozen=True, eq=False)
class HostFacts:
    """What is known of a host; one object for hosts alike in a request.

    :ivar known: by name; a fact that no source knows is missing.
    :ivar remarks: things to warn of, once for all hosts of which they are
        true.
    """

    known: ty.Mapping[str, facts.Fact]
    remarks: ty.Tuple[Remark, ...] = ()

    def get(self, name: str) -> facts.Fact | None:
        return self.known.get(name)

    def value(self, name: str, default: ty.Any = None) -> ty.Any:
        fact = self.known.get(name)
        return fact.value if fact else default


#: Of hosts of which nothing was asked, or no source says anything.
NOTHING_KNOWN = HostFacts({})


class Gatherer:
    """The sources of a running nova-scheduler.

    :param config: nova's configuration.
    :param names: of the sources, the most trusted first.
    :raises conf.OptionError: if one of them is not installed, or stands there
        twice.
    """

    def __init__(self, config: ty.Any, names: ty.Sequence[str]) -> None:
        manager = stevedore.NamedExtensionManager(
            NAMESPACE,
            list(names),
            invoke_on_load=True,
            invoke_args=(config,),
            name_order=True,
            on_load_failure_callback=_load_failed,
            warn_on_missing_entrypoint=False,
        )
        installed = sorted(manager.entry_points_names())
        for name in names:
            why = ''
            if names.count(name) > 1:
                why = '%s is named twice' % name
            elif name not in installed:
                why = '%s is not installed; there are %s'
                why %= (name, ', '.join(installed) or 'none')
            if why:
                raise conf.OptionError(config, 'fact_sources', why)
        self._sources = [(each.name, each.obj) for each in manager]

    def for_request(
        self,
        host_states: ty.Sequence[ty.Any],
        wanted: ty.Collection[str],
        max_age_days: float = 0,
    ) -> RequestFacts:
        """What is needed to look up hosts during one request.

        :param host_states: the request's nova HostStates.
        :param wanted: the names of the facts that matter.
        :param max_age_days: after which facts are stale; 0 for never.
        """
        return RequestFacts(self._sources, host_states, wanted, max_age_days)


def _load_failed(
    _manager: ty.Any, entry_point: ty.Any, error: Exception
) -> None:
    if log.NOTICES.first(('source', entry_point.name)):
        LOG.error(
            "The source of facts %(name)s can't be loaded and is skipped: "
            '%(error)r',
            {'name': entry_point.name, 'error': error},
        )


def _source_failed(name: str) -> None:
    log.unexpected('reading the source of facts %s; it is skipped' % name)


class RequestFacts:
    """Looks up the facts of hosts during one request.

    It is made as Gatherer.for_request() says.
    """

    def __init__(
        self,
        sources: ty.Iterable[tuple[str, ty.Any]],
        host_states: ty.Sequence[ty.Any],
        wanted: ty.Collection[str],
        max_age_days: float,
    ) -> None:
        self._lookups: list[tuple[str, Lookup]] = []
        for name, source in sources if wanted else ():
            try:
                lookup = source.for_request(host_states)
            except Exception:  # noqa: BLE001  a site's own source may do that
                _source_failed(name)
                continue
            # A source that has nothing to say in this request has no lookup.
            if lookup is not None:
                self._lookups.append((name, lookup))
        self._wanted = tuple(sorted(wanted))
        # When facts must have been observed not to be stale.
        self._oldest: datetime.datetime | None = None
        if max_age_days:
            now = datetime.datetime.now(datetime.timezone.utc)
            self._oldest = now - datetime.timedelta(days=max_age_days)
        # Hosts of which the same is said share their facts, and so are alike.
        # Without it XenHostFilter took 21 us a host instead of 7.
        self._merged = functools.lru_cache(maxsize=None)(merge)
        #: What was odd.
        self.noticed = log.Noticed()

    def __call__(self, state: ty.Any) -> HostFacts:
        """The facts of a host.

        :param state: its nova HostState.
        """
        found: list[Reported] = []
        wanted, ages = self._wanted, self._oldest is not None
        for source, lookup in self._lookups:
            try:
                raw = lookup(state)
                if not raw:
                    continue
                stale = ages and self._is_stale(
                    state, source, raw.get('observed_at')
                )
                for name in wanted:
                    value = raw.get(name)
                    if value is not None:
                        kind = value.__class__
                        found.append((source, name, value, kind, stale))
            except Exception:  # noqa: BLE001  a site's own source may do that
                _source_failed(source)
        reported = tuple(found)
        try:
            merged = self._merged(reported)
        except TypeError:  # a site's own source may have values without hash
            merged = merge(reported)
        for kind, what in merged.remarks:
            self.noticed.add(what, str(state.host), kind=kind)
        return merged

    def _is_stale(self, state: ty.Any, source: str, observed: ty.Any) -> bool:
        """Whether facts are too old; when they were observed matters not."""
        if observed is None or self._oldest is None:
            return False
        try:
            return facts.parse_time(observed) < self._oldest
        except ValueError as e:
            kind, what = _unreadable(source, 'observed_at', observed, e)
            self.noticed.add(what, str(state.host), kind=kind)
            return False


def merge(reported: ty.Iterable[Reported]) -> HostFacts:
    """The facts of a host: each from the first source that knows it.

    :param reported: by the sources, the most trusted first.
    """
    remarks: dict[tuple[str, ...], str] = {}
    found: dict[str, facts.Fact] = {}
    for source, key, value, _, stale in reported:
        try:
            parsed = facts.BY_NAME[key].parse(value)
        except ValueError as e:
            remarks.update([_unreadable(source, key, value, e)])
            continue
        exact = not isinstance(value, facts.AtLeast)
        first = found.setdefault(key, facts.Fact(parsed, source, exact, stale))
        if first.exact and not exact and versions.older(first.value, parsed):
            version, least = versions.show(first.value), versions.show(parsed)
            remarks['below the bound', first.source, version, least] = (
                'libvirt %s from %s is used, although %s shows that '
                'nova-compute needs at least %s'
                % (version, first.source, source, least)
            )
        if stale:
            remarks['stale', source] = (
                'Facts from %s are older than facts_max_age and still used'
                % source
            )
    return HostFacts(found, tuple(remarks.items()))


def _unreadable(
    source: str, key: str, value: ty.Any, error: Exception
) -> Remark:
    """The remark on a value that can't be read."""
    return (
        ('unreadable', source, key),
        "%s from %s can't be read and is unknown, such as %s: %s"
        % (key, source, log.shown(value), error),
    )
