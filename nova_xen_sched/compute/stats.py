# SPDX-License-Identifier: Apache-2.0

"""What a Xen compute reports of itself, for HostState.stats.

The host is read as xenhost/ reads any; nova is not needed here.
"""

from __future__ import annotations

import contextlib
from importlib import metadata
import typing as ty

from nova_xen_sched import facts
from nova_xen_sched import log
from nova_xen_sched import versions
from nova_xen_sched.facts.gather import HostFacts
from nova_xen_sched.xenhost import FIXED
from nova_xen_sched.xenhost import reader
from nova_xen_sched.xenhost import to_facts
from nova_xen_sched.xenhost import XenHost
from nova_xen_sched.xenhost.local import LocalHost

LOG = log.logger(__name__)

#: Fact -> the parts of a host that are read for it.
_PARTS = {
    'libvirt_version': {'libvirt_version'},
    'libvirt_migration_backports': {'libvirt_version'},
    'xen_version': {'xen_version', 'dom0'},
    'dom0_memory_mb': {'dom0', 'memory'},
    'dom0_vcpus': {'dom0'},
}
#: And those that are read for each of them.
_ALWAYS = {'connection', 'hypervisor'}


def reported_by() -> str:
    """Who reports: nova-compute-xen, with its version if that is known."""
    try:
        return 'nova-compute-xen %s' % metadata.version('nova-xen-sched')
    except metadata.PackageNotFoundError:
        return 'nova-compute-xen'


def unreachable(error: Exception) -> XenHost:
    """A host of which nothing could be read."""
    return XenHost(problems={'connection': str(error) or repr(error)})


class Reporter:
    """Makes a host's stats, at each update of its resources.

    :param local: this machine.
    """

    def __init__(self, local: LocalHost | None = None) -> None:
        self._local = local or LocalHost()
        self._reported_by = reported_by()
        self._last: facts.Raw = {}
        self._problems: set[str] = set()

    def read(self, connection: ty.Any, uri: str) -> XenHost:
        """What the host reports now. It neither raises nor logs.

        So it may run in a native thread, beside eventlet.

        :param connection: nova's virConnect.
        :param uri: by which it was opened.
        """
        return reader.read(connection, uri, self._local, brief=True)

    def stats(self, host: XenHost, reserved_mb: int) -> dict[str, str]:
        """The stats: every known fact, Xen's free memory, who reports them.

        What can't be read now, but could be before, is reported as it was,
        with the time of then. What was never read is left out. Left out too
        is the free memory beside a dom0 that balloons, or may: there Xen has
        next to none, and dom0 gives of its own to each guest that starts.

        :param host: as read().
        :param reserved_mb: the compute's reserved_host_memory_mb.
        """
        self._warn(host)
        known = self._known(host)
        found = {
            facts.BY_NAME[name].stats_key: str(value)
            for name, value in known.items()
        }
        found[facts.BY_NAME['reserved_host_memory_mb'].stats_key] = str(
            reserved_mb
        )
        found[facts.REPORTED_BY] = self._reported_by
        # Only a size that is fixed is known.
        if host.free_memory_mb is not None and 'dom0_memory_mb' in known:
            found[facts.FREE_MEMORY] = str(host.free_memory_mb)
        return found

    @property
    def known_facts(self) -> HostFacts:
        """What stats() knew last; nothing before it was asked."""
        known = {}
        for name, value in self._last.items():
            with contextlib.suppress(ValueError):  # as nova-scheduler has it
                parsed = facts.BY_NAME[name].parse(value)
                known[name] = facts.Fact(parsed, 'stats')
        return HostFacts(known)

    def _known(self, host: XenHost) -> facts.Raw:
        """The facts of now, and in their place those of before."""
        known = to_facts.facts_of(host)
        libvirt = known.get('libvirt_version')
        # Newer ones have the two commits anyway; of an older one it can't be
        # read.
        if libvirt and not versions.older(
            versions.parse(libvirt), versions.BACKPORTS_EQUAL
        ):
            known['libvirt_migration_backports'] = 'true'
        unread = {
            name: self._last[name]
            for name, parts in _PARTS.items()
            if name in self._last
            and name not in known
            and not (parts | _ALWAYS).isdisjoint(host.problems)
        }
        if unread:
            known.update(unread, observed_at=self._last['observed_at'])
        self._last = known
        return known

    def _warn(self, host: XenHost) -> None:
        """Of what is wrong with the host, once for each change."""
        if not self._problems.issuperset(host.problems):
            LOG.warning(
                'Not all of this Xen host can be read; what was known before '
                'is reported again. %(problems)s',
                {
                    'problems': '; '.join(
                        '%s: %s' % problem
                        for problem in sorted(host.problems.items())
                    )
                },
            )
        self._problems = set(host.problems)
        if (
            host.dom0
            and host.dom0.sizing != FIXED
            and log.NOTICES.first('dom0 balloons')
        ):
            LOG.warning(
                "dom0's memory has no known fixed size: %(reason)s. So "
                "dom0's memory and the free memory are not reported: "
                "nova-scheduler takes dom0's size from another source, or a "
                'default. Put dom0_mem=SIZE,max:SIZE on '
                "Xen's command line.",
                {'reason': host.dom0.sizing_reason},
            )
