# SPDX-License-Identifier: Apache-2.0

"""Why hosts are left out by placement and by nova's filters, by name."""

from __future__ import annotations

import typing as ty
from urllib import parse

import nova.conf
from nova.scheduler.filters import extra_specs_ops
from nova.scheduler.filters import utils as filter_utils

from nova_xen_sched.cmd.nova import asking
from nova_xen_sched.cmd.nova import filtering
from nova_xen_sched.cmd.nova import placement
from nova_xen_sched.cmd.nova.causes import Cause
from nova_xen_sched.cmd.nova.causes import Found
from nova_xen_sched.cmd.nova.filtering import Step
from nova_xen_sched.cmd.nova.scheduler import Cloud

CONF = nova.conf.CONF


def by_placement(
    cloud: Cloud,
    spec: ty.Any,
    states: list[ty.Any],
    found: placement.Candidates,
    causes: dict[int, Found],
) -> list[Step]:
    """The hosts for which placement has no candidate.

    :param causes: where it is noted why, by the identity of HostStates.
    """
    absences = placement.absences(states, found)
    out = [state for state in states if id(state) in absences]
    steps = []
    bound = dict(parse.parse_qsl(found.query)).get('in_tree')
    if bound:
        host = next((s.host for s in states if s.uuid == bound), bound)
        elsewhere = [state for state in out if state.uuid != bound]
        why = 'the request is bound to %s' % host
        steps.append(Step(filtering.REQUEST, why, tuple(elsewhere)))
        out = filtering.without(out, elsewhere)
    asked: dict[str, Found] = {}
    unknown = [s.uuid for s in out if not absences[id(s)].known]
    if unknown:
        aggregates = cloud.host_manager.aggs_by_id.values()
        asked = asking.Asking(unknown, aggregates, spec, found.unknown).causes(
            found.query
        )
    for state in out:
        absence = absences[id(state)]
        known = asked.get(state.uuid, Found((), {}))
        if not known.causes:
            cause = Cause(
                absence.code,
                why=absence.why,
                # That has commands of its own.
                remedy='' if absence.code == 'disabled' else absence.remedy,
            )
            if absence.step == filtering.REQUEST:
                cause = _request_filter(absence.why, spec)
            elif found.limit and not absence.known:
                cause = Cause('limit')
            known = Found((cause,), {})
        causes[id(state)] = known
    step = filtering.PLACEMENT if found.refusal is None else filtering.REQUEST
    return [*steps, Step(step, found.refusal or '', tuple(out))]


def _request_filter(refusal: str, spec: ty.Any) -> Cause:
    """Why nova never asked placement."""
    options = CONF.scheduler
    if (
        options.limit_tenants_to_placement_aggregate
        and options.placement_aggregate_required_for_tenants
        and 'tenant' in refusal
    ):
        return Cause(
            'project',
            spec.project_id,
            True,
            why='[scheduler] placement_aggregate_required_for_tenants = true',
        )
    return Cause('request', why=refusal)


def by_filter(step: Step, state: ty.Any, spec: ty.Any) -> Found:
    """Why one of nova's filters refuses a host, where it can be named."""
    return Found(_causes(step, state, spec), {})


def _causes(step: Step, state: ty.Any, spec: ty.Any) -> tuple[Cause, ...]:
    if step.name == 'ComputeFilter':
        service = state.service or {}
        code = 'disabled' if service.get('disabled') else 'down'
        log = 'the log of nova-compute there says why'
        remedy = log if code == 'down' else ''
        why = 'its nova-compute is ' + code
        return (Cause(code, why=why, remedy=remedy),)
    if step.name == 'AvailabilityZoneFilter':
        return (Cause('availability_zone', spec.availability_zone),)
    if step.name == 'AggregateMultiTenancyIsolation':
        names = tuple(
            each.name
            for each in state.aggregates
            if any(key.startswith(asking.TENANT) for key in each.metadata)
        )
        return (Cause('project', spec.project_id, False, names),)
    if step.name == 'AggregateInstanceExtraSpecsFilter':
        return _extra_specs(state, spec)
    if step.name == 'AggregateImagePropertiesIsolation':
        return _image_properties(state, spec)
    return ()


def _extra_specs(state: ty.Any, spec: ty.Any) -> tuple[Cause, ...]:
    """The extra specs of a flavor that no aggregate of a host has."""
    metadata = filter_utils.aggregate_metadata_get_by_host(state)
    missing = []
    for key, wanted in sorted(spec.flavor.extra_specs.items()):
        # As nova has it: what has another scope is for others.
        scope, separator, name = key.partition(':')
        if not separator:
            name = key
        elif scope != 'aggregate_instance_extra_specs':
            continue
        values = metadata.get(name, ())
        if not any(extra_specs_ops.match(v, wanted) for v in values):
            missing.append('%s=%s' % (name, wanted))
    return tuple(Cause('aggregate_metadata', each, True) for each in missing)


def _image_properties(state: ty.Any, spec: ty.Any) -> tuple[Cause, ...]:
    """The properties that aggregates of a host want of images."""
    properties = spec.image.properties if spec.image else {}
    found = []
    metadata = filter_utils.aggregate_metadata_get_by_host(state)
    for key, wanted in sorted(metadata.items()):
        try:
            has = properties.get(key)
        except (AttributeError, ValueError):
            # That is no property of images.
            continue
        if has and str(has) not in wanted:
            names = tuple(
                a.name for a in state.aggregates if key in a.metadata
            )
            value = '%s=%s' % (key, ','.join(sorted(wanted)))
            found.append(Cause('aggregate_metadata', value, False, names))
    return tuple(found)
