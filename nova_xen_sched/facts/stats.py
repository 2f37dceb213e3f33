# SPDX-License-Identifier: Apache-2.0

"""Facts that the compute itself reports, in its stats."""

from __future__ import annotations

import typing as ty

from nova_xen_sched import facts

_KEYS = tuple((name.name, name.stats_key) for name in facts.NAMES)


class Source:
    """Reads HostState.stats, which a virt driver can add keys to."""

    def __init__(self, conf: ty.Any) -> None:
        pass

    def for_request(
        self, host_states: ty.Any
    ) -> ty.Callable[[ty.Any], facts.Raw]:
        """What looks a nova HostState up."""
        return _read


def _read(state: ty.Any) -> facts.Raw:
    # A node that never reported has none.
    stats = getattr(state, 'stats', {})
    return {name: stats[key] for name, key in _KEYS if key in stats}
