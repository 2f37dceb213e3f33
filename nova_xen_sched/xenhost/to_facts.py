# SPDX-License-Identifier: Apache-2.0

"""From what a host reports of itself to the facts that the scheduler reads."""

from __future__ import annotations

import datetime

from nova_xen_sched import facts
from nova_xen_sched.xenhost import FIXED
from nova_xen_sched.xenhost import XenHost


def now() -> str:
    """This moment as observed_at has it, in UTC and whole seconds."""
    moment = datetime.datetime.now(datetime.timezone.utc)
    return moment.strftime('%Y-%m-%dT%H:%M:%SZ')


def facts_of(
    host: XenHost,
    observed_at: str | None = None,
    reserved_host_memory_mb: int | None = None,
) -> facts.Raw:
    """The facts of a host, by the names of facts.NAMES.

    Left out is what is not known: Xen's version without the patch level,
    which nova has already, and the memory of a dom0 that balloons or may,
    because it is no size. A host that isn't Xen's has no facts.

    :param observed_at: when it was read, now() if None.
    :param reserved_host_memory_mb: of its nova.conf, None where that is not
        known.
    """
    known: facts.Raw = {}
    if not host.is_xen:
        return known
    if host.libvirt_version:
        known['libvirt_version'] = host.libvirt_version
    if host.xen_version and host.xen_version.count('.') > 1:
        known['xen_version'] = host.xen_version
    dom0 = host.dom0
    if dom0 and dom0.sizing == FIXED and dom0.memory_mb:
        known['dom0_memory_mb'] = dom0.memory_mb
    if dom0 and dom0.vcpus:
        known['dom0_vcpus'] = dom0.vcpus
    if reserved_host_memory_mb is not None:
        known['reserved_host_memory_mb'] = reserved_host_memory_mb
    if known:
        known['observed_at'] = observed_at or now()
    return known
