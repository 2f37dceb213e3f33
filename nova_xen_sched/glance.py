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


"""Images out of Glance, and what hypervisors there are, through openstacksdk.

openstacksdk finds the cloud as the openstack command does: clouds.yaml, the
variables OS_..., or a cloud by name.
"""

from __future__ import annotations

import contextlib
from typing import Any
from typing import Callable
from typing import Iterator

from keystoneauth1 import exceptions as auth_exceptions
import openstack
from openstack import exceptions

from nova_xen_sched.images import Image

#: Images asked for at once; Glance may give fewer.
PAGE = 200

Step = Callable[[int], None]


class CloudError(Exception):
    """The cloud can't be asked; one line that says why and what to do."""


def connect(cloud: str | None = None) -> Any:
    """A connection of openstacksdk; nothing is sent yet.

    :param cloud: its name in clouds.yaml; None for what the environment
        says.
    :raises CloudError: if it isn't said which cloud, or how to log in.
    """
    with _in_one_line('openstacksdk'):
        # It reads OS_ variables only where no cloud is named.
        connection = openstack.connect(cloud=cloud, app_name='nova-xen-sched')
        if not connection.config.config.get('auth_type'):
            raise CloudError(
                'openstacksdk: it is not said which cloud. Name one of '
                'clouds.yaml by --os-cloud, or set the variables OS_...'
            )
        return connection


def images(connection: Any, step: Step = lambda done: None) -> Iterator[Image]:
    """All images of the cloud that the user may see.

    They are read as Glance says them: openstacksdk's own objects rename
    properties and change values, and the names matter here.

    :param step: called with the number of images read so far.
    :raises CloudError: if Glance can't be asked.
    """
    done = 0
    # Those of all projects, if the user may; community ones too.
    where: str | None = '/images?visibility=all&limit=%d' % PAGE
    seen: set[str] = set()
    while where is not None and where not in seen:
        seen.add(where)
        page = _get(connection, where)
        for raw in page['images']:
            yield read(raw)
        done += len(page['images'])
        step(done)
        where = _next(page.get('next'))


def _next(where: str | None) -> str | None:
    """Glance's link to the next page, which begins at /v2."""
    if where is None:
        return None
    return where[len('/v2') :] if where.startswith('/v2/') else where


def image(connection: Any, name_or_id: str) -> Image:
    """One image.

    :raises CloudError: if there is none, or several of the name.
    """
    with _in_one_line('Glance'):
        found = connection.image.find_image(name_or_id, ignore_missing=True)
    if found is None:
        raise CloudError(
            "Glance: there is no image %s, or it isn't yours to see."
            % (name_or_id,)
        )
    return read(_get(connection, '/images/' + found.id))


def read(raw: Any) -> Image:
    """An image out of what Glance says of it."""
    return Image(
        id=raw['id'],
        name=raw.get('name') or '',
        disk_format=raw.get('disk_format'),
        properties={
            name: value
            for name, value in raw.items()
            if isinstance(value, str)
        },
    )


def hypervisor_types(connection: Any) -> frozenset[str]:
    """What hypervisors the cloud's computes run, in lower case.

    :raises CloudError: if nova's API can't be asked; it takes an
        administrator.
    """
    with _in_one_line('nova'):
        return frozenset(
            each.hypervisor_type.lower()
            for each in connection.compute.hypervisors(details=True)
            if each.hypervisor_type
        )


def _get(connection: Any, where: str) -> Any:
    with _in_one_line('Glance'):
        answer = connection.image.get(where)
        exceptions.raise_from_response(answer)
        return answer.json()


@contextlib.contextmanager
def _in_one_line(service: str) -> Iterator[None]:
    try:
        yield
    except CloudError:
        raise
    except exceptions.HttpException as e:
        remedy = {
            401: 'Look at the user and password, or get a new token.',
            403: 'The user has no right to it: use one who has.',
        }.get(e.status_code, '')
        raise CloudError('%s: %s. %s' % (service, _words(e), remedy)) from e
    except (
        exceptions.SDKException,
        auth_exceptions.ClientException,
        # What an answer that isn't Glance's leads to.
        KeyError,
        TypeError,
        ValueError,
    ) as e:
        raise CloudError(
            '%s: %s. Look at what clouds.yaml or the variables OS_... say.'
            % (service, _words(e))
        ) from e


def _words(error: Exception) -> str:
    text = ' '.join(str(error).split()).rstrip('.')
    if isinstance(error, (KeyError, TypeError, ValueError)):
        return 'its answer is no answer of this service (%s)' % text
    return text or type(error).__name__
