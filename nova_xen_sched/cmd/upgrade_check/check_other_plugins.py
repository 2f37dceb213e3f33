# SPDX-License-Identifier: Apache-2.0


"""Checks of what stands beside the plugins and works against them."""

from __future__ import annotations

import collections
import typing as ty

from nova_xen_sched.cmd.upgrade_check.situation import Finding
from nova_xen_sched.cmd.upgrade_check.situation import fine
from nova_xen_sched.cmd.upgrade_check.situation import names
from nova_xen_sched.cmd.upgrade_check.situation import Situation
from nova_xen_sched.cmd.upgrade_check.situation import warning
from nova_xen_sched.weights import Dom0HeadroomWeigher

#: Weighers whose huge multiplier is a veto, and which weigh nothing else.
_VETOES = frozenset({'BuildFailureWeigher', 'CrossCellWeigher'})
#: How often the headroom's multiplier must hold the largest other one. By
#: simulation 5 does nearly as well as 10; with 1 or 2 the others drown it.
_ENOUGH = 5


def multipliers(situation: Situation) -> Finding:
    """Headroom is not drowned by the other weighers."""
    weighers = situation.view.weighers
    ours = next(
        (w for w in weighers if isinstance(w, Dom0HeadroomWeigher)), None
    )
    if ours is None:
        return fine('Dom0HeadroomWeigher is not enabled.')
    others = [
        (type(other).__name__, other)
        for other in weighers
        if other is not ours and type(other).__name__ not in _VETOES
    ]
    drowned: dict[str, list[str]] = collections.defaultdict(list)
    for each in situation.xen:
        own = ours.weight_multiplier(each.state)
        largest, name = max(
            (
                (abs(other.weight_multiplier(each.state)), name)
                for name, other in others
            ),
            default=(0.0, ''),
        )
        if own == 0:
            drowned['it is 0, so headroom counts nothing'].append(each.name)
        elif own < 0:
            drowned[
                'it is %g, so that hosts with the least headroom come first'
                % own
            ].append(each.name)
        elif own < _ENOUGH * largest:
            drowned[
                "it is %g, and %s's %g: that drowns it" % (own, name, largest)
            ].append(each.name)
    if not drowned:
        return fine()
    return warning(
        'dom0_headroom_weight_multiplier on Xen hosts: %s.'
        % '; '.join(
            '%s, on %s' % (why, names(hosts))
            for why, hosts in sorted(drowned.items())
        ),
        'make it %d times the largest other multiplier or more (in nova.conf, '
        'or in the metadata of aggregates), unless it is meant so.' % _ENOUGH,
    )


def hypervisor_version(situation: Situation) -> Finding:
    """Xen's version number is not compared with QEMU's."""
    weigher = situation.plugin(
        situation.view.weighers, 'HypervisorVersionWeigher'
    )
    if weigher is None:
        return fine('It is not enabled.')
    pushed: dict[str, float] = {
        each.name: weigher.weight_multiplier(each.state)
        for each in situation.xen
    }
    others = [
        each.state.hypervisor_version or 0
        for each in situation.seen
        if not each.host.is_xen
    ]
    counted = {name for name, multiplier in pushed.items() if multiplier}
    if not counted or not others:
        return fine()
    newest = max(each.state.hypervisor_version or 0 for each in situation.xen)
    return warning(
        "It compares Xen's version (%d) with that of other hypervisors (%d): "
        'images that name no hypervisor_type are %s Xen hosts by it; on %s.'
        % (
            newest,
            max(others),
            'pushed off'
            if (max(others) > newest) == (max(pushed.values()) > 0)
            else 'drawn to',
            names(counted),
        ),
        'set [filter_scheduler] hypervisor_version_weight_multiplier = 0, or '
        'name hypervisor_type on every image.',
    )


def max_placement_results(situation: Situation) -> Finding:
    """Placement's answer has room for the Xen hosts."""
    limit = situation.config.scheduler.max_placement_results
    xen, every = len(situation.xen), len(situation.seen)
    if not xen or limit >= every:
        return fine()
    if limit < xen:
        what = 'placement names %d hosts at most, and there are %d Xen hosts.'
        details = what % (limit, xen)
    else:
        what = (
            'placement names %d of %d hosts at most, before any filter: the '
            '%d Xen hosts may not be among them.'
        )
        details = what % (limit, every, xen)
    return warning(
        details,
        'raise [scheduler] max_placement_results to the number of hosts, or '
        'have placement select Xen hosts by a trait or an aggregate.',
    )


def aggregate_image_properties_isolation(situation: Situation) -> Finding:
    """nova doesn't warn of our metadata for every host of every request."""
    name = 'AggregateImagePropertiesIsolation'
    if situation.plugin(situation.view.filters, name) is None:
        return fine('It is not enabled.')
    found = _with_our_metadata(situation)
    if not found:
        return fine()
    return warning(
        'It logs a warning for each xen: key in the metadata of an '
        'aggregate, for every host of every request: aggregates %s.'
        % names(found),
        'have these facts in host_facts_file instead, or take %s out.' % name,
    )


def _with_our_metadata(situation: Situation) -> set[str]:
    every: dict[int, ty.Any] = {
        id(aggregate): aggregate
        for each in situation.seen
        for aggregate in each.state.aggregates
    }
    return {
        aggregate.name
        for aggregate in every.values()
        if any(key.startswith('xen:') for key in aggregate.metadata)
    }
