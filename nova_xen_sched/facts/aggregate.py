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
from typing import Callable
from typing import Iterable

from oslo_log import log as logging

from nova_xen_sched import aggregates
from nova_xen_sched import facts
from nova_xen_sched import notices

LOG = logging.getLogger(__name__)

_KEYS = tuple(name.metadata_key for name in facts.NAMES)


class Source:
    """Reads ``xen:...`` keys; of several aggregates the lowest value counts.

    For libvirt_migration_backports that is false, for observed_at the
    oldest.
    """

    def __init__(self, conf: Any) -> None:
        pass

    def for_request(
        self, host_states: Iterable[Any]
    ) -> Callable[[Any], facts.Raw] | None:
        """A lookup, good for one request; None if no aggregate has facts.

        :param host_states: the request's nova HostStates.
        """
        relevant = aggregates.Relevant(host_states, _KEYS)
        if not relevant.by_id:
            return None
        bad: dict[str, str] = {}
        stated = {
            identity: read(aggregate, bad)
            for identity, aggregate in relevant.by_id.items()
        }
        notices.unreadable('aggregates', bad)
        merged: dict[tuple[int, ...], facts.Raw] = {}

        def lookup(state: Any) -> facts.Raw:
            found = relevant.of(state)
            if not found:
                return facts.NOTHING
            if len(found) == 1:
                return stated[found[0]]
            key = tuple(found)
            raw = merged.get(key)
            if raw is None:
                raw = merged[key] = merge([stated[each] for each in found])
            return raw

        return lookup


def read(aggregate: Any, bad: dict[str, str]) -> facts.Raw:
    """The facts in one aggregate's metadata that can be read.

    :param bad: gets the others.
    """
    metadata = aggregate.metadata
    raw: facts.Raw = {}
    for name in facts.NAMES:
        value = metadata.get(name.metadata_key)
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
            raw[name.name] = value
    return raw


def merge(found: list[facts.Raw]) -> facts.Raw:
    """The facts of a host in several aggregates: the lowest of each."""
    raw: facts.Raw = {}
    for name in facts.NAMES:
        values = [each[name.name] for each in found if name.name in each]
        if values:
            raw[name.name] = name.lowest(values)
    return raw
