# SPDX-License-Identifier: Apache-2.0

"""Checks of the facts, and of the file that has them."""

from __future__ import annotations

import collections

from oslo_upgradecheck.upgradecheck import Code
from oslo_upgradecheck.upgradecheck import Result

from nova_xen_sched import refusal
from nova_xen_sched.cmd import installed
from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd.nova import xen_hosts
from nova_xen_sched.cmd.upgrade_check.deployment import counted_names
from nova_xen_sched.cmd.upgrade_check.deployment import Deployment
from nova_xen_sched.cmd.upgrade_check.deployment import grouped
from nova_xen_sched.cmd.upgrade_check.deployment import Problem
from nova_xen_sched.facts import file
from nova_xen_sched.load import LOAD_FACTS

#: The facts without which a version is unknown to its rule.
_VERSIONS = {
    refusal.Code.LIBVIRT_UNKNOWN: 'libvirt_version',
    refusal.Code.XEN_UNKNOWN: 'xen_version',
}


def facts_file(deployment: Deployment) -> Result:
    """The facts file can be read; its checksum, to compare schedulers by."""
    settings = deployment.settings
    path = settings.host_facts_file
    if not path:
        return Result(Code.SUCCESS, 'host_facts_file is not set.')
    if 'file' not in settings.fact_sources:
        return Problem(
            Code.WARNING,
            'not_in_fact_sources',
            'host_facts_file is set to %s, and fact_sources leaves file out, '
            'so it is not read.' % path,
            'add file to fact_sources, or take host_facts_file out.',
        )
    try:
        table, digest = file.load(path)
    except file.FileError as e:
        return Problem(
            Code.FAILURE,
            'unusable',
            "%s can't be used: %s." % (path, e),
            'correct the file; %s is an example. Until then nova-scheduler '
            'keeps the last good facts, and has none after a restart.'
            % installed.where('host-facts.yaml'),
        )
    if table.wrong:
        return Problem(
            Code.WARNING,
            'mistakes',
            'nova-scheduler does not use what is wrong in %s (%d): %s.'
            % (path, len(table.wrong), tables.mistakes(table.wrong)),
            'correct the file; %s is an example.'
            % installed.where('host-facts.yaml'),
        )
    return Result(
        Code.SUCCESS,
        '%s: %s, %s, sha256 %s (it should be the same beside each '
        'nova-scheduler).'
        # As many digits as nova-scheduler logs.
        % (
            path,
            tables.counted(len(table.hosts)),
            tables.counted(len(table.patterns), 'pattern'),
            digest[:12],
        ),
    )


def nonexistent(deployment: Deployment) -> Result:
    """Each host and pattern in the file is of a host that there is."""
    settings = deployment.settings
    none = Result(Code.SUCCESS, 'There is no facts file to look at.')
    if not settings.host_facts_file or 'file' not in settings.fact_sources:
        return none
    try:
        table, _ = file.load(settings.host_facts_file)
    except file.FileError:
        return none
    if deployment.cloud.unreachable:
        return Result(
            Code.SUCCESS,
            "Unknown, because cells can't be read: %s."
            % ', '.join(sorted(deployment.cloud.unreachable)),
        )
    existing = {
        str(name).lower()
        for each in deployment.hosts
        for name in (each.state.host, each.state.nodename)
    }
    parts = []
    gone = set(table.hosts) - existing
    if gone:
        parts.append('hosts that nova does not have: %s' % counted_names(gone))
    idle = [
        str(number)
        for number, pattern, _ in table.patterns
        if not any(map(pattern.fullmatch, existing))
    ]
    if idle:
        parts.append('patterns that match no host: entry %s' % ', '.join(idle))
    if not parts:
        return Result(Code.SUCCESS)
    return Problem(
        Code.WARNING,
        'names_that_do_not_exist',
        'The facts file has %s.' % '; '.join(parts),
        'correct the names (they are those of openstack compute service '
        'list), or take them out.',
    )


def unknown(deployment: Deployment) -> Result:
    """The facts that the rules and the weigher need are known."""
    settings = deployment.settings
    lacking: dict[str, list[str]] = collections.defaultdict(list)
    for each in deployment.xen:
        for found in xen_hosts.strict_refusals(each, settings):
            if found.code in _VERSIONS:
                lacking[_VERSIONS[found.code]].append(each.name)
        for name in LOAD_FACTS - {'reserved_host_memory_mb'}:
            if each.host.facts.get(name) is None:
                lacking[name].append(each.name)
    if not lacking:
        return Result(Code.SUCCESS)
    return Problem(
        Code.WARNING,
        'unknown_facts',
        'These facts are unknown: %s. For unknown versions '
        'unknown_version = %s counts. A dom0 of unknown size counts as '
        '%.12g MiB and %.12g vCPUs.'
        % (
            grouped('%s of %s', lacking),
            settings.unknown_version,
            settings.dom0_memory_mb,
            settings.dom0_vcpus,
        ),
        'write them into host_facts_file, or publish them. nova-xen-sched '
        'facts export shows them on the host.',
        (name for each in lacking.values() for name in each),
    )


def remarks(deployment: Deployment) -> Result:
    """No source says what can't be read, is too old, or can't be."""
    found: dict[str, list[str]] = collections.defaultdict(list)
    for each in deployment.xen:
        for _, sentence in each.host.facts.remarks:
            found[sentence].append(each.name)
    if not found:
        return Result(Code.SUCCESS)
    return Problem(
        Code.WARNING,
        'unreadable_or_stale',
        grouped('%s: %s', found) + '.',
        'read the facts on the hosts again, and correct the wrong ones.',
        (name for each in found.values() for name in each),
    )
