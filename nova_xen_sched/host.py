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

"""What a host offers: a HostState, read once per distinct answer."""

from __future__ import annotations

import dataclasses
import itertools
import json
import operator
from typing import Any
from typing import Callable
from typing import cast
from typing import Dict
from typing import Iterable
from typing import Iterator
from typing import Optional
from typing import Sequence
from typing import Tuple
from typing import TypeVar

from nova_xen_sched.dom0 import Left
from nova_xen_sched.facts.gather import HostFacts
from nova_xen_sched.facts.gather import NOTHING_KNOWN
from nova_xen_sched.facts.gather import Request
from nova_xen_sched.versions import Version

_T = TypeVar('_T')

#: (architecture, hypervisor type, vm_mode), in nova's canonical spelling.
GuestType = Tuple[str, str, str]

#: hypervisor type, hypervisor version, number of the guest types (as a Reader
#: counts them), physical address bits, facts, rooms
Key = Tuple[
    Optional[str],
    Optional[int],
    int,
    Optional[int],
    HostFacts,
    Tuple[Left, ...],
]

XEN = 'xen'
#: Lists of guest types to compare with before hashing one.
_COMPARED = 8

_type_of = operator.attrgetter('hypervisor_type')
_version_of = operator.attrgetter('hypervisor_version')
_guest_types_of = operator.attrgetter('supported_instances')
_cpu_info_of = operator.attrgetter('cpu_info')


def _calls_itself_xen(hypervisor_type: str | None) -> bool:
    return hypervisor_type is not None and hypervisor_type.lower() == XEN


def state_is_xen(state: Any) -> bool:
    """Whether a nova HostState is of a Xen host.

    That is one that calls itself so and offers guests of the type xen.
    XenServer's XAPI computes offer them too, but not through libvirt; they
    call themselves XenServer.
    """
    return _is_xen(state.hypervisor_type, state.supported_instances or ())


class _CallThemselvesXen(Dict[Optional[str], bool]):
    """Whether hosts of a hypervisor_type can be Xen hosts, by their word."""

    def __missing__(self, hypervisor_type: str | None) -> bool:
        found = self[hypervisor_type] = _calls_itself_xen(hypervisor_type)
        return found


def which_call_themselves_xen(states: Iterable[Any]) -> list[bool]:
    """Of each HostState: whether it can be a Xen host, by its own word."""
    return list(map(_CallThemselvesXen().__getitem__, map(_type_of, states)))


def which_are_xen(states: Iterable[Any]) -> list[bool]:
    """Of each HostState: whether it is of a Xen host."""
    by_word = _CallThemselvesXen()
    # Most offer such a guest type first.
    return [
        by_word[state.hypervisor_type]
        and bool(offered := state.supported_instances)
        and (offered[0][1] == XEN or _offers_xen(offered))
        for state in states
    ]


def _is_xen(
    hypervisor_type: str | None, guest_types: Iterable[Sequence[str]]
) -> bool:
    return _calls_itself_xen(hypervisor_type) and _offers_xen(guest_types)


def _offers_xen(guest_types: Iterable[Sequence[str]]) -> bool:
    return any(guest_type[1] == XEN for guest_type in guest_types)


@dataclasses.dataclass(frozen=True)
class Host:
    """What a compute host offers to guests.

    :ivar guest_types: what it can run; empty if it never reported any.
    :ivar hypervisor_type: as reported, 'Xen' for libvirt's Xen driver.
    :ivar hypervisor_version: of the hypervisor, as nova's integer: 4014000
        for Xen 4.14. libvirt leaves the patch level out.
    :ivar maxphysaddr_bits: physical address bits, None if unknown. Read only
        when the guest asks for it.
    :ivar facts: what the sources of facts know; of Xen hosts only.
    :ivar rooms: those of its dom0's and its own rooms that the guest would
        overcommit; empty where no rule asks for them.
    :ivar is_xen: whether it runs Xen through libvirt.
    """

    guest_types: tuple[GuestType, ...] = ()
    hypervisor_type: str | None = None
    hypervisor_version: int | None = None
    maxphysaddr_bits: int | None = None
    facts: HostFacts = NOTHING_KNOWN
    rooms: tuple[Left, ...] = ()
    is_xen: bool = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(
            self, 'is_xen', _is_xen(self.hypervisor_type, self.guest_types)
        )

    @property
    def xen_version(self) -> Version | None:
        """Its Xen: as stated in full, or else major and minor as reported.

        libvirt leaves the patch level out of the version that it reports, so
        that it counts as unknown there.
        """
        stated = self.facts.get('xen_version')
        if stated is not None:
            return cast(Version, stated.value)
        reported = self.hypervisor_version
        if not reported or reported < 1000:
            return None
        version = divmod(reported // 1000, 1000)
        # A compute that does report the patch level is believed.
        return (*version, reported % 1000) if reported % 1000 else version


def _maxphysaddr_bits(cpu_info: Any) -> int | None:
    """The bits in a HostState's cpu_info.

    A compute reports JSON text, on which ImagePropertiesFilter of nova 27 to
    34 fails; nova's tests hand it a dict.
    """
    if isinstance(cpu_info, str):
        try:
            cpu_info = json.loads(cpu_info)
        except (ValueError, RecursionError):
            return None
    if not isinstance(cpu_info, dict):
        return None
    maxphysaddr = cpu_info.get('maxphysaddr')
    if not isinstance(maxphysaddr, dict):
        return None
    bits = maxphysaddr.get('bits')
    return bits if isinstance(bits, int) else None


def spread(values: Iterable[_T], mask: list[bool], other: _T) -> list[_T]:
    """The values where the mask is true, the other one elsewhere."""
    following = iter(values)
    return [next(following) if each else other for each in mask]


#: From Xen hosts and what is known of each to their rooms.
RoomsOf = Callable[
    [Sequence[Any], Sequence[HostFacts]], Iterable[Tuple[Left, ...]]
]


class Reader:
    """Reads HostStates for one request.

    Reading is in two steps, so that a caller can keep what it worked out
    under the key and read each distinct answer once. The first step goes
    through all hosts attribute by attribute, which takes a fraction of what
    host by host would.

    :param maxphysaddr: whether the guest asks for physical address bits, so
        that cpu_info is worth parsing.
    :param facts: looks up the facts of HostStates, None if no rule needs
        any.
    :param rooms_of: works out the rooms of Xen hosts that the guest would
        overcommit, None if no rule needs them.
    """

    def __init__(
        self,
        maxphysaddr: bool = False,
        facts: Request | None = None,
        rooms_of: RoomsOf | None = None,
    ) -> None:
        self._bits: dict[str, int | None] | None = {} if maxphysaddr else None
        self._facts = facts
        self._rooms_of = rooms_of
        # A cloud has few different lists of guest types: one that was seen
        # is found faster by comparing than by hashing all that is in it.
        self._first: list[tuple[Any, int]] = []
        self._numbers: dict[tuple[GuestType, ...], int] = {}

    def key(self, state: Any) -> Key:
        """All that the rules look at in a nova HostState, to compare by."""
        return next(self.keys((state,)))

    def keys(self, states: Sequence[Any]) -> Iterator[Key]:
        """The keys of nova HostStates, in their order."""
        bits: Iterable[int | None] = itertools.repeat(None)
        if self._bits is not None:
            bits = map(self._read_bits, map(_cpu_info_of, states))
        facts: Iterable[HostFacts] = itertools.repeat(NOTHING_KNOWN)
        rooms: Iterable[tuple[Left, ...]] = itertools.repeat(())
        if self._facts is not None:
            mask = which_call_themselves_xen(states)
            xen = list(itertools.compress(states, mask))
            known = self._facts.all(xen)
            facts = spread(known, mask, NOTHING_KNOWN)
            if self._rooms_of is not None:
                rooms = spread(self._rooms_of(xen, known), mask, ())
        return zip(
            map(_type_of, states),
            map(_version_of, states),
            self._count(map(_guest_types_of, states)),
            bits,
            facts,
            rooms,
        )

    def host(self, key: Key) -> Host:
        """The Host that a key describes."""
        hv_type, hv_version, number, bits, facts, rooms = key
        return Host(
            guest_types=list(self._numbers)[number],
            hypervisor_type=hv_type,
            hypervisor_version=hv_version,
            maxphysaddr_bits=bits,
            facts=facts,
            rooms=rooms,
        )

    def _count(self, lists: Iterable[Any]) -> list[int]:
        """A number for each list of guest types, the same for equal ones."""
        first = self._first
        numbers: list[int] = []
        for guest_types in lists:
            for listed, number in first:
                if listed == guest_types:
                    numbers.append(number)
                    break
            else:
                numbers.append(self._number(guest_types))
        return numbers

    def _number(self, supported_instances: Any) -> int:
        types = tuple(map(tuple, supported_instances or ()))
        number = self._numbers.setdefault(types, len(self._numbers))
        if len(self._first) < _COMPARED:
            self._first.append((supported_instances, number))
        return number

    def _read_bits(self, cpu_info: Any) -> int | None:
        if self._bits is None or not isinstance(cpu_info, str):
            return _maxphysaddr_bits(cpu_info)
        if cpu_info not in self._bits:
            self._bits[cpu_info] = _maxphysaddr_bits(cpu_info)
        return self._bits[cpu_info]
