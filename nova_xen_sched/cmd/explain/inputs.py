# SPDX-License-Identifier: Apache-2.0

"""From what was typed to the answer."""

from __future__ import annotations

import argparse
import dataclasses
import typing as ty

from oslo_utils import uuidutils

from nova_xen_sched import dom0
from nova_xen_sched import host
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd import troubleshooting
from nova_xen_sched.cmd.explain import operations
from nova_xen_sched.cmd.explain import result
from nova_xen_sched.cmd.nova import images
from nova_xen_sched.cmd.nova import request_spec
from nova_xen_sched.cmd.nova.scheduler import View


@dataclasses.dataclass(frozen=True)
class Asked:
    """An answer, and where to look further.

    :ivar spec: the nova RequestSpec that it was answered for.
    """

    answer: result.Answer
    spec: ty.Any


def ask(view: View, args: argparse.Namespace) -> Asked:
    """Answer what was asked on the command line.

    :param args: of the command explain.
    :raises errors.Failure: if anything of it is wrong or out of reach.
    """
    if args.server:
        return _ask_of_server(view, args)
    image = _image(args)
    flavor = _flavor(view, args)
    spec = request_spec.boot(
        view,
        image,
        flavor,
        zone=args.availability_zone,
        hints=_hints(args.hint),
        project_id=args.project,
        boot_from_volume=args.boot_from_volume,
    )
    found = result.explain(view, spec)
    # Of an image in Glance, what means nothing to nova is no news.
    notes = [] if args.image else _unknown(image['properties'])
    if not flavor.root_gb and not args.boot_from_volume:
        notes.append(
            "The flavor has no disk: nova's API lets only those boot from an "
            'image with it whom its policy '
            'os_compute_api:servers:create:zero_disk_flavor names.'
        )
    return _with_notes(found, notes, spec)


def rooms(
    view: View, asked: Asked, of: result.HostAnswer
) -> tuple[dom0.Left, ...]:
    """The rooms of a Xen host once the guest is there; none of any other."""
    if not host.state_is_xen(of.state):
        return ()
    return view.headroom_weigher().rooms(of.state, asked.spec)


def _ask_of_server(view: View, args: argparse.Namespace) -> Asked:
    if not uuidutils.is_uuid_like(args.server):
        raise errors.Failure(
            '--server %s is no id: nova-scheduler does not know the names of '
            'servers; openstack server list --all-projects shows both.'
            % args.server
        )
    operation = args.operation or 'boot'
    server = view.server(args.server)
    image = _image(args) if args.image or args.property else None
    flavor = None
    if args.flavor or args.ram is not None:
        flavor = _flavor(view, args)
    spec = operations.spec_for(
        operation, view, server, image=image, flavor=flavor
    )
    found = result.explain(view, spec)
    states = {each.host: each.state for each in found.hosts}
    source = states.get(server.instance.host)
    notes = troubleshooting.of_server(server.instance, operation, source)
    if operation == 'boot':
        notes.append('The server itself still counts where it is.')
    if operation == 'rebuild' and image is None:
        notes.append(
            'With the image that it has, nova rebuilds a server without '
            'asking its scheduler.'
        )
    if operation == 'live-migrate':
        notes += troubleshooting.of_live_migration(
            source, [each.state for each in found.weighed]
        )
    return _with_notes(found, notes, spec)


def _with_notes(
    found: result.Answer, notes: ty.Iterable[str], spec: ty.Any
) -> Asked:
    noted = dataclasses.replace(found, notes=found.notes + tuple(notes))
    return Asked(noted, spec)


def _image(args: argparse.Namespace) -> dict[str, ty.Any]:
    properties = _pairs(args.property, '--property')
    if not args.image:
        return request_spec.image_of(properties, args.disk_format)
    image = images.find(images.connect(), args.image)
    image['properties'].update(properties)
    return image


def _flavor(view: View, args: argparse.Namespace) -> ty.Any:
    if args.flavor:
        return view.flavor(args.flavor)
    return request_spec.flavor_of(args.ram, args.vcpus, args.disk)


def _pairs(texts: ty.Iterable[str], option: str) -> dict[str, str]:
    pairs = {}
    for text in texts:
        name, separator, value = text.partition('=')
        if not separator or not name:
            raise errors.Failure('%s %s is not KEY=VALUE.' % (option, text))
        pairs[name] = value
    return pairs


def _hints(texts: ty.Iterable[str]) -> dict[str, list[str]]:
    hints: dict[str, list[str]] = {}
    for text in texts:
        for name, value in _pairs([text], '--hint').items():
            hints.setdefault(name, []).append(value)
    return hints


def _unknown(properties: ty.Mapping[str, ty.Any]) -> list[str]:
    unknown = request_spec.check_properties(properties)
    if not unknown:
        return []
    return [
        'These image properties mean nothing to nova: %s.' % ', '.join(unknown)
    ]
