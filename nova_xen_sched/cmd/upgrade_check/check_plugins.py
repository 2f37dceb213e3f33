# SPDX-License-Identifier: Apache-2.0


"""Checks of how the plugins are enabled."""

from __future__ import annotations

from nova_xen_sched import conf
from nova_xen_sched import refusal
from nova_xen_sched.cmd.upgrade_check.situation import failure
from nova_xen_sched.cmd.upgrade_check.situation import Finding
from nova_xen_sched.cmd.upgrade_check.situation import fine
from nova_xen_sched.cmd.upgrade_check.situation import Situation
from nova_xen_sched.cmd.upgrade_check.situation import warning
from nova_xen_sched.filters import XenHostFilter
from nova_xen_sched.weights import Dom0HeadroomWeigher

#: What only ImagePropertiesFilter would refuse in place of XenHostFilter.
_GUEST_TYPES = frozenset(
    {
        refusal.Code.ARCHITECTURE,
        refusal.Code.HYPERVISOR_TYPE,
        refusal.Code.VM_MODE,
    }
)


def filter_enabled(situation: Situation) -> Finding:
    """nova-scheduler runs XenHostFilter."""
    if any(isinstance(f, XenHostFilter) for f in situation.view.filters):
        return fine()
    return failure(
        'XenHostFilter is not among the enabled filters: no host is refused '
        'by it.',
        'in [filter_scheduler] name it in enabled_filters in place of '
        'ImagePropertiesFilter, add available_filters = '
        'nova_xen_sched.filters.all_filters beside '
        'nova.scheduler.filters.all_filters, and restart nova-scheduler.',
    )


def weigher_enabled(situation: Situation) -> Finding:
    """nova-scheduler weighs by dom0's headroom."""
    if any(
        isinstance(w, Dom0HeadroomWeigher) for w in situation.view.weighers
    ):
        return fine()
    return warning(
        'Dom0HeadroomWeigher is not among the weighers: the host with most '
        'free memory gets the next guest, however full its dom0 is.',
        'set [filter_scheduler] weight_classes = '
        'nova.scheduler.weights.all_weighers,'
        'nova_xen_sched.weights.all_weighers and restart nova-scheduler.',
    )


def option_names(situation: Situation) -> Finding:
    """Every name in [xen_scheduler] is an option."""
    unknown = conf.unknown_names(situation.config)
    if not unknown:
        return fine()
    return failure(
        'In [xen_scheduler] these are no options and have no effect: %s.'
        % ', '.join(
            name + (' (nearest: %s)' % nearest if nearest else '')
            for name, nearest in unknown
        ),
        'correct them, or take them out; every option stands in '
        'etc/nova_xen_sched/nova-xen-sched.conf.sample.',
    )


def image_properties_filter(situation: Situation) -> Finding:
    """nova's own filter is where it belongs: out, or beside a trial."""
    filters = situation.view.filters
    order = [type(each).__name__ for each in filters]
    ours = next(
        (
            i
            for i, each in enumerate(filters)
            if isinstance(each, XenHostFilter)
        ),
        None,
    )
    if ours is None:
        return fine('XenHostFilter is not enabled, so it is needed.')
    theirs = (
        order.index('ImagePropertiesFilter')
        if 'ImagePropertiesFilter' in order
        else None
    )
    reported = situation.settings.report_only
    trial = _GUEST_TYPES & reported
    if theirs is None:
        if not trial:
            return fine('It is not enabled: XenHostFilter replaces it.')
        return failure(
            'Nothing refuses hosts for %s: report_only names it, and '
            'ImagePropertiesFilter is not enabled.' % ', '.join(sorted(trial)),
            'enable ImagePropertiesFilter behind XenHostFilter while '
            'report_only names these, or take them out of it.',
        )
    if theirs < ours:
        return warning(
            'It is enabled before XenHostFilter, which so never sees the '
            'hosts that it refuses, and has no reason to give for them.',
            'put XenHostFilter first, or take ImagePropertiesFilter out.',
        )
    if trial:
        return fine(
            'It is enabled behind XenHostFilter, as it should be while '
            'report_only names %s.' % ', '.join(sorted(trial))
        )
    return warning(
        'It is enabled behind XenHostFilter, which has refused all that it '
        'would; it costs time, and nova 27 to 34 fail in it for images with '
        'hw_maxphysaddr_bits.',
        'take ImagePropertiesFilter out of enabled_filters.',
    )
