# SPDX-License-Identifier: Apache-2.0


"""Checks of the facts, and of the file that has them."""

from __future__ import annotations

import collections
import dataclasses

from nova_xen_sched import rules
from nova_xen_sched.cmd.upgrade_check.situation import failure
from nova_xen_sched.cmd.upgrade_check.situation import Finding
from nova_xen_sched.cmd.upgrade_check.situation import fine
from nova_xen_sched.cmd.upgrade_check.situation import names
from nova_xen_sched.cmd.upgrade_check.situation import Situation
from nova_xen_sched.cmd.upgrade_check.situation import warning
from nova_xen_sched.facts import file
from nova_xen_sched.facts import parse_file
from nova_xen_sched.load import LOAD_FACTS
from nova_xen_sched.refusal import Code
from nova_xen_sched.request import GuestRequest
from nova_xen_sched.request import Kind

_PUBLISH = 'state them: nova-xen-sched facts export on the host shows them.'


def _load(situation: Situation) -> tuple[parse_file.Table, str] | None:
    """The facts file and its checksum, None if there is none, or it's bad."""
    path = situation.settings.host_facts_file
    if not path or 'file' not in situation.settings.fact_sources:
        return None
    try:
        return file.load(path)
    except (file.FileError, OSError, parse_file.TableError):
        return None


def facts_file(situation: Situation) -> Finding:
    """The facts file can be read; its checksum, to compare schedulers by."""
    settings = situation.settings
    path = settings.host_facts_file
    if not path:
        return fine('host_facts_file is not set.')
    if 'file' not in settings.fact_sources:
        return warning(
            'host_facts_file is set to %s, and fact_sources leaves file out, '
            'so it is not read.' % path,
            'add file to fact_sources, or take host_facts_file out.',
        )
    try:
        found, digest = file.load(path)
    except (file.FileError, OSError, parse_file.TableError) as e:
        return failure(
            "%s can't be used: %s."
            % (path, getattr(e, 'strerror', None) or e),
            'mend the file; etc/nova_xen_sched/host-facts.yaml is an example. '
            'Until then nova-scheduler keeps the last good facts, and has '
            'none after a restart.',
        )
    return fine(
        '%s: %d hosts, %d patterns, sha256 %s (to be the same beside each '
        'nova-scheduler).'
        # As many digits as nova-scheduler logs.
        % (path, len(found.hosts), len(found.patterns), digest[:12])
    )


def nonexistent(situation: Situation) -> Finding:
    """Each host and pattern in the file is of a host that there is."""
    loaded = _load(situation)
    if loaded is None:
        return fine('There is no facts file to look at.')
    found = loaded[0]
    existing = {
        str(name).lower()
        for each in situation.seen
        for name in (each.state.host, each.state.nodename)
    }
    gone = set(found.hosts) - existing
    idle = [
        number
        for number, (pattern, _) in enumerate(found.patterns, 1)
        if not any(map(pattern.fullmatch, existing))
    ]
    if situation.view.silent:
        return fine(
            "It can't be told while cells can't be read: %s."
            % ', '.join(sorted(situation.view.silent))
        )
    parts = []
    if gone:
        parts.append('hosts that nova does not have: %s' % names(gone))
    if idle:
        parts.append(
            'patterns that match no host: entry %s' % ', '.join(map(str, idle))
        )
    if not parts:
        return fine()
    return warning(
        'The facts file has %s.' % '; '.join(parts),
        'correct the names (they are those of openstack compute service '
        'list), or take them out.',
    )


def unknown(situation: Situation) -> Finding:
    """The facts that the rules and the weigher need are known."""
    settings = situation.settings
    strict = dataclasses.replace(
        settings, unknown_version='refuse', live_migration_check='always'
    )
    asked = GuestRequest(kinds=frozenset({Kind.LIVE_MIGRATION}))
    lacking: dict[str, list[str]] = collections.defaultdict(list)
    for each in situation.xen:
        codes = {
            reason.code
            for reason in rules.Judge(asked, strict)(
                each.host, every=True
            ).refusals
        }
        if Code.LIBVIRT_UNKNOWN in codes:
            lacking['libvirt_version'].append(each.name)
        if Code.XEN_UNKNOWN in codes:
            lacking['xen_version'].append(each.name)
        for name in sorted(LOAD_FACTS - {'reserved_host_memory_mb'}):
            if each.host.facts.get(name) is None:
                lacking[name].append(each.name)
    if not lacking:
        return fine()
    return warning(
        'Facts that are not known well enough: %s. Versions: '
        'unknown_version = %s counts; dom0: %g MiB and %g vCPUs.'
        % (
            '; '.join(
                '%s of %s' % (name, names(hosts))
                for name, hosts in sorted(lacking.items())
            ),
            settings.unknown_version,
            settings.dom0_memory_mb,
            settings.dom0_vcpus,
        ),
        _PUBLISH,
    )


def remarks(situation: Situation) -> Finding:
    """No source says what can't be read, is too old, or can't be."""
    found: dict[str, list[str]] = collections.defaultdict(list)
    for each in situation.xen:
        for _, sentence in each.host.facts.remarks:
            found[sentence].append(each.name)
    if not found:
        return fine()
    return warning(
        '; '.join(
            '%s: %s' % (sentence, names(hosts))
            for sentence, hosts in sorted(found.items())
        )
        + '.',
        'read them anew on the hosts, and correct what is stated.',
    )
