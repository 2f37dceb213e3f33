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

"""From what a host says of itself to facts, and to aggregate metadata."""

from __future__ import annotations

import datetime
from typing import Any
from typing import Mapping
from typing import NamedTuple
from typing import Tuple

from nova_xen_sched import facts
from nova_xen_sched.xenhost import FIXED
from nova_xen_sched.xenhost import XenHost


def now() -> str:
    """This moment as observed_at has it, in UTC and whole seconds."""
    moment = datetime.datetime.now(datetime.timezone.utc)
    return moment.strftime('%Y-%m-%dT%H:%M:%SZ')


def facts_of(host: XenHost, observed_at: str | None = None) -> facts.Raw:
    """The facts that a host states, by the names of facts.NAMES.

    Left out is what it doesn't know: Xen's version without the patch level,
    which nova has already, and the memory of a dom0 that balloons or whose
    size can't be told, because it is no size. Of a host that isn't Xen's
    nothing is stated.

    :param observed_at: when it was asked, now() if None.
    """
    stated: facts.Raw = {}
    if not host.is_xen:
        return stated
    if host.libvirt_version:
        stated['libvirt_version'] = host.libvirt_version
    if host.xen_version and host.xen_version.count('.') > 1:
        stated['xen_version'] = host.xen_version
    dom0 = host.dom0
    if dom0 and dom0.sizing == FIXED and dom0.memory_mb:
        stated['dom0_memory_mb'] = dom0.memory_mb
    if dom0 and dom0.vcpus:
        stated['dom0_vcpus'] = dom0.vcpus
    if stated:
        stated['observed_at'] = observed_at or now()
    return stated


def metadata_of(stated: Mapping[str, Any]) -> dict[str, str]:
    """A host's facts as the metadata of an aggregate.

    :param stated: fact name -> value, as a facts file has them.
    """
    return {
        name.metadata_key: _text(stated[name.name])
        for name in facts.NAMES
        if stated.get(name.name) is not None
    }


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return 'true' if value else 'false'
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    return str(value)


class Group(NamedTuple):
    """Hosts with equal facts, for one aggregate.

    :ivar hosts: nova's names of them, sorted.
    :ivar facts: what they have in common; observed_at, which doesn't tell
        hosts apart, is the oldest of them.
    """

    hosts: Tuple[str, ...]
    facts: facts.Raw

    @property
    def metadata(self) -> dict[str, str]:
        """The facts as the metadata of their aggregate."""
        return metadata_of(self.facts)


def groups_of(stated: Mapping[str, Mapping[str, Any]]) -> list[Group]:
    """Group hosts with equal facts, in the order of their first host.

    :param stated: nova's name of a host -> its facts; one without any is in
        no group.
    """
    found: dict[Tuple[Tuple[str, str], ...], list[str]] = {}
    for host in sorted(stated):
        own = {
            name: value
            for name, value in stated[host].items()
            if name != 'observed_at'
        }
        metadata = metadata_of(own)
        if metadata:
            found.setdefault(tuple(metadata.items()), []).append(host)
    return [_group(hosts, stated) for hosts in found.values()]


def _group(hosts: list[str], stated: Mapping[str, Mapping[str, Any]]) -> Group:
    common = dict(stated[hosts[0]])
    times = [
        stated[host]['observed_at']
        for host in hosts
        if stated[host].get('observed_at') is not None
    ]
    if times:
        common['observed_at'] = facts.BY_NAME['observed_at'].lowest(times)
    return Group(tuple(hosts), common)
