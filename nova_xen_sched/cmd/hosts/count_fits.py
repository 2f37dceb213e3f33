# SPDX-License-Identifier: Apache-2.0

"""How many more guests of a flavor fit on Xen hosts, by nova and by dom0.

Placement is asked what a boot would take and where; nova's enabled filters,
once for the first guest, which hosts would take it at all; the dom0 model,
what its resources have left.
"""

from __future__ import annotations

import argparse
import sys
import typing as ty

from nova_xen_sched import conf
from nova_xen_sched import dom0
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd import guest_arguments
from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd.hosts import fits
from nova_xen_sched.cmd.hosts.fits import Fits
from nova_xen_sched.cmd.nova import left_out
from nova_xen_sched.cmd.nova import placement
from nova_xen_sched.cmd.nova import refused
from nova_xen_sched.cmd.nova import request_spec
from nova_xen_sched.cmd.nova import xen_hosts
from nova_xen_sched.cmd.nova.causes import Found
from nova_xen_sched.cmd.nova.causes import Refused
from nova_xen_sched.cmd.nova.scheduler import Cloud
from nova_xen_sched.cmd.progress import Progress
from nova_xen_sched.fits import Guest
from nova_xen_sched.fits import of_dom0
from nova_xen_sched.load import mode_of

#: The codes of causes that a limit says better.
_LIMITED = ('resource', 'no_candidate')
#: nova's vm_mode for the dom0 model's modes; it has none for PVH.
_VM_MODES = {'hvm': 'hvm', 'pv': 'xen'}


class Counted(ty.NamedTuple):
    """Hosts, and how many more guests fit on them.

    :ivar hosts: those that were asked for, of other hypervisors too.
    :ivar fits: of the Xen hosts of them, by name; empty if they can't be
        counted.
    :ivar guests: the kind of guest that is counted.
    :ivar settings: the options of [xen_scheduler].
    :ivar failure: why they can't be counted, placement out of reach say.
    :ivar dom0_limits: of the Xen hosts by name, how many fit by what dom0
        has, None for no limit; only if there is a failure.
    """

    hosts: ty.Sequence[xen_hosts.ComputeHost]
    fits: dict[str, Fits]
    guests: tables.Structured
    settings: conf.Settings
    failure: errors.Failure | None = None
    dom0_limits: ty.Mapping[str, ty.Mapping[str, ty.Optional[int]]] = {}


def count(
    cloud: Cloud,
    parsed_args: argparse.Namespace,
    hosts: ty.Sequence[xen_hosts.ComputeHost],
) -> Counted:
    """How many more guests fit on these hosts.

    :param parsed_args: with those of guest_arguments.
    :raises errors.Failure: if nova has no such flavor, or would refuse the
        request.
    """
    flavor = guest_arguments.flavor(cloud, parsed_args)
    return count_guests(cloud, flavor, parsed_args.vm_mode, hosts)


def count_guests(
    cloud: Cloud,
    flavor: ty.Any,
    vm_mode: str,
    hosts: ty.Sequence[xen_hosts.ComputeHost],
) -> Counted:
    """How many more guests of a flavor fit on these hosts.

    :param flavor: a nova Flavor.
    :param vm_mode: of guest_arguments.
    :raises errors.Failure: if nova would refuse the request.
    """
    settings = xen_hosts.settings()
    mode = mode_of(vm_mode, settings)
    properties = {'hypervisor_type': 'xen'}
    if mode in _VM_MODES:
        properties['vm_mode'] = _VM_MODES[mode]
    image = request_spec.image_of(properties, 'raw')
    # nova wants a volume where the flavor has no disk.
    spec = request_spec.boot(
        cloud, image, flavor, boot_from_volume=not flavor.root_gb
    )
    guest = Guest(mode, flavor.memory_mb, flavor.vcpus)
    label = guest_arguments.kind(flavor, mode)
    xen = [each for each in hosts if each.host.is_xen]
    try:
        found = _fits(cloud, xen, spec, settings.dom0_model, guest)
    except errors.Failure as e:
        limits = {
            each.name: {
                **dict.fromkeys(refused.HARD_LIMIT),
                **of_dom0(settings.dom0_model, each.load, guest),
            }
            for each in xen
            if each.load
        }
        return Counted(hosts, {}, label, settings, e, limits)
    return Counted(hosts, found, label, settings)


def _fits(
    cloud: Cloud,
    hosts: list[xen_hosts.ComputeHost],
    spec: ty.Any,
    model: dom0.Model,
    guest: Guest,
) -> dict[str, Fits]:
    """How many more guests fit on Xen hosts, by name.

    :raises errors.Failure: if placement can't be asked, or a filter fails.
    """
    if not hosts:
        return {}
    with Progress('Asking placement'):
        candidates = placement.candidates(
            cloud.context, spec, cloud.host_manager, every=True
        )
        causes: dict[int, Found] = {}
        steps = left_out.by_placement(
            cloud, spec, [h.state for h in hosts], candidates, causes
        )
        absences = {
            id(state): (step.name, causes[id(state)])
            for step in steps
            for state in step.refused
        }
    with Progress("Asking nova's filters"):
        states = [
            each.state
            for each in hosts
            if each.state.uuid in candidates.by_provider
        ]
        for state in states:
            placement.attach(state, candidates)
        by_filter = refused.by_filters(cloud, states, spec)
    counted = {}
    with Progress('Counting guests', len(hosts)) as progress:
        for each in hosts:
            assert each.load is not None  # noqa: S101  a Xen host
            limits, why, shared = _by_placement(
                each.state.uuid, candidates, absences.get(id(each.state))
            )
            limits.update(of_dom0(model, each.load, guest))
            counted[each.name] = Fits(
                each.name, limits, why or by_filter.get(each.name), shared
            )
            progress.step()
    return counted


def _by_placement(
    provider: str,
    candidates: placement.Candidates,
    absence: tuple[str, Found] | None,
) -> tuple[dict[str, int], Refused | None, dict[str, int]]:
    """How many fit on a host by placement.

    :param absence: the step that leaves it out, and why; None if it has a
        candidate.
    :returns: how many by resource class; why it takes none at all, None if it
        does; and by provider, how many fit in what it shares with others.
    """
    if absence is not None:
        step, found = absence
        limits = _by_inventories(provider, candidates)
        others = tuple(e for e in found.causes if e.code not in _LIMITED)
        # Where a limit says it, how far that reaches is said, too.
        if not others and min(limits.values(), default=1) <= 0:
            return limits, None, {}
        shown = found._replace(causes=others or found.causes)
        return limits, refused.by_step(step, '', shown), {}
    ways = [
        {name: each['resources'] for name, each in way['allocations'].items()}
        for way in candidates.by_provider.get(provider, [])
    ]
    summaries = {
        name: candidates.summaries[name] for way in ways for name in way
    }
    left = {
        name: {
            resource: each['capacity'] - each['used']
            for resource, each in summary['resources'].items()
        }
        for name, summary in summaries.items()
    }

    def most(way: fits.Amounts) -> int:
        return min(fits.of_placement(way, left).values(), default=sys.maxsize)

    best = max(ways, key=most)
    shared = {
        name: most({name: amounts})
        for name, amounts in best.items()
        # What is no part of another, as a NUMA node is.
        if name != provider
        and summaries[name].get('root_provider_uuid', name) == name
    }
    return fits.of_placement(best, left), None, shared


def _by_inventories(
    provider: str, candidates: placement.Candidates
) -> dict[str, int]:
    """How many fit on a host that is no candidate.

    What it has none of, as where storage is shared, is left out.
    """
    amounts: dict[str, int] = {}
    left: dict[str, int] = {}
    for name, each in (placement.stocks(provider) or {}).items():
        amounts[name] = amount = candidates.resources.get(name, 0)
        capacity = 0
        if each['min_unit'] <= amount <= each['max_unit']:
            capacity = int(
                (each['total'] - each['reserved']) * each['allocation_ratio']
            )
        left[name] = capacity - each['used']
    return fits.of_placement({provider: amounts}, {provider: left})
