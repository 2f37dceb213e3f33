# SPDX-License-Identifier: Apache-2.0

"""Images as nova's API reads them from Glance, through openstacksdk.

They are read as Glance says them: openstacksdk's own objects rename some
properties and change values.
"""

from __future__ import annotations

import contextlib
import json
import typing as ty

from openstack import exceptions

from nova_xen_sched.cmd import cloud
from nova_xen_sched.cmd import errors

#: What the schema of Glance has for every image (GET /v2/schemas/image); all
#: else are properties.
_BASE = frozenset(
    [
        'checksum',
        'container_format',
        'created_at',
        'direct_url',
        'disk_format',
        'file',
        'id',
        'locations',
        'min_disk',
        'min_ram',
        'name',
        'os_hash_algo',
        'os_hash_value',
        'os_hidden',
        'owner',
        'protected',
        'schema',
        'self',
        'size',
        'status',
        'stores',
        'tags',
        'updated_at',
        'virtual_size',
        'visibility',
    ]
)

#: Where Glance itself has it; nova's ImageMeta fails on self.
_LINKS = ('file', 'schema', 'self')

#: What Glance keeps as text and nova's client of Glance parses.
_JSON = frozenset({'block_device_mapping', 'mappings'})

_REMEDY = (
    'The credentials are those of OS_CLOUD and clouds.yaml, or of the other '
    'OS_* variables.'
)


def connect(name: str | None = None) -> ty.Any:
    """A connection as the openstack command would make one.

    :param name: that of :func:`nova_xen_sched.cmd.cloud.connect`.
    :raises errors.Failure: if there are no credentials, or wrong ones.
    """
    try:
        return cloud.connect(name)
    except cloud.CloudError as e:
        raise errors.Failure('There is no access to Glance: %s' % e) from e


def find(connection: ty.Any, name_or_id: str) -> dict[str, ty.Any]:
    """One image.

    :returns: the image as nova's API has it: Glance's own fields, and all
        else under ``properties``.
    :raises errors.Failure: if there is none, or Glance can't be read.
    """
    with _reading("Image %s can't be read" % name_or_id):
        try:
            found = connection.image.find_image(name_or_id)
        except exceptions.DuplicateResource as e:
            raise errors.Failure(
                'There is more than one image with the name %s: give the id.'
                % name_or_id
            ) from e
        if found is not None:
            answer = connection.image.get('/images/%s' % found.id)
            exceptions.raise_from_response(answer)
            return as_nova_has_it(answer.json())
    raise errors.Failure(
        'There is no image with the name or id %s, or these credentials '
        "don't see it: see openstack image list." % name_or_id
    )


def every(connection: ty.Any) -> ty.Iterator[dict[str, ty.Any]]:
    """All images that the credentials see, as :func:`find` returns them.

    :raises errors.Failure: if Glance can't be read.
    """
    # Those of all projects, if the user may, and community images too.
    path: str | None = '/images?visibility=all&limit=100'
    with _reading("Glance's images can't be read"):
        while path:
            answer = connection.image.get(path)
            exceptions.raise_from_response(answer)
            page = answer.json()
            for image in page['images']:
                yield as_nova_has_it(image)
            path = page.get('next')
            if path and path.startswith('/v2/'):
                path = path[len('/v2') :]


def as_nova_has_it(image: dict[str, ty.Any]) -> dict[str, ty.Any]:
    """An image of Glance's API as nova's API hands it on.

    :param image: Glance's JSON.
    """
    found: dict[str, ty.Any] = {
        name: value
        for name, value in image.items()
        if name in _BASE and name not in _LINKS
    }
    found['size'] = found.get('size') or 0
    found['properties'] = as_nova_reads(
        {name: value for name, value in image.items() if name not in _BASE}
    )
    return found


def as_nova_reads(properties: ty.Mapping[str, ty.Any]) -> dict[str, ty.Any]:
    """An image's properties, parsed where nova's client of Glance parses.

    :param properties: as Glance has them. What is no JSON where it should be
        stays as it is: nova fails on it.
    """
    return {
        name: _parsed(value)
        if name in _JSON and isinstance(value, str)
        else value
        for name, value in properties.items()
    }


def _parsed(text: str) -> ty.Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def hypervisor_types(connection: ty.Any) -> dict[str, str]:
    """What hypervisors the computes run, in lower case, by nova's API.

    :returns: by the UUID of each compute node.
    :raises errors.Failure: if it can't be read; it takes an administrator.
    """
    with _reading("nova's hypervisors can't be read"):
        return {
            str(each.id): each.hypervisor_type.lower()
            for each in connection.compute.hypervisors(details=True)
            if each.hypervisor_type
        }


@contextlib.contextmanager
def _reading(complaint: str) -> ty.Iterator[None]:
    """Turn what openstacksdk raises into a Failure that begins so."""
    try:
        with cloud.errors():
            yield
    except cloud.CloudError as e:
        raise errors.Failure('%s: %s %s' % (complaint, e, _REMEDY)) from e
