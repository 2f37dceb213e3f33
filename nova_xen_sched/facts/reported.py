# SPDX-License-Identifier: Apache-2.0

"""What a nova-compute itself reports: facts in its stats, and its version."""

from __future__ import annotations

import typing as ty

from nova_xen_sched import facts
from nova_xen_sched import versions

_KEYS = tuple((name.name, name.stats_key) for name in facts.NAMES)

_AT_LEAST: ty.Dict[versions.Version, facts.Raw] = {
    floor: {'libvirt_version': facts.AtLeast(versions.show(floor))}
    for _, floor in versions.SERVICE_VERSION_FLOORS
}


class Stats:
    """Reads HostState.stats, which a virt driver can add keys to."""

    def __init__(self, conf: ty.Any) -> None:
        pass

    def for_request(
        self, host_states: ty.Any
    ) -> ty.Callable[[ty.Any], facts.Raw]:
        """What looks a nova HostState up."""
        return _stats


def _stats(state: ty.Any) -> facts.Raw:
    # A node that never reported has none.
    stats = getattr(state, 'stats', {})
    return {name: stats[key] for name, key in _KEYS if key in stats}


class ServiceVersion:
    """Reads the version of a host's nova-compute service.

    It proves the libvirt that a nova-compute needs at least to start: a lower
    bound, and only of the libvirt driver, so it is asked about Xen hosts
    alone. A vendor's nova-compute may have lowered its minimum; then leave
    this source out.
    """

    def __init__(self, conf: ty.Any) -> None:
        pass

    def for_request(
        self, host_states: ty.Any
    ) -> ty.Callable[[ty.Any], facts.Raw]:
        """What looks a nova HostState up."""
        return _service_version


def _service_version(state: ty.Any) -> facts.Raw:
    try:
        floor = versions.libvirt_floor(state.service['version'])
    except (AttributeError, KeyError, TypeError):  # it never reported
        return {}
    return {} if floor is None else _AT_LEAST[floor]
