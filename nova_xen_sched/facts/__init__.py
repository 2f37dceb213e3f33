# SPDX-License-Identifier: Apache-2.0

"""Facts about hosts that nova doesn't know, each with its source.

This module says which facts there are and how their values are read. The
sources are in aggregate.py, file.py (and parse_file.py) and reported.py;
gather.py asks them, and makes one of what they know.

A source is made with nova's configuration, and its for_request(host_states)
returns a function from a HostState to a dict of raw values, or None if there
is nothing to look up. It is called in the request of a user, so that it must
not wait for a network.
"""

from __future__ import annotations

import dataclasses
import datetime
import functools
import re
import typing as ty

from nova_xen_sched import versions

#: What a source knows of a host: fact name -> value as it stood there.
Raw = ty.Dict[str, ty.Any]


class AtLeast(str):
    """A version that is known only to be reached, as text."""


#: Of numbers: it has 18 digits, and fits wherever one is written.
LARGEST = 10**18 - 1


@dataclasses.dataclass(frozen=True)
class Fact:
    """One fact about a host.

    :ivar value: a Version, a number of MiB or vCPUs, a bool, or a datetime in
        UTC, as the fact's name says.
    :ivar source: the name of the source that knew it.
    :ivar exact: False for a version that is only known to be reached.
    :ivar stale: whether it was observed longer ago than facts_max_age.
    """

    value: ty.Any
    source: str
    exact: bool = True
    stale: bool = False


@dataclasses.dataclass(frozen=True)
class FactName:
    """One line of the table of facts.

    :ivar name: in the facts file, and everywhere in this package.
    :ivar stats_key: in what a compute reports.
    :ivar metadata_key: in an aggregate's metadata.
    :ivar parse: reads a value as it stood at its source; ValueError says
        what is wrong with it.
    """

    name: str
    stats_key: str
    metadata_key: str
    parse: ty.Callable[[ty.Any], ty.Any]

    def lowest(self, values: list[ty.Any]) -> ty.Any:
        """Of several readable values the one that promises least."""
        return min(values, key=self.parse)


def parse_version(raw: ty.Any) -> versions.Version:
    """A version, which must be text: a bare 4.10 in YAML reads as 4.1."""
    number = isinstance(raw, (int, float)) and not isinstance(raw, bool)
    # Python refuses to write very long ones.
    if number and abs(raw) <= LARGEST:
        raise ValueError('a version needs quotes: "%s"' % raw)
    if not isinstance(raw, str):
        raise ValueError('not a version like "1.2.15", in quotes')
    if versions.is_before_release(raw.strip()):
        raise ValueError(
            'a build before that release, which may lack what the release '
            'has: write the release before it'
        )
    try:
        return versions.parse(raw.strip())
    except ValueError as e:
        # Of a distribution: 6.0.0-0ubuntu8.
        found = versions.released(raw.strip())
        if found is None:
            raise
        raise ValueError('%s: write "%s"' % (e, found)) from None


def parse_bool(raw: ty.Any) -> bool:
    """true or false, as text in any case or as YAML has them."""
    if isinstance(raw, bool):
        return raw
    text = raw.strip().lower() if isinstance(raw, str) else None
    if text not in ('true', 'false'):
        raise ValueError('not true or false')
    return text == 'true'


def parse_natural(raw: ty.Any, least: int = 0) -> int:
    """A whole number, not below the least one."""
    if isinstance(raw, str) and re.fullmatch('[0-9]+', raw.strip()):
        digits = raw.strip()
        raw = int(digits) if len(digits) <= 18 else LARGEST + 1
    if not isinstance(raw, int) or isinstance(raw, bool):
        raise ValueError('not a whole number')
    if abs(raw) > LARGEST:
        raise ValueError('not a whole number of 1 to 18 digits')
    if raw < least:
        raise ValueError('not above 0' if least else 'below 0')
    return raw


_AMOUNT = re.compile(r'([0-9]{1,12}) *([MGT])i?B?', re.IGNORECASE)
_MIB = {'M': 1, 'G': 1024, 'T': 1024**2}


def parse_memory(raw: ty.Any, least: int = 0) -> int:
    """A whole number of MiB, not below the least one."""
    found = _AMOUNT.fullmatch(raw.strip()) if isinstance(raw, str) else None
    if found:
        raise ValueError(
            'not a number of MiB without a unit: write %d'
            % (int(found[1]) * _MIB[found[2].upper()])
        )
    return parse_natural(raw, least)


#: The forms of ISO 8601 and YAML, which no two releases of Python read alike.
_TIME = re.compile(
    r'(?:(\d{4})-(\d\d?)-(\d\d?)|(\d{4})(\d\d)(\d\d))'
    r'(?:(?:[Tt]|[ \t]+)(\d\d?)(?::?(\d\d)(?::?(\d\d)(?:[.,]\d+)?)?)?'
    r'[ \t]*(?:[Zz]|([+-])(\d\d?)(?::?(\d\d)(?::?(\d\d))?)?)?)?',
    re.ASCII,
)


def _time_of(text: str) -> datetime.datetime:
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError
    sign, *zone = found.groups()[9:]
    date = [part for part in found.groups()[:6] if part]
    year, month, day, hour, minute, second = (
        int(part or 0) for part in (*date, *found.groups()[6:9])
    )
    moment = datetime.datetime(  # noqa: DTZ001  parse_time() adds a zone
        year, month, day, hour, minute, second
    )
    if sign:
        hours, minutes, seconds = (int(part or 0) for part in zone)
        offset = datetime.timedelta(0, seconds, 0, 0, minutes, hours)
        zone_info = datetime.timezone(-offset if sign == '-' else offset)
        return moment.replace(tzinfo=zone_info)
    return moment


def parse_time(raw: ty.Any) -> datetime.datetime:
    """A point in time in ISO 8601; UTC if it names no zone.

    :returns: in UTC and whole seconds, as it is written again.
    """
    if isinstance(raw, str):
        try:
            raw = _time_of(raw.strip())
        except ValueError:  # a month 13, whose message differs by Python
            raw = None
    if not isinstance(raw, datetime.datetime):
        raise ValueError('not a time like "2026-11-22T10:00:00Z"')
    if raw.utcoffset() is None:
        raw = raw.replace(tzinfo=datetime.timezone.utc)
    try:
        return raw.astimezone(datetime.timezone.utc).replace(microsecond=0)
    except OverflowError as e:
        raise ValueError(
            'not a time that can be written in UTC with a year of four '
            'digits, 0001 to 9999'
        ) from e


NAMES: tuple[FactName, ...] = (
    FactName(
        'libvirt_version',
        'xen_libvirt_version',
        'xen:libvirt_version',
        parse_version,
    ),
    FactName(
        'libvirt_migration_backports',
        'xen_libvirt_migration_backports',
        'xen:libvirt_migration_backports',
        parse_bool,
    ),
    FactName('xen_version', 'xen_version', 'xen:version', parse_version),
    FactName(
        'dom0_memory_mb',
        'xen_dom0_memory_mb',
        'xen:dom0_memory_mb',
        functools.partial(parse_memory, least=1),
    ),
    FactName(
        'dom0_vcpus',
        'xen_dom0_vcpus',
        'xen:dom0_vcpus',
        functools.partial(parse_natural, least=1),
    ),
    FactName(
        'reserved_host_memory_mb',
        'xen_reserved_host_memory_mb',
        'xen:reserved_host_memory_mb',
        parse_memory,
    ),
    FactName(
        'observed_at',
        'xen_facts_observed_at',
        'xen:observed_at',
        parse_time,
    ),
)

BY_NAME: ty.Dict[str, FactName] = {name.name: name for name in NAMES}

#: The stats key of the RAM that Xen has left, MiB. It is no fact: it changes
#: with each guest, and only the compute itself can say it.
FREE_MEMORY = 'xen_free_memory_mb'

#: The stats key of what reports a node's stats: nova-compute-xen and its
#: version. It is no fact either; nova's own driver has no such key.
REPORTED_BY = 'xen_reported_by'
