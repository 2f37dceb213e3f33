# SPDX-License-Identifier: Apache-2.0

"""What the checks look at, and how they word what they find."""

from __future__ import annotations

import functools
import typing as ty

from nova import objects
from oslo_upgradecheck.upgradecheck import Code
from oslo_upgradecheck.upgradecheck import Result

from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd.nova import failures
from nova_xen_sched.cmd.nova import placement
from nova_xen_sched.cmd.nova import xen_hosts
from nova_xen_sched.cmd.nova.scheduler import Cloud
from nova_xen_sched.cmd.progress import Progress


class Deployment:
    """What there is to check.

    :param cloud: what nova-scheduler sees.
    :ivar settings: the options of [xen_scheduler].
    :ivar hosts: all hosts.
    :ivar xen: the Xen hosts of them.
    """

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.settings = xen_hosts.settings()
        self.hosts = xen_hosts.read(cloud.host_states())
        self.xen = [each for each in self.hosts if each.host.is_xen]

    @functools.cached_property
    def memory(self) -> list[tuple[xen_hosts.ComputeHost, dict[str, ty.Any]]]:
        """Placement's inventory of memory of each Xen host that has one.

        :raises errors.Failure: if placement can't be asked.
        """
        found = []
        with Progress(
            "Reading placement's inventories", len(self.xen)
        ) as progress:
            for each in self.xen:
                inventories = placement.inventories(each.state.uuid) or {}
                progress.step()
                if 'MEMORY_MB' in inventories:
                    found.append((each, inventories['MEMORY_MB']))
        return found

    @functools.cached_property
    def flavors(self) -> ty.Sequence[ty.Any]:
        """All nova Flavors.

        :raises errors.Failure: if they can't be read.
        """
        with failures.reading(failures.API_DATABASE):
            found: ty.Sequence[ty.Any] = objects.FlavorList.get_all(
                self.cloud.context
            )
        return found


class Problem(Result):  # type: ignore[misc,unused-ignore]
    """The result of a check that found something.

    :param what: a code for it; stable, additions only.
    :param details: what was found, with a full stop.
    :param remedy: what to do about it; '' if the details name that.
    :param hosts: the names of the hosts that it is about.
    """

    def __init__(
        self,
        code: Code,
        what: str,
        details: str,
        remedy: str = '',
        hosts: ty.Iterable[str] = (),
    ) -> None:
        super().__init__(code, details)
        self.what = what
        self.remedy = remedy
        self.hosts = sorted(set(hosts))


def counted_names(hosts: ty.Iterable[str]) -> str:
    """Names for a sentence: how many, and the first of them."""
    every = sorted(set(hosts))
    return '%d (%s)' % (len(every), tables.listed(every))


def grouped(form: str, hosts: ty.Mapping[ty.Any, ty.Iterable[str]]) -> str:
    """Names of hosts, by what is so of them.

    :param form: takes what is so, and the names.
    """
    return '; '.join(
        form % (what, counted_names(each))
        for what, each in sorted(hosts.items())
    )
