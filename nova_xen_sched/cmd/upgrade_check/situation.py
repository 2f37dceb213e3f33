# SPDX-License-Identifier: Apache-2.0


"""What the checks look at, and what they answer."""

from __future__ import annotations

import dataclasses
import enum
import typing as ty

from nova_xen_sched import conf
from nova_xen_sched.cmd import base
from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd.nova import placement
from nova_xen_sched.cmd.nova import xen_hosts
from nova_xen_sched.cmd.nova.scheduler import View


class Level(enum.Enum):
    """How bad it is; as oslo.upgradecheck's codes."""

    FINE = 0
    WARNING = 1
    FAILURE = 2


@dataclasses.dataclass(frozen=True)
class Finding:
    """What a check found.

    :ivar details: what is so, and with a warning or failure what to do; ''
        if there is nothing to say.
    """

    level: Level
    details: str = ''


def fine(details: str = '') -> Finding:
    """All is well."""
    return Finding(Level.FINE, details)


def warning(details: str, remedy: str) -> Finding:
    """It works, and will surprise."""
    return Finding(Level.WARNING, '%s Remedy: %s' % (details, remedy))


def failure(details: str, remedy: str) -> Finding:
    """It doesn't do what it is for."""
    return Finding(Level.FAILURE, '%s Remedy: %s' % (details, remedy))


@dataclasses.dataclass(frozen=True)
class Situation:
    """What there is.

    :ivar config: nova's configuration.
    :ivar settings: the options of [xen_scheduler].
    :ivar view: what nova-scheduler sees.
    :ivar seen: all hosts.
    """

    config: ty.Any
    settings: conf.Settings
    view: View
    seen: tuple[xen_hosts.Seen, ...]
    _inventories: dict[str, ty.Any] = dataclasses.field(default_factory=dict)

    @property
    def xen(self) -> list[xen_hosts.Seen]:
        """The Xen hosts."""
        return [each for each in self.seen if each.host.is_xen]

    def inventories(self, provider: str) -> dict[str, ty.Any]:
        """What placement has of a provider, asked once; {} if nothing.

        :raises errors.Failure: if placement can't be asked.
        """
        if provider not in self._inventories:
            self._inventories[provider] = placement.inventories(provider) or {}
        found: dict[str, ty.Any] = self._inventories[provider]
        return found

    def plugin(self, plugins: ty.Iterable[ty.Any], name: str) -> ty.Any:
        """The enabled filter or weigher of a class name, None if none is."""
        for each in plugins:
            if type(each).__name__ == name:
                return each
        return None


class Check(ty.NamedTuple):
    """A check."""

    name: str
    function: ty.Callable[[Situation], Finding]


def names(found: ty.Iterable[str]) -> str:
    """Names for a sentence: how many, and the first of them."""
    every = sorted(set(found))
    return '%d (%s)' % (len(every), tables.listed(every))


def memory(situation: Situation) -> ty.Iterator[tuple[xen_hosts.Seen, ty.Any]]:
    """Placement's inventory of memory of each Xen host that has one."""
    xen = situation.xen
    with base.Progress("Reading placement's inventories", len(xen)) as shown:
        for each in xen:
            found = situation.inventories(each.state.uuid)
            shown.step()
            if 'MEMORY_MB' in found:
                yield each, found['MEMORY_MB']
