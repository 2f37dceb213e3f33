# SPDX-License-Identifier: Apache-2.0

"""Hosts that report to placement, and refuse, as nova-compute-xen's do.

The driver's own few lines are tested under nova 22 (tests/nova22); what they
call runs here on any nova, with a real placement and a real database.
"""

from __future__ import annotations

import sys
import typing as ty

from nova import context
from nova import exception
from nova import objects
import nova.conf

from nova_xen_sched import conf
from nova_xen_sched import dom0
from nova_xen_sched import facts
from nova_xen_sched import host
from nova_xen_sched import provider
from nova_xen_sched.compute import dom0_load
from nova_xen_sched.compute import late_check
from nova_xen_sched.compute import resources
from nova_xen_sched.facts.gather import HostFacts
from tests.functional.driver import ProfiledDriver

CONF = nova.conf.CONF

#: For [DEFAULT]compute_driver.
COMPUTE_DRIVER = 'reporting.ReportingDriver'
sys.modules['nova.virt.reporting'] = sys.modules[__name__]

#: Names of hosts of which the guests can't be read.
BROKEN: ty.Set[str] = set()
#: Names of hosts with nova's own driver, which reports no more than nova does.
PLAIN: ty.Set[str] = set()


class _State:
    """A HostState, as far as host.read() looks at it."""

    def __init__(self, profile: ty.Any) -> None:
        self.__dict__.update(vars(profile))


class ReportingDriver(ProfiledDriver):
    """A profile's host whose facts are the profile's stats."""

    def __init__(self, virtapi: ty.Any, read_only: bool = False) -> None:
        super().__init__(virtapi, read_only)
        self._options = conf.Options(CONF)
        self._provider = resources.Provider(
            virtapi.reportclient, self._guests, self._load
        )
        self._late_check = late_check.LateCheck(
            self._guests, self._load, lambda: None
        )

    def _facts(self) -> HostFacts:
        stats = self.profile.stats
        return HostFacts(
            {
                each.name: facts.Fact(
                    each.parse(stats[each.stats_key]), 'stats'
                )
                for each in facts.NAMES
                if each.stats_key in stats
            }
        )

    def _guests(self) -> ty.List[ty.Any]:
        if self.profile.name in BROKEN:
            raise RuntimeError('the guests can not be read')
        # What is untargeted goes, here, to the cell that any thread was the
        # last to target. nova-compute has a conductor of its own cell.
        admin = context.get_admin_context()
        for cell in objects.CellMappingList.get_all(admin):
            if not cell.is_cell0():
                # Not target_cell(): nova's fixture holds a lock in it, and
                # this is called in nova's lock of the compute's resources.
                context.set_target_cell(admin, cell)
                return dom0_load.on_host(admin, self.profile.name)
        return []

    def _load(self, guests: ty.List[ty.Any]) -> dom0.Load:
        return dom0_load.load(
            guests, self._facts(), self.memory_mb, self._options.current()
        )

    def update_provider_tree(
        self, provider_tree: ty.Any, nodename: str, allocations: ty.Any = None
    ) -> None:
        before = provider_tree.data(nodename).inventory
        super().update_provider_tree(provider_tree, nodename, allocations)
        if self.profile.name in PLAIN:
            return
        self._provider.update(
            provider_tree,
            nodename,
            before.get(provider.DOM0_SLOT),
            host.read(_State(self.profile), lambda _: self._facts()),
            self._options.current(),
        )

    def _refusal(self, instance: ty.Any) -> ty.Optional[str]:
        if self.profile.name in PLAIN:
            return None
        return self._late_check.refusal(
            instance, instance.vm_mode, self._options.current()
        )

    def spawn(
        self,
        ctxt: ty.Any,
        instance: ty.Any,
        *arguments: ty.Any,
        **more: ty.Any,
    ) -> None:
        refusal = self._refusal(instance)
        if refusal and late_check.is_boot(instance):
            raise exception.ComputeResourcesUnavailable(reason=refusal)
        super().spawn(ctxt, instance, *arguments, **more)

    def check_can_live_migrate_destination(
        self, ctxt: ty.Any, instance: ty.Any, *args: ty.Any, **more: ty.Any
    ) -> ty.Any:
        refusal = self._refusal(instance)
        if refusal:
            raise exception.MigrationPreCheckError(reason=refusal)
        return super().check_can_live_migrate_destination(
            ctxt, instance, *args, **more
        )
