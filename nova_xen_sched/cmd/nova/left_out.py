# SPDX-License-Identifier: Apache-2.0

"""Why hosts are left out by placement and by nova's filters, by name."""

from __future__ import annotations

import typing as ty
from urllib import parse

import nova.conf
from nova.scheduler.filters import extra_specs_ops
from nova.scheduler.filters import utils as filter_utils

from nova_xen_sched.cmd import troubleshooting
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
    out = [state for state in states if state.uuid not in found.by_provider]
    if found.refusal is not None:
        known = Found((_request_filter(found.refusal, spec),), {})
        causes.update((id(state), known) for state in out)
        return [Step(filtering.REQUEST, found.refusal, tuple(out))]
    steps = []
    bound = dict(parse.parse_qsl(found.query)).get('in_tree')
    if bound:
        host = next((s.host for s in states if s.uuid == bound), bound)
        elsewhere = [state for state in out if state.uuid != bound]
        why = 'the request is bound to %s' % host
        steps.append(Step(filtering.REQUEST, why, tuple(elsewhere)))
        out = filtering.without(out, elsewhere)
    providers = placement.providers() if out else ()
    unknown = []
    for state in out:
        # Placement knows by a trait that a host takes no guests.
        if (state.service or {}).get('disabled'):
            causes[id(state)] = Found((_compute('disabled'),), {})
        elif state.uuid not in providers:
            causes[id(state)] = Found((_UNKNOWN,), {})
        else:
            unknown.append(state)
    if unknown:
        none = Found((_no_candidate(found),), {})
        asked = asking.Asking(
            [state.uuid for state in unknown],
            cloud.host_manager.aggs_by_id.values(),
            spec,
            found.unknown,
        ).causes(found.query)
        for state in unknown:
            known = asked[state.uuid]
            causes[id(state)] = known if known.causes else none
    return [*steps, Step(filtering.PLACEMENT, '', tuple(out))]


_UNKNOWN = Cause(
    'unknown_to_placement',
    why='placement does not know it',
    remedy='nova-compute registers its host there when it runs: see that '
    "host's log of it",
)


def _no_candidate(found: placement.Candidates) -> Cause:
    """Why placement has none, where each part of a request is there."""
    if found.limit:
        return Cause('limit')
    if found.unknown:
        return Cause('no_candidate', why=found.unknown)
    return Cause(
        'no_candidate',
        why='it has no candidate there for ' + _readable(found.query),
        remedy=troubleshooting.PLACEMENT,
    )


def _readable(query: str) -> str:
    """A query to placement, for reading."""
    parts = []
    for name, value in parse.parse_qsl(query):
        if name == 'resources':
            parts.append(value.replace(':', ' ').replace(',', ', '))
        elif name in ('required', 'root_required'):
            for trait in value.split(','):
                if trait.startswith('!'):
                    parts.append('without trait %s' % trait[1:])
                else:
                    parts.append('with trait %s' % trait)
        elif name != 'limit':
            parts.append('%s=%s' % (name, value))
    return ', '.join(parts)


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
        return (_compute('disabled' if service.get('disabled') else 'down'),)
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


def _compute(state: str) -> Cause:
    """A nova-compute that takes no guests.

    :param state: disabled, or down.
    """
    log = 'the log of nova-compute there says why'
    remedy = log if state == 'down' else ''
    return Cause(state, why='its nova-compute is ' + state, remedy=remedy)


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
