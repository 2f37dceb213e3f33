# SPDX-License-Identifier: Apache-2.0

"""Facts in the metadata of a host's aggregates."""

from __future__ import annotations

import typing as ty

from nova_xen_sched import facts
from nova_xen_sched import log


class Source:
    """Reads ``xen:...`` keys; of several aggregates the lowest value counts.

    For libvirt_migration_backports that is false, for observed_at the
    oldest.
    """

    def __init__(self, conf: ty.Any) -> None:
        pass

    def for_request(
        self, host_states: ty.Iterable[ty.Any]
    ) -> ty.Callable[[ty.Any], facts.Raw]:
        """What looks a nova HostState up.

        nova replaces aggregates or edits them in place at any time, and keeps
        their id and updated_at. So nothing of them outlives a request, and
        they are told apart by identity, which is how nova's objects compare.

        :param host_states: the request's nova HostStates.
        """
        noticed = log.Noticed(by_text=True)
        # Read for each host, they cost XenHostFilter 14 us a host, not 7.
        known = {}
        for each in of(host_states):
            try:
                raw = read(each, noticed)
            except Exception:  # noqa: BLE001  the others count all the same
                log.unexpected('reading an aggregate; it is skipped')
                continue
            if raw:
                known[each] = raw
        noticed.warn()
        # Three with facts a host, merged for each: 43 us a host, not 12.
        merged: dict[tuple[int, ...], facts.Raw] = {}

        def lookup(state: ty.Any) -> facts.Raw:
            found = [known[each] for each in state.aggregates if each in known]
            if len(found) < 2:
                return found[0] if found else {}
            key = tuple(map(id, found))
            if key not in merged:
                merged[key] = merge(found)
            return merged[key]

        return lookup


def of(host_states: ty.Iterable[ty.Any]) -> set[ty.Any]:
    """All aggregates of hosts; none of a host whose own can't be read.

    :param host_states: nova HostStates.
    """
    aggregates: set[ty.Any] = set()
    for state in host_states:
        try:
            aggregates.update(state.aggregates)
        except Exception:  # noqa: BLE001, S112  the others still count
            continue
    return aggregates


def read(aggregate: ty.Any, noticed: log.Noticed) -> facts.Raw:
    """The facts in one aggregate's metadata that can be read.

    :param noticed: gets the others.
    """
    metadata, owner = aggregate.metadata, ''
    raw: facts.Raw = {}
    for name in facts.NAMES:
        value = metadata.get(name.metadata_key)
        if value is None:
            continue
        owner = owner or log.shown(aggregate.name)
        place = '%s of aggregate %s' % (name.metadata_key, owner)
        if noticed.read(name.parse, value, 'aggregates', place) is not None:
            raw[name.name] = value
    return raw


def merge(found: ty.Sequence[facts.Raw]) -> facts.Raw:
    """The facts of a host in several aggregates: the lowest of each."""
    raw: facts.Raw = {}
    for name in facts.NAMES:
        values = [each[name.name] for each in found if name.name in each]
        if values:
            raw[name.name] = name.lowest(values)
    return raw
