# SPDX-License-Identifier: Apache-2.0

"""What all sources say of a host, made one."""

from __future__ import annotations

import dataclasses
import typing as ty

from nova_xen_sched import facts
from nova_xen_sched import log
from nova_xen_sched import versions

#: A kind of thing to warn of, and the sentence that is said of it.
Remark = ty.Tuple[ty.Tuple[str, ...], str]


@dataclasses.dataclass(frozen=True, eq=False)
class HostFacts:
    """What is known of a host; one object for hosts alike in a request.

    :ivar known: by name; a fact that no source knows is missing.
    :ivar values: the same, without where they come from.
    :ivar remarks: things to warn of, once for all hosts of which they are
        true.
    """

    known: ty.Mapping[str, facts.Fact]
    remarks: ty.Tuple[Remark, ...] = ()
    values: ty.Mapping[str, ty.Any] = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        values = {name: fact.value for name, fact in self.known.items()}
        object.__setattr__(self, 'values', values)

    def get(self, name: str) -> facts.Fact | None:
        return self.known.get(name)


#: Of hosts of which nothing was asked, or no source says anything.
NOTHING_KNOWN = HostFacts({})

#: What a source knows of one fact: the source's name, the fact's, the value
#: as it stood there, its class (1 and True are equal), and whether it is older
#: than facts_max_age.
Reported = ty.Tuple[str, str, ty.Any, type, bool]


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
            remarks.update([unreadable(source, key, value, e)])
            continue
        exact = not isinstance(value, facts.AtLeast)
        first = found.setdefault(key, facts.Fact(parsed, source, exact, stale))
        if first.exact and not exact and versions.older(first.value, parsed):
            remarks.update([_below_a_bound(first, parsed, source)])
        if stale:
            remarks['stale', source] = (
                'Facts from %s are older than facts_max_age and still used'
                % source
            )
    return HostFacts(found, tuple(remarks.items()))


def unreadable(
    source: str, key: str, value: ty.Any, error: Exception
) -> Remark:
    """The remark on a value that can't be read."""
    return (
        ('unreadable', source, key),
        "%s from %s can't be read and is unknown, such as %s: %s"
        % (key, source, log.shown(value), error),
    )


def _below_a_bound(
    fact: facts.Fact, bound: versions.Version, source: str
) -> Remark:
    """The remark on a version that is below what another source proves."""
    version, least = versions.show(fact.value), versions.show(bound)
    return (
        ('below the bound', fact.source, version, least),
        'libvirt %s, stated by %s, is used although %s says that '
        'nova-compute needs %s at least'
        % (version, fact.source, source, least),
    )
