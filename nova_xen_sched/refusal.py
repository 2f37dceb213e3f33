# SPDX-License-Identifier: Apache-2.0

"""Why a host is refused: the codes, and a sentence with its remedy."""

from __future__ import annotations

import dataclasses
import enum
import typing as ty


class Code(str, enum.Enum):
    """The refusal codes, in the order in which the rules are judged.

    Operators name them in ``report_only`` and search logs for them, so they
    are stable: codes are added, never renamed.
    """

    ARCHITECTURE = 'architecture'
    HYPERVISOR_TYPE = 'hypervisor_type'
    VM_MODE = 'vm_mode'
    GUEST_TYPE = 'guest_type'
    PV_BY_DEFAULT = 'pv_by_default'
    HYPERVISOR_VERSION = 'hypervisor_version'
    MAXPHYSADDR_BITS = 'maxphysaddr_bits'
    HYPERVISOR_TYPE_REQUIRED = 'hypervisor_type_required'
    DISK_FORMAT = 'disk_format'
    XEN_TOO_OLD = 'xen_too_old'
    XEN_UNKNOWN = 'xen_unknown'
    LIBVIRT_TOO_OLD = 'libvirt_too_old'
    LIBVIRT_UNKNOWN = 'libvirt_unknown'
    LIVE_MIGRATION_UNKNOWN = 'live_migration_unknown'
    DOM0_MEMORY = 'dom0_memory'
    DOM0_CPU = 'dom0_cpu'
    HOST_MEMORY = 'host_memory'

    def __str__(self) -> str:
        return self.value


#: Codes that say no more than "this guest is for other hosts"; in a mixed
#: cloud nearly every request refuses some hosts for them.
SORTING = frozenset({Code.ARCHITECTURE, Code.HYPERVISOR_TYPE})


@dataclasses.dataclass(frozen=True)
class Refusal:
    """One reason why a host can't take a guest.

    :ivar code: which rule refuses.
    :ivar reason: a clause that names the values, without a full stop.
    :ivar remedy: what an operator or user can do, without a full stop.
    :ivar otherwise: the code that this refusal would have if it could be told
        what the request does; None for all others.
    """

    code: Code
    reason: str
    remedy: str
    otherwise: Code | None = None

    def enforced(self, report_only: ty.Collection[Code]) -> bool:
        """Whether it refuses, when these codes are reported only."""
        return (
            self.code not in report_only and self.otherwise not in report_only
        )

    def __str__(self) -> str:
        return '%s: %s; %s' % (self.code, self.reason, self.remedy)


def each_once(values: ty.Iterable[str]) -> str:
    """Values for a sentence: each once, in order."""
    return ', '.join(sorted(set(values))) or 'nothing'
