# SPDX-License-Identifier: Apache-2.0

"""Checks of the plugins, and of nova's own that work against them."""

from __future__ import annotations

import collections
import typing as ty

import nova.conf
from oslo_upgradecheck.upgradecheck import Code
from oslo_upgradecheck.upgradecheck import Result

from nova_xen_sched import conf
from nova_xen_sched import refusal
from nova_xen_sched.cmd import installed
from nova_xen_sched.cmd.upgrade_check.deployment import counted_names
from nova_xen_sched.cmd.upgrade_check.deployment import Deployment
from nova_xen_sched.cmd.upgrade_check.deployment import grouped
from nova_xen_sched.cmd.upgrade_check.deployment import Problem

CONF = nova.conf.CONF

#: What only ImagePropertiesFilter would refuse in place of XenHostFilter.
_GUEST_TYPES = frozenset(
    {
        refusal.Code.ARCHITECTURE,
        refusal.Code.HYPERVISOR_TYPE,
        refusal.Code.VM_MODE,
    }
)
#: A weigher of nova's, from 31 on, that has a check of its own.
_BY_IMAGE = 'ImagePropertiesWeigher'
#: Weighers whose huge multiplier is a veto, and which weigh nothing else.
_VETOES = frozenset({'BuildFailureWeigher', 'CrossCellWeigher'})
#: How often the headroom's multiplier must hold the largest other one. By
#: simulation 5 does nearly as well as 10; with 1 or 2 the others drown it.
_ENOUGH = 5
#: Likewise beside a weigher that looks at images alone: with 2, a host that it
#: likes best must have half of the largest headroom. Tried once in the
#: simulation, with its arithmetic in place of nova's, 40 hosts 85 % full: with
#: 2 no dom0 was overcommitted; with 1 there were 6, and 20 where the other
#: multiplier was negative.
_ENOUGH_BY_IMAGE = 2


def _find(plugins: ty.Iterable[ty.Any], name: str) -> ty.Any:
    """The first plugin of a class of this name; None if there is none."""
    for each in plugins:
        if name in {kind.__name__ for kind in type(each).__mro__}:
            return each
    return None


def filter_enabled(deployment: Deployment) -> Result:
    """nova-scheduler runs XenHostFilter."""
    if _find(deployment.cloud.filters, 'XenHostFilter'):
        return Result(Code.SUCCESS)
    return Problem(
        Code.FAILURE,
        'not_enabled',
        'XenHostFilter is not among the enabled filters, so it refuses no '
        'host.',
        'in [filter_scheduler] name it in enabled_filters in place of '
        'ImagePropertiesFilter, add available_filters = '
        'nova_xen_sched.filters.all_filters beside '
        'nova.scheduler.filters.all_filters, and restart nova-scheduler.',
    )


def weigher_enabled(deployment: Deployment) -> Result:
    """nova-scheduler weighs by dom0's headroom."""
    if _find(deployment.cloud.weighers, 'Dom0HeadroomWeigher'):
        return Result(Code.SUCCESS)
    return Problem(
        Code.WARNING,
        'not_enabled',
        'Dom0HeadroomWeigher is not among the weighers: the host with most '
        'free memory gets the next guest, however full its dom0 is.',
        'set [filter_scheduler] weight_classes = '
        'nova.scheduler.weights.all_weighers,'
        'nova_xen_sched.weights.all_weighers and restart nova-scheduler.',
    )


def option_names(deployment: Deployment) -> Result:
    """Every name in [xen_scheduler] is an option."""
    unknown = conf.unknown_names(CONF)
    if not unknown:
        return Result(Code.SUCCESS)
    return Problem(
        Code.FAILURE,
        'unknown_names',
        'In [xen_scheduler] these are no options and have no effect: %s.'
        % ', '.join(
            name + (' (nearest: %s)' % nearest if nearest else '')
            for name, nearest in unknown
        ),
        'correct them, or take them out; all options are in %s.'
        % installed.where('nova-xen-sched.conf.sample'),
    )


def image_properties_filter(deployment: Deployment) -> Result:
    """nova's own filter is where it belongs: out, or beside a trial."""
    filters = deployment.cloud.filters
    ours = _find(filters, 'XenHostFilter')
    theirs = _find(filters, 'ImagePropertiesFilter')
    if ours is None:
        return Result(
            Code.SUCCESS,
            'It is needed, because XenHostFilter is not enabled.',
        )
    trial = ', '.join(sorted(_GUEST_TYPES & deployment.settings.report_only))
    if theirs is None and trial:
        return Problem(
            Code.FAILURE,
            'nothing_refuses',
            'Nothing refuses hosts for %s: report_only names it, and '
            'ImagePropertiesFilter is not enabled.' % trial,
            'enable ImagePropertiesFilter behind XenHostFilter while '
            'report_only names these, or take them out of it.',
        )
    if theirs is None:
        return Result(
            Code.SUCCESS, 'It is not enabled: XenHostFilter replaces it.'
        )
    if filters.index(theirs) < filters.index(ours):
        return Problem(
            Code.WARNING,
            'before_xen_host_filter',
            'ImagePropertiesFilter is enabled before XenHostFilter, which so '
            'never sees the hosts that ImagePropertiesFilter refuses, and can '
            'give no reason for them.',
            'put XenHostFilter first, or take ImagePropertiesFilter out.',
        )
    if trial:
        return Result(
            Code.SUCCESS,
            'It is enabled behind XenHostFilter, as it should be while '
            'report_only names %s.' % trial,
        )
    return Problem(
        Code.WARNING,
        'not_needed',
        'ImagePropertiesFilter is enabled behind XenHostFilter, which refuses '
        'the same hosts before. ImagePropertiesFilter costs time, and in nova '
        '27 to 34 it fails for images with hw_maxphysaddr_bits.',
        'take ImagePropertiesFilter out of enabled_filters.',
    )


def multipliers(deployment: Deployment) -> Result:
    """Headroom counts beside the other weighers."""
    weighers = deployment.cloud.weighers
    ours = _find(weighers, 'Dom0HeadroomWeigher')
    if ours is None:
        return Result(Code.SUCCESS, 'Dom0HeadroomWeigher is not enabled.')
    others = {
        type(each).__name__: each
        for each in weighers
        if each is not ours
        and type(each).__name__ not in _VETOES | {_BY_IMAGE}
    }
    outweighed: dict[str, list[str]] = collections.defaultdict(list)
    for host in deployment.xen:
        own = ours.weight_multiplier(host.state)
        largest, name = max(
            (
                (abs(other.weight_multiplier(host.state)), name)
                for name, other in others.items()
            ),
            default=(0.0, ''),
        )
        if own == 0:
            why = 'it is 0, so headroom counts nothing'
        elif own < 0:
            why = (
                'it is %.12g, so that hosts with the least headroom come first'
                % own
            )
        elif own < _ENOUGH * largest:
            why = "it is %.12g, too small beside %s's %.12g" % (
                own,
                name,
                largest,
            )
        else:
            continue
        outweighed[why].append(host.name)
    if not outweighed:
        return Result(Code.SUCCESS)
    return Problem(
        Code.WARNING,
        'headroom_outweighed',
        'dom0_headroom_weight_multiplier on Xen hosts: %s.'
        % grouped('%s, on %s', outweighed),
        'set it to %d times the largest other multiplier or more (in '
        'nova.conf, or in the metadata of aggregates), unless you want it so.'
        % _ENOUGH,
        (name for each in outweighed.values() for name in each),
    )


def image_properties_weigher(deployment: Deployment) -> Result:
    """Headroom counts more than what images the guests of a host have."""
    ours = _find(deployment.cloud.weighers, 'Dom0HeadroomWeigher')
    theirs = _find(deployment.cloud.weighers, _BY_IMAGE)
    if (
        theirs is None
        # What aggregates have counts nothing then.
        or not CONF.filter_scheduler.image_props_weight_multiplier
    ):
        return Result(Code.SUCCESS, 'It is off.')
    if ours is None:
        return Result(Code.SUCCESS, 'Dom0HeadroomWeigher is not enabled.')
    outweighed: dict[str, list[str]] = collections.defaultdict(list)
    for host in deployment.xen:
        own = ours.weight_multiplier(host.state)
        other = theirs.weight_multiplier(host.state)
        # That headroom counts nothing, or the wrong way, multipliers() says.
        if 0 < own < _ENOUGH_BY_IMAGE * abs(other):
            outweighed['%.12g beside %.12g' % (other, own)].append(host.name)
    if not outweighed:
        return Result(Code.SUCCESS)
    return Problem(
        Code.WARNING,
        'headroom_outweighed',
        'ImagePropertiesWeigher gathers guests whose images have the same '
        'properties on one host, or spreads them evenly where its multiplier '
        'is negative, however full or small a dom0 is. On Xen hosts '
        'image_props_weight_multiplier is too large beside '
        'dom0_headroom_weight_multiplier: %s.'
        % grouped('%s, on %s', outweighed),
        'set image_props_weight_multiplier to half of '
        'dom0_headroom_weight_multiplier or less on Xen hosts (in nova.conf, '
        'or in the metadata of aggregates), unless you want it so.',
        (name for each in outweighed.values() for name in each),
    )


def hypervisor_version(deployment: Deployment) -> Result:
    """Xen's version number is not compared with QEMU's."""
    weigher = _find(deployment.cloud.weighers, 'HypervisorVersionWeigher')
    if weigher is None:
        return Result(Code.SUCCESS, 'It is not enabled.')
    others = [
        each.state.hypervisor_version or 0
        for each in deployment.hosts
        if not each.host.is_xen
    ]
    multiplier_of: dict[str, float] = {
        each.name: weigher.weight_multiplier(each.state)
        for each in deployment.xen
    }
    if not others or not any(multiplier_of.values()):
        return Result(Code.SUCCESS)
    newest = max(each.state.hypervisor_version or 0 for each in deployment.xen)
    pushed = (max(others) > newest) == (max(multiplier_of.values()) > 0)
    return Problem(
        Code.WARNING,
        'versions_compared',
        "HypervisorVersionWeigher compares Xen's version (%d) with that of "
        'other hypervisors (%d), and so %s Xen hosts for guests of images '
        'that name no hypervisor_type; on %s.'
        % (
            newest,
            max(others),
            'avoids' if pushed else 'prefers',
            counted_names(
                name for name, each in multiplier_of.items() if each
            ),
        ),
        'set [filter_scheduler] hypervisor_version_weight_multiplier = 0, or '
        'name hypervisor_type on every image.',
        (name for name, each in multiplier_of.items() if each),
    )


def aggregate_image_properties_isolation(deployment: Deployment) -> Result:
    """nova doesn't warn of our metadata for every host of every request."""
    name = 'AggregateImagePropertiesIsolation'
    if _find(deployment.cloud.filters, name) is None:
        return Result(Code.SUCCESS, 'It is not enabled.')
    aggregates = {
        aggregate.name
        for each in deployment.hosts
        for aggregate in each.state.aggregates
        if any(key.startswith('xen:') for key in aggregate.metadata)
    }
    if not aggregates:
        return Result(Code.SUCCESS)
    return Problem(
        Code.WARNING,
        'warns_of_facts',
        '%s logs a warning for each xen: key in the metadata of an '
        'aggregate, for every host of every request: aggregates %s.'
        % (name, counted_names(aggregates)),
        'move these facts to host_facts_file, or take %s out.' % name,
    )
