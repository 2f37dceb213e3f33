# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""The calls of nova's API, through openstacksdk."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import Iterator

from nova_xen_sched import cloud
from nova_xen_sched.publishing import apply
from nova_xen_sched.publishing import content
from nova_xen_sched.publishing import plan as planning

_TRANSIENT = (500, 502, 503, 504)
_CONFLICTS = (400, 404, 409)


@dataclasses.dataclass(frozen=True)
class Host:
    """A compute host as nova's API shows it.

    :ivar node: the name of its hypervisor; for libvirt the host's full name.
    :ivar xen: whether its hypervisor calls itself Xen, as libvirt's does and
        XAPI's does not; False where it never reported.
    """

    name: str
    node: str
    xen: bool


class Nova(apply.Api):
    """nova, as one cloud of clouds.yaml or the OS_ variables name it.

    :param name: that of :func:`nova_xen_sched.cloud.connect`.
    :raises StoppedError: if there is no such cloud, or it can't be reached.
    """

    def __init__(self, name: str | None = None) -> None:
        with _errors('Reading the configuration of the cloud'):
            self._compute = cloud.connect(name).compute

    def hosts(self) -> list[Host]:
        """All compute hosts.

        :raises StoppedError: if that can't be had.
        """
        with _errors('Asking nova for its hosts'):
            return [
                Host(
                    each.service_details['host'],
                    each.name,
                    (each.hypervisor_type or '').lower() == 'xen',
                )
                for each in self._compute.hypervisors(details=True)
            ]

    def aggregates(self) -> list[content.Aggregate]:
        with _errors('Asking nova for its aggregates'):
            return [
                content.Aggregate(
                    int(each.id),
                    each.name,
                    dict(each.metadata or {}),
                    frozenset(each.hosts or ()),
                )
                for each in self._compute.aggregates()
            ]

    def create(self, name: str) -> int:
        with _errors('Creating aggregate ' + name, _CONFLICTS):
            return int(self._compute.create_aggregate(name=name).id)

    def change(self, aggregate_id: int, change: planning.Change) -> None:
        what = '%s of aggregate %s' % (change.action, change.aggregate)
        with _errors(what, _CONFLICTS):
            if change.action == planning.ADD_HOST:
                self._compute.add_host_to_aggregate(aggregate_id, change.host)
            elif change.action == planning.REMOVE_HOST:
                self._compute.remove_host_from_aggregate(
                    aggregate_id, change.host
                )
            elif change.action == planning.DELETE:
                self._compute.delete_aggregate(
                    aggregate_id, ignore_missing=False
                )
            else:
                self._compute.set_aggregate_metadata(
                    aggregate_id, dict(change.metadata)
                )


@contextlib.contextmanager
def _errors(doing: str, refusals: tuple[int, ...] = ()) -> Iterator[None]:
    """Say what went wrong in one line, with nothing secret in it.

    :param refusals: the statuses that concern this one call only.
    """
    try:
        with cloud.errors():
            yield
    except cloud.CloudError as e:
        if e.status is None:
            raise apply.StoppedError('%s: %s' % (doing, e)) from e
        answer = 'nova answers %s: %s' % (e.status, e)
        if e.status in refusals or (refusals and e.status in _TRANSIENT):
            raise apply.RefusedError(answer) from e
        if e.status == 403:
            answer += (
                ' The user needs the right to change aggregates and to list '
                'hypervisors, as an admin has.'
            )
        raise apply.StoppedError('%s: %s' % (doing, answer)) from e
