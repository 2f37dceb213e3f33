# SPDX-License-Identifier: Apache-2.0

"""The calls of nova's API and of placement's, through openstacksdk."""

from __future__ import annotations

import contextlib
import dataclasses
import typing as ty

from nova_xen_sched.cmd import cloud
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd.facts import plan as planning
from nova_xen_sched.cmd.facts.aggregates import Aggregate

#: Answers to a change that concern this one call only.
_REFUSALS = (400, 404, 409, 500, 502, 503, 504)
#: Placement's microversion for traits.
_TRAITS = '1.6'
_RIGHTS = {
    'nova': 'change aggregates and to list hypervisors',
    'placement': 'read resource providers, and for --traits to change traits',
}


class RefusedError(Exception):
    """nova or placement refused one call; says why, in one line."""


@dataclasses.dataclass(frozen=True)
class Host:
    """A compute host as nova's API shows it.

    :ivar node: the name of its hypervisor; for libvirt the host's full name.
    :ivar xen: whether its hypervisor calls itself Xen, as libvirt's does and
        XAPI's does not; False where it never reported.
    :ivar uuid: of its hypervisor, which is that of its resource provider.
    """

    name: str
    node: str
    xen: bool
    uuid: str = ''


class Nova:
    """nova, as one cloud of clouds.yaml or the OS_ variables name it.

    Its calls raise errors.Failure if no call can be made any more, those that
    change something RefusedError if it is only this one.

    :param name: that of :func:`nova_xen_sched.cmd.cloud.connect`.
    :raises errors.Failure: if there is no such cloud, or it can't be reached.
    """

    def __init__(self, name: str | None = None) -> None:
        with _errors('Reading the configuration of the cloud'):
            self._cloud = cloud.connect(name)
            self._compute = self._cloud.compute

    def hosts(self) -> list[Host]:
        """All compute hosts."""
        with _errors('Asking nova for its hosts'):
            return [
                Host(
                    each.service_details['host'],
                    each.name,
                    (each.hypervisor_type or '').lower() == 'xen',
                    str(each.id),
                )
                for each in self._compute.hypervisors(details=True)
            ]

    def reserved_mb(self, host: Host) -> int | None:
        """What a host's nova-compute reserves of its memory, MiB.

        Its nova-compute writes to placement what is in force.

        :returns: None if placement has no memory of the host.
        """
        path = '/resource_providers/%s/inventories/MEMORY_MB' % host.uuid
        answer = self._placement('get', path, missing_ok=True)
        if answer is None:
            return None
        try:
            return int(answer.json()['reserved'])
        except (KeyError, TypeError, ValueError) as e:
            raise errors.Failure(
                'Asking placement: its answer is no inventory.'
            ) from e

    def traits(self, names: ty.Iterable[str]) -> frozenset[str]:
        """Those of some traits that placement knows."""
        with _errors('Asking placement', service='placement'):
            return cloud.traits(self._cloud, names)

    def providers(self, trait: str | None = None) -> frozenset[str]:
        """The UUIDs of all compute nodes, or of those with a trait.

        :param trait: that placement knows.
        """
        with _errors('Asking placement', service='placement'):
            return cloud.providers(self._cloud, trait)

    def create_trait(self, name: str) -> None:
        """Have placement know a trait; it may do so already."""
        self._placement('put', '/traits/' + name, _TRAITS)

    def traits_of(self, uuid: str) -> tuple[int, frozenset[str]]:
        """A resource provider's generation, and its traits.

        :raises RefusedError: if it is gone.
        """
        path = '/resource_providers/%s/traits' % uuid
        found = self._placement('get', path, _TRAITS, changing=True).json()
        generation = found['resource_provider_generation']
        return generation, frozenset(found['traits'])

    def set_traits(
        self, uuid: str, generation: int, names: ty.Iterable[str]
    ) -> None:
        """Give a resource provider these traits alone.

        :param generation: as it was read with its traits.
        :raises RefusedError: if the provider was changed since.
        """
        self._placement(
            'put',
            '/resource_providers/%s/traits' % uuid,
            _TRAITS,
            changing=True,
            json={
                'resource_provider_generation': generation,
                'traits': sorted(names),
            },
        )

    def _placement(
        self,
        method: str,
        path: str,
        version: str | None = None,
        missing_ok: bool = False,
        changing: bool = False,
        **more: ty.Any,
    ) -> ty.Any:
        """Placement's answer; None if there is no such thing, where it may.

        :param version: the microversion.
        :param changing: as of :func:`_errors`.
        """
        with _errors('Asking placement', changing, 'placement'):
            try:
                return cloud.placement(
                    self._cloud, method, path, version, **more
                )
            except cloud.CloudError as e:
                if missing_ok and e.status == 404:
                    return None
                raise

    def aggregates(self) -> list[Aggregate]:
        """All aggregates."""
        with _errors('Asking nova for its aggregates'):
            return [
                Aggregate(
                    int(each.id),
                    each.name,
                    dict(each.metadata or {}),
                    frozenset(each.hosts or ()),
                )
                for each in self._compute.aggregates()
            ]

    def create(self, name: str) -> int:
        """Make an aggregate without an availability zone; its id."""
        with _errors('Creating aggregate ' + name, changing=True):
            return int(self._compute.create_aggregate(name=name).id)

    def change(self, number: int, change: planning.Change) -> None:
        """Make any other change of the aggregate with this id."""
        nova = self._compute
        what = '%s of aggregate %s' % (change.action, change.aggregate)
        with _errors(what, changing=True):
            if change.action == planning.ADD_HOST:
                nova.add_host_to_aggregate(number, change.host)
            elif change.action == planning.REMOVE_HOST:
                nova.remove_host_from_aggregate(number, change.host)
            elif change.action == planning.DELETE:
                nova.delete_aggregate(number, ignore_missing=False)
            else:
                nova.set_aggregate_metadata(number, dict(change.metadata))


@contextlib.contextmanager
def _errors(
    doing: str, changing: bool = False, service: str = 'nova'
) -> ty.Iterator[None]:
    """Say what went wrong in one line, with nothing secret in it.

    :param changing: whether it is one change of several.
    :param service: who is called.
    """
    try:
        with cloud.errors():
            yield
    except cloud.CloudError as e:
        if e.status is None:
            raise errors.Failure('%s: %s' % (doing, e)) from e
        answer = '%s answers %s: %s' % (service, e.status, e)
        if changing and e.status in _REFUSALS:
            raise RefusedError(answer) from e
        if e.status == 403:
            answer += (
                ' The user needs the right to %s, as an admin has.'
                % (_RIGHTS[service])
            )
        raise errors.Failure('%s: %s' % (doing, answer)) from e
