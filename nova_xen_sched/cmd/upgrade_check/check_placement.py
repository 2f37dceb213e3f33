# SPDX-License-Identifier: Apache-2.0

"""Checks of what placement is asked for, and of what it has of Xen hosts."""

from __future__ import annotations

import collections
import typing as ty

import nova.conf
from nova.objects import service
from nova.scheduler import request_filter
from oslo_upgradecheck.upgradecheck import Code
from oslo_upgradecheck.upgradecheck import Result

from nova_xen_sched import provider
from nova_xen_sched.cmd.nova import failures
from nova_xen_sched.cmd.nova import placement
from nova_xen_sched.cmd.nova import request_spec
from nova_xen_sched.cmd.nova import servers
from nova_xen_sched.cmd.upgrade_check.deployment import counted_names
from nova_xen_sched.cmd.upgrade_check.deployment import Deployment
from nova_xen_sched.cmd.upgrade_check.deployment import grouped
from nova_xen_sched.cmd.upgrade_check.deployment import Problem

CONF = nova.conf.CONF

_XEN = {'hypervisor_type': 'xen', 'vm_mode': 'hvm'}
_TRAIT = 'trait:'

#: What keeps nova's warnings of OWNER_NOVA out of nova-scheduler's log.
_SILENCED = 'nova.scheduler.request_filter=ERROR'


def max_placement_results(deployment: Deployment) -> Result:
    """Placement's answer has room for the Xen hosts."""
    limit = CONF.scheduler.max_placement_results
    xen, every = len(deployment.xen), len(deployment.hosts)
    if not xen or limit >= every:
        return Result(Code.SUCCESS)
    if limit < xen:
        details = (
            'placement returns %d hosts at most, and there are %d Xen hosts.'
            % (limit, xen)
        )
    else:
        details = (
            'placement returns %d of %d hosts at most, before any filter. The '
            '%d Xen hosts may not be among them: never, or now and then where '
            '[placement] randomize_allocation_candidates is true in the '
            'configuration of placement.' % (limit, every, xen)
        )
    return Problem(
        Code.WARNING,
        'too_few',
        details,
        'raise [scheduler] max_placement_results to the number of hosts, or '
        'have images for Xen require a trait of Xen hosts (nova-xen-sched '
        'image check --traits).',
    )


def image_metadata_prefilter(deployment: Deployment) -> Result:
    """nova doesn't require of Xen hosts what old computes don't report."""
    if not CONF.scheduler.image_metadata_prefilter:
        return Result(Code.SUCCESS, 'It is off.')
    return _left_out(
        deployment,
        request_filter.transform_image_metadata,
        {**_XEN, 'hw_architecture': 'x86_64'},
        'raw',
        'image_metadata_prefilter is on: for an image with '
        'hw_architecture=x86_64 nova requires %s.',
        'set [scheduler] image_metadata_prefilter = false, or remove '
        'hw_architecture from images for Xen.',
    )


def image_type_support(deployment: Deployment) -> Result:
    """nova doesn't require a disk format that Xen hosts don't report."""
    if not CONF.scheduler.query_placement_for_image_type_support:
        return Result(Code.SUCCESS, 'It is off.')
    return _left_out(
        deployment,
        request_filter.require_image_type_support,
        _XEN,
        'vhd',
        'query_placement_for_image_type_support is on: for an image of the '
        'format vhd nova requires %s.',
        'if there are such images for Xen, set [scheduler] '
        'query_placement_for_image_type_support = false, or convert them '
        '(nova-xen-sched image check --disk-formats raw,qcow2).',
    )


def _left_out(
    deployment: Deployment,
    prefilter: ty.Callable[[ty.Any, ty.Any], ty.Any],
    properties: dict[str, str],
    disk_format: str,
    details: str,
    remedy: str,
) -> Result:
    """Whether placement leaves Xen hosts out for an image.

    :param prefilter: nova's, which adds to a request what it requires.
    :param details: takes the traits that it is for.
    """
    spec = request_spec.boot(
        deployment.cloud,
        request_spec.image_of(properties, disk_format),
        request_spec.flavor_of(512, 1, 1),
    )
    prefilter(deployment.cloud.context, spec)
    lacking: dict[str, set[str]] = {}
    for trait in sorted(spec.root_required):
        having = _having(trait)
        without = {
            each.name
            for each in deployment.xen
            if each.state.uuid not in having
        }
        if without:
            lacking[trait] = without
    if not lacking:
        return Result(Code.SUCCESS)
    return Problem(
        Code.WARNING,
        'xen_hosts_left_out',
        details % ', '.join(lacking)
        + ' Placement leaves out the Xen hosts that do not report that: %s.'
        % grouped('%s: %s', lacking),
        remedy,
        (name for each in lacking.values() for name in each),
    )


def _having(trait: str) -> set[str]:
    """The UUIDs of the compute nodes with a trait."""
    found = placement.get('/resource_providers?required=' + trait, '1.18')
    # There is none where placement doesn't know it.
    providers = found['resource_providers'] if found else ()
    return {each['root_provider_uuid'] for each in providers}


def owner_nova(deployment: Deployment) -> Result:
    """nova doesn't warn at each request that a compute is old."""
    # nova requires the trait from 34 on.
    needed = getattr(request_filter, 'MIN_COMPUTE_VERSION_OWNER_TRAIT', 0)
    if not needed:
        return Result(Code.SUCCESS, 'This nova does not require the trait.')
    with failures.reading(failures.API_DATABASE):
        oldest = service.get_minimum_version_all_cells(
            deployment.cloud.context, ['nova-compute']
        )
    if oldest >= needed:
        return Result(Code.SUCCESS)
    if _SILENCED in CONF.default_log_levels:
        return Result(
            Code.SUCCESS, 'default_log_levels leaves out what nova warns of.'
        )
    old = [
        each.name
        for each in deployment.hosts
        # nova leaves out what is forced down.
        if each.state.service
        and not each.state.service.get('forced_down')
        and each.state.service.get('version', needed) < needed
    ]
    return Problem(
        Code.WARNING,
        'old_computes',
        'nova-scheduler logs a warning at each request, "OWNER_NOVA trait not '
        'added to scheduling request": the oldest nova-compute has the '
        'service version %d, and %d is needed. No host is left out for it. '
        'Older computes: %s.'
        % (oldest, needed, counted_names(old) if old else 'none with a node'),
        'upgrade them, or delete the records of those that are gone '
        '(openstack compute service delete). Where they stay, as '
        'nova-compute-xen with nova 22, add %s to the list in [DEFAULT] '
        'default_log_levels.' % _SILENCED,
        old,
    )


def isolated_aggregates(deployment: Deployment) -> Result:
    """Servers can stay in an aggregate that requires a trait."""
    if not CONF.scheduler.enable_isolated_aggregate_filtering:
        return Result(Code.SUCCESS, 'It is off.')
    required: dict[str, set[str]] = {}
    stranded: dict[str, set[str]] = collections.defaultdict(set)
    hosts = set()
    for each in deployment.xen:
        for aggregate in each.state.aggregates:
            for key, value in aggregate.metadata.items():
                if not key.startswith(_TRAIT) or value != 'required':
                    continue
                trait = key[len(_TRAIT) :]
                if trait not in required:
                    required[trait] = set(
                        servers.requiring(deployment.cloud.context, trait)
                    )
                free = set(each.state.instances) - required[trait]
                if free:
                    stranded[
                        '%s of aggregate %s' % (trait, aggregate.name)
                    ] |= free
                    hosts.add(each.name)
    if not stranded:
        return Result(Code.SUCCESS)
    return Problem(
        Code.WARNING,
        'servers_isolated',
        'enable_isolated_aggregate_filtering is on, and servers on Xen hosts '
        'do not require the trait that the aggregate of their host requires, '
        'so that they can move to no host in it: %s.'
        % grouped('%s, servers: %s', stranded),
        'take trait:... out of the metadata of the aggregate until these '
        'servers are gone, or give their flavor the trait and resize them.',
        hosts,
    )


def live_migration_required(deployment: Deployment) -> Result:
    """Nothing requires CUSTOM_XEN_LIVE_MIGRATION."""
    trait = provider.LIVE_MIGRATION
    parts = []
    uuids = servers.requiring(deployment.cloud.context, trait)
    if uuids:
        parts.append(
            'the stored requests of servers %s' % counted_names(uuids)
        )
    flavors = [
        each.name
        for each in deployment.flavors
        if trait in servers.traits_of_flavor(each)
    ]
    if flavors:
        parts.append('the flavors %s' % counted_names(flavors))
    if not parts:
        return Result(Code.SUCCESS)
    return Problem(
        Code.WARNING,
        'live_migration_required',
        '%s is required by %s. Nothing of these can be booted, unshelved or '
        'evacuated on other hosts either.' % (trait, ' and by '.join(parts)),
        'remove the trait from images (nova-xen-sched image check) and '
        'flavors; then resize the servers to such a flavor, or rebuild them '
        'of another image, and keep the trait on the hosts until that is '
        'done.',
    )
