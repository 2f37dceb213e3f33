# SPDX-License-Identifier: Apache-2.0

"""Hosts and their traits, as nova's API and placement's show them."""

from __future__ import annotations

import functools
import typing as ty

from nova_xen_sched import provider
from nova_xen_sched.cmd import cloud

#: What hypervisors call themselves that take images of the type xen.
_TAKE_XEN = ('xen', 'xenserver', 'xapi')


class Hosts:
    """Which hosts have which traits, by placement.

    :param connection: of :func:`nova_xen_sched.cmd.cloud.connect`.
    :param types: by the UUID of each host's resource provider, what its
        hypervisor calls itself, in lower case.
    :raises cloud.CloudError: if placement can't be asked; so do its methods.
    """

    def __init__(
        self, connection: ty.Any, types: ty.Mapping[str, str]
    ) -> None:
        self._connection = connection
        known = types.keys() & cloud.providers(connection)
        self.xen = {uuid for uuid in known if types[uuid] in _TAKE_XEN}
        self.others = known - self.xen

    @functools.lru_cache(maxsize=None)  # noqa: B019  it lives for a moment
    def having(self, trait: str) -> frozenset[str] | None:
        """The UUIDs of those with a trait, on any of their providers.

        :returns: None if placement doesn't know it.
        """
        if not cloud.traits(self._connection, [trait]):
            return None
        return cloud.providers(self._connection, trait)

    def offering(self, trait: str) -> set[str]:
        """The Xen hosts that offer a guest type, or may: its trait says so.

        Of a host with the trait of the other type alone it is known that it
        doesn't.
        """
        having = self.having(trait) or frozenset()
        (other,) = set(provider.GUEST_TYPES) - {trait}
        return self.xen - ((self.having(other) or frozenset()) - having)
