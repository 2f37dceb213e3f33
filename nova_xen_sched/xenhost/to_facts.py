# SPDX-License-Identifier: Apache-2.0

"""From what a host says of itself to the facts that the scheduler reads."""

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
    """The facts that a host states, by the names of facts.NAMES.

    Left out is what it doesn't know: Xen's version without the patch level,
    which nova has already, and the memory of a dom0 that balloons or whose
    size can't be told, because it is no size. Of a host that isn't Xen's
    nothing is stated.

    :param observed_at: when it was asked, now() if None.
    :param reserved_host_memory_mb: of its nova.conf, None where that is not
        known.
    """
    stated: facts.Raw = {}
    if not host.is_xen:
        return stated
    if host.libvirt_version:
        stated['libvirt_version'] = host.libvirt_version
    if host.xen_version and host.xen_version.count('.') > 1:
        stated['xen_version'] = host.xen_version
    dom0 = host.dom0
    if dom0 and dom0.sizing == FIXED and dom0.memory_mb:
        stated['dom0_memory_mb'] = dom0.memory_mb
    if dom0 and dom0.vcpus:
        stated['dom0_vcpus'] = dom0.vcpus
    if reserved_host_memory_mb is not None:
        stated['reserved_host_memory_mb'] = reserved_host_memory_mb
    if stated:
        stated['observed_at'] = observed_at or now()
    return stated
