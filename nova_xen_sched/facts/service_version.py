# SPDX-License-Identifier: Apache-2.0

"""The libvirt that a nova-compute needs at least to start."""

from __future__ import annotations

import typing as ty

from nova_xen_sched import facts
from nova_xen_sched import versions

_KNOWN: ty.Dict[versions.Version, facts.Raw] = {
    floor: {'libvirt_version': facts.AtLeast(versions.show(floor))}
    for _, floor in versions.SERVICE_VERSION_FLOORS
}


class Source:
    """Reads the version of a host's nova-compute service.

    It proves a lower bound only, and only of the libvirt driver, so it is
    asked about Xen hosts alone. A vendor's nova-compute may have lowered its
    minimum; then leave this source out.
    """

    def __init__(self, conf: ty.Any) -> None:
        pass

    def for_request(
        self, host_states: ty.Any
    ) -> ty.Callable[[ty.Any], facts.Raw]:
        """What looks a nova HostState up."""
        return _read


def _read(state: ty.Any) -> facts.Raw:
    try:
        floor = versions.libvirt_floor(state.service['version'])
    except (AttributeError, KeyError, TypeError):  # it never reported
        return {}
    return {} if floor is None else _KNOWN[floor]
