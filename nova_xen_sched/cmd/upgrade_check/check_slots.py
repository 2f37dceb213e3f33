# SPDX-License-Identifier: Apache-2.0

"""Checks of what holds no slot of a dom0, where slots are in use."""

from __future__ import annotations

import collections

from oslo_upgradecheck.upgradecheck import Code
from oslo_upgradecheck.upgradecheck import Result

from nova_xen_sched import provider
from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd.nova import servers
from nova_xen_sched.cmd.progress import Progress
from nova_xen_sched.cmd.upgrade_check.deployment import counted_names
from nova_xen_sched.cmd.upgrade_check.deployment import Deployment
from nova_xen_sched.cmd.upgrade_check.deployment import Problem

_OF_XEN = frozenset({provider.STORAGE_BUS, *provider.TRAITS})
_UNUSED = 'No flavor asks for %s.' % provider.DOM0_SLOT
#: docs/source/admin/placement.rst has what was measured.
_PLACEMENT = (
    "What can't be seen from here: placement 14 and later has to have "
    '[placement] allocation_conflict_retry_count = 1 in placement.conf, or '
    'many boots at once claim more slots than there are.'
)


def _in_use(deployment: Deployment) -> bool:
    return any(
        provider.slots_asked(each.extra_specs) for each in deployment.flavors
    )


def flavors(deployment: Deployment) -> Result:
    """All flavors of Xen guests claim a slot, where any does."""
    if not _in_use(deployment):
        return Result(Code.SUCCESS, _UNUSED)
    key = 'resources:' + provider.DOM0_SLOT
    without = {
        each.id: each.name
        for each in deployment.flavors
        if not provider.slots_asked(each.extra_specs)
    }
    found: dict[str, list[str]] = collections.defaultdict(list)
    for flavor in deployment.flavors:
        if flavor.id in without and (
            _OF_XEN & servers.traits_of_flavor(flavor)
        ):
            found[flavor.name] = []
    for host in deployment.xen:
        for guest in host.state.instances.values():
            # One that nova knows by its UUID alone would have it read.
            if guest.obj_attr_is_set('instance_type_id'):
                name = without.get(guest.instance_type_id)
                if name:
                    found[name].append(host.name)
    if not found:
        return Result(Code.SUCCESS, _PLACEMENT)
    return Problem(
        Code.WARNING,
        'flavors_without_slot',
        'Some flavors ask for %s, and others of Xen guests do not: %s. '
        'Several schedulers may place guests of these on one dom0 at once.'
        % (
            provider.DOM0_SLOT,
            '; '.join(
                '%s (%s)' % (name, tables.counted(len(hosts), 'guest'))
                for name, hosts in sorted(found.items())
            ),
        ),
        'openstack flavor set --property %s=1 FLAVOR, if the flavor is for '
        'Xen hosts alone: it can be booted on no other host then. Else give '
        'Xen guests a flavor of their own.' % key,
        (name for each in found.values() for name in each),
    )


def guests(deployment: Deployment) -> Result:
    """All guests of Xen hosts hold a slot, where any flavor asks for one."""
    if not _in_use(deployment):
        return Result(Code.SUCCESS, _UNUSED)
    cells = deployment.cloud.host_manager.cells
    found, hosts = [], []
    with Progress("Reading guests' flavors", len(deployment.xen)) as progress:
        for host in deployment.xen:
            for guest in servers.on_host(
                deployment.cloud.context,
                cells[host.state.cell_uuid],
                host.state.host,
            ):
                # Its own, as it was when it was booted or resized.
                if not provider.slots_asked(guest.flavor.extra_specs):
                    found.append(guest.uuid)
                    hosts.append(host.name)
            progress.step()
    if not found:
        return Result(Code.SUCCESS)
    return Problem(
        Code.WARNING,
        'guests_without_slot',
        'Some flavors ask for %s, and servers on Xen hosts hold none, because '
        'their flavor did not ask for one when they were booted or resized: '
        '%s. Several schedulers may move these to one dom0 at once.'
        % (provider.DOM0_SLOT, counted_names(found)),
        'resize them to another flavor that asks for one (openstack server '
        'resize --flavor FLAVOR SERVER).',
        hosts,
    )
