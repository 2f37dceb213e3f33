# SPDX-License-Identifier: Apache-2.0

"""What dom0's sizes mean: are they a size, or what is left of the machine?"""

from __future__ import annotations

import re
import typing as ty

from nova_xen_sched.xenhost import BALLOONING
from nova_xen_sched.xenhost import FIXED
from nova_xen_sched.xenhost import UNKNOWN

_SIZE = re.compile(r'(\d{1,15})([bkmgt]?)', re.IGNORECASE | re.ASCII)
#: KiB of one; without a unit Xen takes KiB.
_UNITS = {'b': 1 / 1024, '': 1, 'k': 1, 'm': 1024, 'g': 1024**2, 't': 1024**3}
#: The share by which dom0's memory may differ from what it was given.
_TOLERANCE = 0.01


class Dom0Options(ty.NamedTuple):
    """What Xen's command line says of dom0.

    :ivar memory: the whole of dom0_mem=, None if it is not there.
    :ivar size_kb: the size in it, KiB, None if there is none, or one that
        depends on the machine (dom0_mem=1G+10%).
    :ivar maximum: whether it names a maximum (max:).
    :ivar max_vcpus: the whole of dom0_max_vcpus=, None if it is not there.
    :ivar pin: whether dom0_vcpus_pin is there.
    """

    memory: ty.Optional[str] = None
    size_kb: ty.Optional[float] = None
    maximum: bool = False
    max_vcpus: ty.Optional[str] = None
    pin: bool = False


def options_of(command_line: str) -> Dom0Options:
    """Read Xen's command line; of an option that stands twice, the last."""
    found = Dom0Options()
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
        elif name == 'dom0_vcpus_pin':
            found = found._replace(
                pin=value.lower() not in ('0', 'no', 'off', 'false')
            )
    return found


def _size_kb(text: str) -> float | None:
    found = _SIZE.fullmatch(text)
    if found is None:
        return None
    return int(found[1]) * _UNITS[found[2].lower()]


def sizing_of(
    memory_kb: int,
    maximum_kb: int,
    machine_mb: int | None,
    command_line: str | None,
) -> str:
    """Whether dom0's memory is a size.

    libvirt alone can't tell dom0_mem=1024M without a maximum from a dom0 that
    has shrunk: both show less than the maximum, which is the machine. Then
    it counts as ballooning, unless Xen's command line says that size.

    :param memory_kb: what dom0 has now, KiB.
    :param maximum_kb: what it may have, KiB.
    :param machine_mb: the machine's RAM, MiB, None if unknown.
    :param command_line: Xen's own, None if unknown.
    :returns: FIXED, BALLOONING or UNKNOWN.
    """
    if memory_kb <= 0:
        return UNKNOWN
    options = None if command_line is None else options_of(command_line)
    if options and options.memory is None:
        return BALLOONING
    if options and options.size_kb:
        differs = abs(memory_kb - options.size_kb)
        if differs <= options.size_kb * _TOLERANCE:
            return FIXED
    if memory_kb < maximum_kb:
        return BALLOONING
    if machine_mb is None:
        return UNKNOWN
    # libvirt rounds the machine's RAM down to MiB.
    return BALLOONING if maximum_kb // 1024 >= machine_mb else FIXED
