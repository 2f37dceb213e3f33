# SPDX-License-Identifier: Apache-2.0


"""How many more guests of a flavor fit on Xen hosts, by nova and by dom0.

Placement is asked what a boot would take and where; nova's enabled filters,
once for the first guest, which hosts would take it at all; the dom0 model,
what its rooms have left.
"""

from __future__ import annotations

import typing as ty

from nova_xen_sched import conf
from nova_xen_sched import dom0
from nova_xen_sched.cmd import base
from nova_xen_sched.cmd.hosts import fits
from nova_xen_sched.cmd.hosts.fits import Fits
from nova_xen_sched.cmd.hosts.fits import Stock
from nova_xen_sched.cmd.nova import filtering
from nova_xen_sched.cmd.nova import placement
from nova_xen_sched.cmd.nova import request_spec
from nova_xen_sched.cmd.nova import xen_hosts
from nova_xen_sched.cmd.nova.scheduler import View
from nova_xen_sched.filters import XenHostFilter
from nova_xen_sched.load import mode_of
from nova_xen_sched.refusal import Code

_ROOM_CODES = frozenset(Code(str(room)) for room in dom0.Room)


def count(
    view: View, seen: list[xen_hosts.Seen], flavor: ty.Any, vm_mode: str
) -> list[Fits]:
    """How many more guests fit on each host.

    :param seen: Xen hosts.
    :param flavor: a nova Flavor.
    :param vm_mode: of the guests: 'hvm' or 'xen'.
    :returns: in the order of the hosts.
    :raises errors.Failure: if placement can't be asked, or nova would refuse
        the request.
    """
    image = request_spec.image_of(
        {'hypervisor_type': 'xen', 'vm_mode': vm_mode}, 'raw'
    )
    # nova wants a volume where the flavor has no disk.
    spec = request_spec.boot(
        view, image, flavor, boot_from_volume=not flavor.root_gb
    )
    found = placement.candidates(
        view.context, spec, view.host_manager, every=True
    )
    refused = _refused(view, seen, spec, found)
    settings = xen_hosts.settings()
    kind = fits.Guest(
        mode_of(vm_mode, settings), flavor.memory_mb, flavor.vcpus
    )
    counted = []
    answer = _Placement(found)
    with base.Progress('Counting guests', len(seen)) as shown:
        for each in seen:
            counted.append(
                _count(
                    each, kind, answer, refused.get(each.name, ''), settings
                )
            )
            shown.step()
    return counted


def _count(
    seen: xen_hosts.Seen,
    kind: fits.Guest,
    answer: _Placement,
    refused: str,
    settings: conf.Settings,
) -> Fits:
    assert seen.load is not None  # noqa: S101  a Xen host
    limits = fits.of_rooms(settings.dom0_model, seen.load, kind)
    provider = seen.state.uuid
    amounts = answer.amounts(provider)
    if amounts is not None:
        limits.update(fits.of_placement(amounts, answer.stocks))
        pools = answer.pools(provider, amounts)
        return Fits(seen.name, limits, refused, pools)
    own = _own(provider, answer.found.resources)
    limits.update(own or {})
    if answer.found.refusal is not None:
        refused = 'request: ' + answer.found.refusal
    elif own is None:
        refused = 'placement: it has no inventory of this host'
    elif min(own.values(), default=1) > 0:
        refused = (
            'placement: no candidate, for its traits, aggregates or resources'
        )
    return Fits(seen.name, limits, refused)


def _refused(
    view: View,
    seen: list[xen_hosts.Seen],
    spec: ty.Any,
    found: placement.Candidates,
) -> dict[str, str]:
    """The first filter of each host that takes no such guest, and why.

    dom0's hard limit is left to the limits, which say how far it reaches.
    """
    states = []
    for each in seen:
        if found.by_provider.get(each.state.uuid):
            placement.attach(each.state, found)
            states.append(each)
    result = filtering.filtered(
        view.host_manager, [each.state for each in states], spec
    )
    steps = {
        id(state): step for step in result.steps for state in step.refused
    }
    refused = {}
    ours = {}
    for step in result.steps:
        if step.name == XenHostFilter.__name__:
            verdicts = view.xen_filter().verdicts(step.refused, spec)
            ours = dict(zip(map(id, step.refused), verdicts))
    for each in states:
        step_of = steps.get(id(each.state))
        if step_of is None:
            continue
        why = step_of.why
        verdict = ours.get(id(each.state))
        if verdict is not None and verdict.refusal is not None:
            if verdict.refusal.code in _ROOM_CODES:
                continue
            why = str(verdict.refusal.code)
        refused[each.name] = '%s: %s' % (step_of.name, why)
    return refused


class _Placement:
    """Placement's answer, as it is asked for every host."""

    def __init__(self, found: placement.Candidates) -> None:
        self.found = found
        self.stocks: fits.Stocks = {
            provider: {
                name: Stock(each['capacity'], each['used'])
                for name, each in summary['resources'].items()
            }
            for provider, summary in found.summaries.items()
        }

    def amounts(self, provider: str) -> fits.Amounts | None:
        """What a guest would take there, None if it is no candidate.

        Of several ways to place it, that which serves most guests.
        """
        ways = [
            {
                name: each['resources']
                for name, each in wanted['allocations'].items()
            }
            for wanted in self.found.by_provider.get(provider, [])
        ]
        return max(ways, key=self._fits) if ways else None

    def _fits(self, amounts: fits.Amounts) -> float:
        limits = fits.of_placement(amounts, self.stocks)
        return min(limits.values(), default=float('inf'))

    def pools(self, own: str, amounts: fits.Amounts) -> dict[str, int]:
        """How many fit in each provider that a host shares with others."""
        return {
            provider: min(
                fits.of_placement({provider: each}, self.stocks).values(),
                default=0,
            )
            for provider, each in amounts.items()
            if provider != own and self._is_root(provider)
        }

    def _is_root(self, provider: str) -> bool:
        """Whether a provider is no part of another, as a NUMA node is."""
        summary = self.found.summaries[provider]
        return bool(summary.get('root_provider_uuid', provider) == provider)


def _own(
    provider: str, resources: ty.Mapping[str, int]
) -> dict[str, int] | None:
    """How many fit by the inventories of a host that is no candidate.

    :returns: None if placement doesn't know the host. What it has none of,
        as where storage is shared, is left out.
    """
    inventories = placement.stocks(provider)
    if inventories is None:
        return None
    stocks = {}
    for name, each in inventories.items():
        amount = resources.get(name, 0)
        most = (each['total'] - each['reserved']) * each['allocation_ratio']
        if amount > each['max_unit'] or amount < each['min_unit']:
            most = 0
        stocks[name] = Stock(int(most), each['used'])
    amounts = {
        name: amount for name, amount in resources.items() if name in stocks
    }
    return fits.of_placement({provider: amounts}, {provider: stocks})
