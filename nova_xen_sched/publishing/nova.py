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
import re
from typing import Any
from typing import Iterator

from keystoneauth1 import exceptions as auth_exceptions
from openstack import config as openstack_config
from openstack import connection
from openstack import exceptions
import yaml

from nova_xen_sched import redact
from nova_xen_sched.publishing import apply
from nova_xen_sched.publishing import content
from nova_xen_sched.publishing import plan as planning

#: Seconds for one call, where the cloud's configuration says nothing.
TIMEOUT = 60

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

    :param cloud: its name in clouds.yaml; None for OS_CLOUD, the OS_
        variables, or the only one there is.
    :raises StoppedError: if there is no such cloud, or it can't be reached.
    """

    def __init__(self, cloud: str | None = None) -> None:
        with _errors('Reading the configuration of the cloud'):
            try:
                region = openstack_config.get_cloud_region(cloud=cloud)
            except yaml.YAMLError as e:
                # It would quote the file, and a password with it.
                mark = getattr(e, 'problem_mark', None)
                raise apply.StoppedError(
                    "clouds.yaml can't be read%s."
                    % ('' if mark is None else ', line %d' % (mark.line + 1))
                ) from None
            except (TypeError, AttributeError, ValueError) as e:
                # What openstacksdk ends in where a section is not what it
                # expects; likewise not quoted.
                raise apply.StoppedError(
                    "clouds.yaml can't be read: openstacksdk ends in %s. Are "
                    'its sections mappings?' % type(e).__name__
                ) from None
            if region.config.get('api_timeout') is None:
                region.config['api_timeout'] = TIMEOUT
            self._compute = connection.Connection(config=region).compute

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
        yield
    except exceptions.HttpException as e:
        status = getattr(e, 'status_code', None)
        said = _one_line(e.details or e.message)
        if status in refusals or (refusals and status in _TRANSIENT):
            raise apply.RefusedError(
                'nova answers %s: %s' % (status, said)
            ) from e
        if status == 403:
            said += (
                ' The user needs the right to change aggregates and to list '
                'hypervisors, as an admin has.'
            )
        raise apply.StoppedError(
            '%s: nova answers %s: %s' % (doing, status, said)
        ) from e
    except auth_exceptions.MissingRequiredOptions as e:
        raise apply.StoppedError(
            '%s: %s Name a cloud of clouds.yaml with --os-cloud, or set the '
            'OS_ variables.' % (doing, _one_line(e))
        ) from e
    except (
        exceptions.SDKException,
        auth_exceptions.ClientException,
    ) as e:
        raise apply.StoppedError('%s: %s' % (doing, _one_line(e))) from e


def _one_line(error: Any) -> str:
    text = redact.passwords(' '.join(str(error).split()))
    # requests tells of a connection in three nested objects.
    nested = re.search(r': HTTPS?ConnectionPool\(', text)
    if nested:
        reason = re.search(r'\[Errno -?\d+\] ([^\'")]+)', text)
        text = text[: nested.start()]
        text += ': ' + reason[1] if reason else ''
    return text if text.endswith('.') else text + '.'
