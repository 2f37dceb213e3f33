# SPDX-License-Identifier: Apache-2.0

"""Servers by their names, in whatever cell."""

from __future__ import annotations

import contextlib
import re
import typing as ty

from nova import context as nova_context
from nova import exception
from nova import objects

from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd.nova import failures
from nova_xen_sched.cmd.nova import private

#: What a pattern's wildcards are in a regular expression, of Python as well
#: as of a database.
_WILDCARDS = {'*': '.*', '?': '.'}

#: How an extra spec begins that names a trait, of any request group.
_TRAIT = re.compile('trait[0-9A-Za-z_-]*:')


def named(context: ty.Any, name: str) -> str:
    """The id of the only server of a name.

    :param context: nova's admin context.
    :param name: or a pattern with * and ?, where no server has it as a name.
    :raises errors.Failure: if there is none, or more than one.
    """
    found = _matching(context, re.escape(name))
    is_pattern = not found and any(each in name for each in _WILDCARDS)
    if is_pattern:
        found = _matching(
            context,
            ''.join(_WILDCARDS.get(each, re.escape(each)) for each in name),
        )
    if not found:
        raise errors.Failure(
            'There is no server with the name or id %s: see openstack server '
            'list --all-projects.' % name
        )
    if len(found) == 1:
        return next(iter(found))
    if is_pattern:
        raise errors.Failure(
            'More than one server has a name like %s; name one of: %s.'
            % (
                name,
                tables.listed(
                    sorted('%s (%s)' % (n, uuid) for uuid, n in found.items())
                ),
            )
        )
    raise errors.Failure(
        'More than one server has the name %s; name one by its id: %s.'
        % (name, ', '.join(sorted(found)))
    )


def requiring(context: ty.Any, trait: str) -> list[str]:
    """The servers whose stored request requires a trait.

    It does so by its image or its flavor, as they were when it was booted or
    resized; nova asks placement for it at each move.

    :param context: nova's admin context.
    :returns: their ids, without those that are deleted.
    """
    found = []
    with failures.reading(failures.API_DATABASE):
        uuids = private.requests_with(context, trait)
        mappings = objects.InstanceMappingList.get_by_instance_uuids(
            context, uuids
        )
        for uuid in sorted(
            each.instance_uuid
            for each in mappings
            if not each.queued_for_delete
        ):
            try:
                spec = objects.RequestSpec.get_by_instance_uuid(context, uuid)
            except exception.RequestSpecNotFound:
                continue
            if trait in _required(spec):
                found.append(uuid)
    return found


def on_host(context: ty.Any, cell: ty.Any, name: str) -> list[ty.Any]:
    """The nova Instances of a host, with their flavors and networks.

    :param context: nova's admin context.
    :param cell: the nova CellMapping that the host is in.
    :param name: of its nova-compute.
    :raises errors.Failure: if the cell can't be read.
    """
    with reading(context, cell) as cell_context:
        return list(
            objects.InstanceList.get_by_host(
                cell_context, name, expected_attrs=['flavor', 'info_cache']
            )
        )


def traits_of_flavor(flavor: ty.Any) -> set[str]:
    """The traits that a nova Flavor requires."""
    return {
        key.partition(':')[2]
        for key, value in flavor.extra_specs.items()
        if _TRAIT.match(key) and value == 'required'
    }


def _required(spec: ty.Any) -> set[str]:
    """The traits that a RequestSpec requires."""
    found = traits_of_flavor(spec.flavor)
    image = spec.image
    if image and 'properties' in image:
        found |= set(image.properties.get('traits_required', []))
    return found


def _matching(context: ty.Any, expression: str) -> dict[str, str]:
    """The names of servers that match, by their ids.

    :raises errors.Failure: if none does, and some cell can't be read.
    """
    found: dict[str, str] = {}
    away: list[errors.Failure] = []
    with failures.reading(failures.API_DATABASE):
        cells = objects.CellMappingList.get_all(context)
    for cell in cells:
        try:
            with reading(context, cell) as cell_context:
                instances = objects.InstanceList.get_by_filters(
                    cell_context,
                    {
                        # A regular expression of the database's.
                        'display_name': '^%s$' % expression,
                        'deleted': False,
                    },
                    expected_attrs=[],
                )
                found.update(
                    (each.uuid, each.display_name)
                    for each in instances
                    # Databases ignore case.
                    if re.fullmatch(expression, each.display_name or '')
                )
        except errors.Failure as e:
            away.append(e)
    if not found and away:
        raise away[0]
    return found


@contextlib.contextmanager
def reading(context: ty.Any, cell: ty.Any) -> ty.Iterator[ty.Any]:
    """nova's context for a cell; what fails is told as that."""
    what = 'The database of cell %s' % (cell.name or cell.uuid)
    with failures.reading(what), nova_context.target_cell(
        context, cell
    ) as cell_context:
        yield cell_context
