# SPDX-License-Identifier: Apache-2.0

"""Whether dom0's memory is a size, and which program decides that.

Xen gives dom0 memory at boot. What dom0 gives of it to guests that start is
decided by the program that starts them: libvirt for nova's, xl for its own.
"""

from __future__ import annotations

import re
import typing as ty

from nova_xen_sched import versions
from nova_xen_sched.xenhost import AUTO
from nova_xen_sched.xenhost import BALLOONING
from nova_xen_sched.xenhost import FIXED
from nova_xen_sched.xenhost import NO_FILE
from nova_xen_sched.xenhost import OFF
from nova_xen_sched.xenhost import ON
from nova_xen_sched.xenhost import UNKNOWN
from nova_xen_sched.xenhost import XenHost

#: Where libvirt's Xen driver is configured, from 1.2.15 on.
LIBXL_CONF = '/etc/libvirt/libxl.conf'
_HAS_LIBXL_CONF: versions.Version = (1, 2, 15)

# Both find what the programs' own expressions find. Those let digits be cut
# into several sizes, which takes Python exponential time.
#: libvirt's: libxlGetAutoballoonConf() in src/libxl/libxl_conf.c.
_LIBVIRT = re.compile(
    '(?:^| )dom0_mem=(?:(?:min:|max:)?[0-9]+(?![0-9])[bBkKmMgG]?,?)+(?:$| )'
)
#: xl's since Xen 4.16: auto_autoballoon() in tools/xl/xl.c; before, libvirt's.
_XL = re.compile(
    '(?:^| )dom0_mem=(?:(?:min:|max:)?(?:[0-9]+%|-[0-9]{2,}%|'
    r'-?[0-9]+(?![0-9%])[bBkKmMgGtT]?(?:\+[0-9]{1,2}%)?),?)+(?:$| )'
)
#: One amount as Xen reads it: parse_amt() in xen/arch/x86/dom0_build.c.
_AMOUNT = re.compile(
    '-?(?:SIZE[bkmgt]?(?:[+]SIZE%)?|SIZE%)'.replace(
        'SIZE', '(?:0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*)'
    ),
    re.IGNORECASE | re.ASCII,
)

#: Characters of dom0_mem= that are shown.
_MOST_SHOWN = 100
#: The share by which a size may differ from its maximum, and be it.
_TOLERANCE = 0.03


class Options(ty.NamedTuple):
    """dom0's options on Xen's command line.

    :ivar memory: every dom0_mem=, to be shown: as it stands there, cut where
        it is long; None without one.
    :ivar maximum: whether Xen takes a maximum from them (max:).
    :ivar max_vcpus: the whole of dom0_max_vcpus=, None if it is not there.
    """

    memory: ty.Optional[str] = None
    maximum: bool = False
    max_vcpus: ty.Optional[str] = None


def options_of(command_line: str | None) -> Options | None:
    """Read Xen's command line.

    As Xen does: each dom0_mem= adds to those before it. None where the
    command line is not known.
    """
    if command_line is None:
        return None
    found = Options()
    for word in command_line.split():
        name, is_set, value = word.partition('=')
        if name == 'dom0_mem' and is_set:
            memory = (
                word if found.memory is None else found.memory + ' ' + word
            )
            found = found._replace(
                memory=memory, maximum=found.maximum or _has_maximum(value)
            )
        elif name == 'dom0_max_vcpus' and value:
            found = found._replace(max_vcpus=value)
    if len(found.memory or '') > _MOST_SHOWN:
        found = found._replace(memory='%.*s...' % (_MOST_SHOWN, found.memory))
    return found


def _has_maximum(value: str) -> bool:
    for part in value.split(','):
        kind, colon, amount = part.rpartition(':')
        if kind + colon not in ('', 'min:', 'max:') or not _AMOUNT.fullmatch(
            amount
        ):
            return False  # Xen reads no further
        if kind == 'max':
            return True
    return False


def sizing_of(
    memory_kb: int, maximum_kb: int, host: XenHost
) -> tuple[str, str]:
    """Whether dom0's memory is a size, or what is left of the machine.

    As libvirt decides it when libvirtd starts. Where what it decides by can't
    be read, as from another machine, only a dom0 that has what it may have is
    known to have a size.

    :param memory_kb: what dom0 has now, KiB.
    :param maximum_kb: what it may have by libvirt, KiB: the first max: behind
        a comma, else the machine.
    :param host: the rest of what is known of it.
    :returns: FIXED, BALLOONING or UNKNOWN; and why, as a clause without a
        full stop.
    """
    if memory_kb <= 0:
        return UNKNOWN, 'libvirt reports no memory of dom0'
    decided = host.autoballoon
    if decided == NO_FILE and _knows_no_file(host):
        decided = AUTO
    if decided in (ON, OFF):
        return (
            BALLOONING if decided == ON else FIXED,
            'libvirt does what autoballoon says in ' + LIBXL_CONF,
        )
    if decided and host.command_line is not None:
        return _by_file(decided, host.command_line)
    # libvirt rounds the machine's RAM down to MiB.
    if (
        host.memory_mb is not None
        and maximum_kb // 1024 < host.memory_mb
        and memory_kb >= maximum_kb * (1 - _TOLERANCE)
    ):
        return FIXED, 'it has what it may have'
    return UNKNOWN, (
        "libvirt decides whether dom0 balloons, by Xen's command line and %s, "
        'which can be read only as root in dom0' % LIBXL_CONF
    )


def _knows_no_file(host: XenHost) -> bool:
    return host.libvirt_version is not None and versions.older(
        versions.parse(host.libvirt_version), _HAS_LIBXL_CONF
    )


def _by_file(decided: str, command_line: str) -> tuple[str, str]:
    """What libvirt makes of Xen's command line."""
    if decided == NO_FILE:
        return FIXED, "libvirt lets no dom0 balloon where %s doesn't exist" % (
            LIBXL_CONF
        )
    options = options_of(command_line)
    memory = options and options.memory
    if _LIBVIRT.search(command_line):
        return FIXED, "libvirt found %s on Xen's command line" % memory
    if memory is None:
        return BALLOONING, ("libvirt found no dom0_mem= on Xen's command line")
    reason = "libvirt doesn't understand %s on Xen's command line" % memory
    if _XL.search(command_line):
        reason += (
            '; xl does, from Xen 4.16 on, but decides for guests of its own '
            'only'
        )
    return BALLOONING, reason
