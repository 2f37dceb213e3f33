# SPDX-License-Identifier: Apache-2.0

"""What a Xen compute reports of itself, for HostState.stats.

It is read as every other part of this package reads a host; nova is not
needed here.
"""

from __future__ import annotations

from importlib import metadata
import typing as ty

from nova_xen_sched import facts
from nova_xen_sched import log
from nova_xen_sched import redact
from nova_xen_sched import versions
from nova_xen_sched.xenhost import BALLOONING
from nova_xen_sched.xenhost import local
from nova_xen_sched.xenhost import reader
from nova_xen_sched.xenhost import to_facts
from nova_xen_sched.xenhost import XenHost

LOG = redact.logger(__name__)

#: Fact -> the parts of a reading without any of which it can't be told.
_NEEDS = {
    'libvirt_version': {'libvirt_version'},
    'libvirt_migration_backports': {'libvirt_version'},
    'xen_version': {'xen_version', 'dom0'},
    'dom0_memory_mb': {'dom0', 'memory'},
    'dom0_vcpus': {'dom0'},
}
#: Those without which none can.
_ALL_NEED = {'connection', 'hypervisor'}


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

    :param machine: this machine.
    """

    def __init__(self, machine: local.Machine | None = None) -> None:
        self._machine = _Dom0(machine or local.Machine())
        self._reported_by = reported_by()
        self._last: facts.Raw = {}
        self._problems: set[str] = set()

    def read(self, connection: ty.Any, uri: str) -> XenHost:
        """What the host says now. It neither raises nor logs.

        So it may run in a native thread, beside eventlet.

        :param connection: nova's virConnect.
        :param uri: by which it was opened.
        """
        return reader.read(connection, uri, self._machine, brief=True)

    def stats(self, host: XenHost, reserved_mb: int) -> dict[str, str]:
        """The stats: every fact that is known, Xen's free memory, who says so.

        What can't be read now, but could be before, is reported as it was,
        with the time of then. What was never read is left out. Left out too
        is the free memory beside a dom0 that balloons, or may: there Xen has
        next to none, and dom0 gives of its own to each guest that starts.

        :param host: as read().
        :param reserved_mb: the compute's reserved_host_memory_mb.
        """
        self._say(host)
        known = self._known(host)
        known['reserved_host_memory_mb'] = reserved_mb
        found = {
            facts.BY_NAME[name].stats_key: _text(value)
            for name, value in known.items()
        }
        found[facts.REPORTED_BY] = self._reported_by
        # Only a size that is fixed is known.
        if host.free_memory_mb is not None and 'dom0_memory_mb' in known:
            found[facts.FREE_MEMORY] = str(host.free_memory_mb)
        return found

    def _known(self, host: XenHost) -> facts.Raw:
        known = to_facts.facts_of(host)
        libvirt = known.get('libvirt_version')
        # Newer ones have the two commits anyway; of an older one it can't be
        # read.
        if libvirt and not versions.older(
            versions.parse(libvirt), versions.BACKPORTS_EQUAL
        ):
            known['libvirt_migration_backports'] = True
        unread = {
            name
            for name, needs in _NEEDS.items()
            if name not in known
            and name in self._last
            and not (needs | _ALL_NEED).isdisjoint(host.problems)
        }
        for name in unread | ({'observed_at'} if unread else set()):
            known[name] = self._last[name]
        self._last = known
        return dict(known)

    def _say(self, host: XenHost) -> None:
        """What is wrong with the host, once for each change."""
        problems = set(host.problems)
        if problems - self._problems:
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
        self._problems = problems
        if (
            host.dom0
            and host.dom0.sizing == BALLOONING
            and log.NOTICES.first('dom0 balloons')
        ):
            LOG.warning(
                "dom0's memory has no fixed size, as far as can be told, so "
                'neither it nor the free memory is reported: nova-scheduler '
                "takes dom0's size from another source, or a default. Put "
                "dom0_mem=SIZE,max:SIZE on Xen's command line."
            )


class _Dom0(local.Machine):
    """This machine, asked for what stats need and no more.

    What only a reboot changes is asked once: nova-compute would start xl at
    each update.
    """

    def __init__(self, machine: local.Machine) -> None:
        super().__init__()
        self._machine = machine
        self._info: str | None = None

    def text(self, path: str) -> str | None:
        return self._machine.text(path)

    def folder(self, path: str) -> list[str]:
        # The device models are of no interest here.
        return []

    def xl(self, *arguments: str) -> str | None:
        if arguments != ('info',):
            return None
        if self._info is None:
            self._info = self._machine.xl(*arguments)
        return self._info


def _text(value: ty.Any) -> str:
    """As stats have it, and facts.parse_bool reads it."""
    if isinstance(value, bool):
        return 'true' if value else 'false'
    return str(value)
