# SPDX-License-Identifier: Apache-2.0

"""A host's dom0: what Xen's command line gives it, and what it should have."""

from __future__ import annotations

import math
import re
import typing as ty

from nova_xen_sched.dom0 import Load
from nova_xen_sched.dom0 import Model
from nova_xen_sched.dom0 import Resource
from nova_xen_sched.dom0 import resources
from nova_xen_sched.xenhost import BALLOONING
from nova_xen_sched.xenhost import FIXED
from nova_xen_sched.xenhost import UNKNOWN
from nova_xen_sched.xenhost import XenHost

#: MiB, from the guide: "between 1GB and 4GB".
LEAST_MB = 1024
MOST_MB = 4096
#: MiB, to which a size is rounded up.
_STEP_MB = 128

_SIZE = re.compile(r'(\d{1,15})([bkmgt]?)', re.IGNORECASE | re.ASCII)
#: KiB of one; without a unit Xen takes KiB.
_UNITS = {'b': 1 / 1024, '': 1, 'k': 1, 'm': 1024, 'g': 1024**2, 't': 1024**3}
#: The share by which dom0's memory may differ from what it was given.
_TOLERANCE = 0.01


class Options(ty.NamedTuple):
    """dom0's options on Xen's command line.

    :ivar memory: the whole of dom0_mem=, None if it is not there.
    :ivar size_kb: the size in it, KiB, None if there is none, or one that
        depends on the machine (dom0_mem=1G+10%).
    :ivar maximum: whether it names a maximum (max:).
    :ivar max_vcpus: the whole of dom0_max_vcpus=, None if it is not there.
    """

    memory: ty.Optional[str] = None
    size_kb: ty.Optional[float] = None
    maximum: bool = False
    max_vcpus: ty.Optional[str] = None


def options_of(command_line: str | None) -> Options | None:
    """Read Xen's command line; of an option that stands twice, the last.

    None where the command line is not known.
    """
    if command_line is None:
        return None
    found = Options()
    for word in command_line.split():
        name, _, value = word.partition('=')
        if name == 'dom0_mem' and value:
            # As Xen reads it: [min:SIZE,][max:SIZE,][SIZE]
            parts = value.split(',')
            sizes = [_size_kb(part) for part in parts if ':' not in part]
            found = found._replace(
                memory=value,
                size_kb=sizes[-1] if sizes else None,
                maximum=any(part.startswith('max:') for part in parts),
            )
        elif name == 'dom0_max_vcpus' and value:
            found = found._replace(max_vcpus=value)
    return found


def _size_kb(text: str) -> float | None:
    found = _SIZE.fullmatch(text)
    return int(found[1]) * _UNITS[found[2].lower()] if found else None


def sizing_of(
    memory_kb: int,
    maximum_kb: int,
    host_memory_mb: int | None,
    command_line: str | None,
) -> str:
    """Whether dom0's memory is a size, or what is left of the machine.

    libvirt alone doesn't tell dom0_mem=1024M without a maximum from a dom0
    that has shrunk: both show less than the maximum, which is the machine.
    Then it counts as ballooning, unless Xen's command line has that size.

    :param memory_kb: what dom0 has now, KiB.
    :param maximum_kb: what it may have, KiB.
    :param host_memory_mb: the machine's RAM, MiB, None if unknown.
    :param command_line: Xen's own, None if unknown.
    :returns: FIXED, BALLOONING or UNKNOWN.
    """
    if memory_kb <= 0:
        return UNKNOWN
    options = options_of(command_line)
    if options is not None:
        if options.memory is None:
            return BALLOONING
        size_kb = options.size_kb or 0
        if size_kb and abs(memory_kb - size_kb) <= size_kb * _TOLERANCE:
            return FIXED
    if memory_kb < maximum_kb:
        return BALLOONING
    if host_memory_mb is None:
        return UNKNOWN
    # libvirt rounds the machine's RAM down to MiB.
    return BALLOONING if maximum_kb // 1024 >= host_memory_mb else FIXED


class Size(ty.NamedTuple):
    """What dom0 should have, and why, as a clause without a full stop."""

    memory_mb: int
    reason: str


def _load(
    host: XenHost, dom0_memory_mb: float, dom0_vcpus: float
) -> Load | None:
    guests = host.guests
    if guests is None:
        return None
    return Load(
        memory_mb=host.memory_mb or 0,
        dom0_memory_mb=dom0_memory_mb,
        dom0_vcpus=dom0_vcpus,
        hvm=guests.hvm,
        pv=guests.pv,
        pvh=guests.pvh,
        unknown=guests.unknown,
        guests_memory_mb=guests.memory_mb,
        guests_vcpus=guests.vcpus,
    )


def load_of(host: XenHost) -> Load | None:
    """The host and its guests as the dom0 model has them.

    None if anything of that is not known, and of a dom0 that balloons: it has
    no size to measure by.
    """
    dom0 = host.dom0
    if dom0 and dom0.sizing == FIXED and dom0.memory_mb and dom0.vcpus:
        return _load(host, dom0.memory_mb, dom0.vcpus)
    return None


def for_dom0(host: XenHost, model: Model) -> Size:
    """What dom0_mem should be.

    Enough for the guests that run now; beyond that, up to the guide's 4 GB,
    enough for as many guests like them as the host's RAM holds; never less
    than the guide's 1 GB.
    """
    load = _load(host, 0, 1)
    if load is None or not load.guests:
        return Size(LEAST_MB, 'the least that the guide names')
    uses = {each.resource: each.used for each in resources(model, load)}
    used = uses[Resource.DOM0_MEMORY]
    each = used / load.guests
    ram_each = uses.get(Resource.HOST_MEMORY, 0) / load.guests
    fit = load.guests
    if load.memory_mb and each + ram_each:
        # Each takes of both; what is not dom0's is the guests'.
        left = load.memory_mb - model.base_memory_mb
        fit = max(int(left / (each + ram_each)), fit)
    wanted = max(
        model.base_memory_mb + used,
        min(model.base_memory_mb + fit * each, MOST_MB),
        LEAST_MB,
    )
    memory_mb = math.ceil(wanted / _STEP_MB) * _STEP_MB
    if each:
        fit = min(int((memory_mb - model.base_memory_mb) / each), fit)
    return Size(
        memory_mb,
        'enough for %d guests like the %d that run' % (fit, load.guests),
    )


def vcpus_for_dom0(host: XenHost, model: Model) -> int:
    """The vCPUs that dom0 needs for the guests that run now."""
    count = host.guests.count if host.guests else 0
    return math.ceil(model.base_vcpus + count / model.guests_per_vcpu)
