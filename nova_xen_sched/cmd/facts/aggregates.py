# SPDX-License-Identifier: Apache-2.0

"""What an aggregate of ours looks like: its name, its owner, its facts."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
import re
import typing as ty

from nova_xen_sched import facts
from nova_xen_sched import versions

MANAGED_BY = 'xen:managed_by'
OWNER = 'nova-xen-sched'
OBSERVED_AT = facts.BY_NAME['observed_at'].metadata_key
ZONE = 'availability_zone'

_NAME = re.compile('nova-xen-sched-[0-9a-f]{8}')
#: The metadata that is ours in an aggregate of ours; all else is left alone.
BY_KEY: ty.Dict[str, facts.Name] = {
    name.metadata_key: name for name in facts.NAMES
}

#: Facts as they stand in an aggregate's metadata.
Metadata = ty.Mapping[str, str]


@dataclasses.dataclass(frozen=True)
class Aggregate:
    """An aggregate as nova's API shows it."""

    id: int
    name: str
    metadata: Metadata = dataclasses.field(default_factory=dict)
    hosts: ty.FrozenSet[str] = frozenset()

    @property
    def owned(self) -> bool:
        """Whether it is ours to change.

        One that has got an availability zone is not: its hosts are in that
        zone, and adding or removing one would move guests between zones.
        """
        return (
            _NAME.fullmatch(self.name) is not None
            and self.metadata.get(MANAGED_BY) == OWNER
            and ZONE not in self.metadata
        )

    @property
    def bare(self) -> bool:
        """Whether nothing of anyone is in it.

        nova makes an aggregate first and takes its metadata then: this is
        what is left of a run that was interrupted between the two.
        """
        return not self.metadata and not self.hosts


def metadata_of(raw: facts.Raw) -> dict[str, str]:
    """Facts as metadata, one text for each value.

    :param raw: what a source knows of a host.
    :raises ValueError: if a value can't be read.
    """
    return {
        name.metadata_key: _text(name.parse(raw[name.name]))
        for name in facts.NAMES
        if raw.get(name.name) is not None
    }


def _text(value: ty.Any) -> str:
    if isinstance(value, bool):
        return 'true' if value else 'false'
    if isinstance(value, tuple):
        return versions.show(value)
    if isinstance(value, datetime.datetime):
        # strftime() writes the year 1 as 1.
        return value.isoformat().replace('+00:00', 'Z')
    return str(value)


def name_of(metadata: Metadata) -> str:
    """The name of the aggregate for hosts with these facts.

    When they were observed does not count, or each host would need an
    aggregate of its own; whether that is known does, so that no host gets
    another's time.
    """
    counted = {
        key: '' if key == OBSERVED_AT else value
        for key, value in metadata.items()
    }
    text = json.dumps(counted, sort_keys=True)
    return '%s-%s' % (OWNER, hashlib.sha256(text.encode()).hexdigest()[:8])


def readable(key: str, value: str | None) -> bool:
    """Whether the scheduler can read a fact in metadata."""
    if value is None:
        return False
    try:
        BY_KEY[key].parse(value)
    except ValueError:
        return False
    return True


def lowest(key: str, values: list[str]) -> str:
    """Of several readable values of a fact the one that promises least."""
    return str(BY_KEY[key].lowest(values))
