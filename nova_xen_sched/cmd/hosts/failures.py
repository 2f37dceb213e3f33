# SPDX-License-Identifier: Apache-2.0

"""capacity --failures: what becomes of guests when Xen hosts fail."""

from __future__ import annotations

import argparse
import typing as ty

from nova_xen_sched.cmd import base
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd import nova
from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd.hosts import fields
from nova_xen_sched.cmd.progress import Progress
from nova_xen_sched.planner.cloud import Operation
from nova_xen_sched.planner.failures import Failure
from nova_xen_sched.planner.failures import Failures
from nova_xen_sched.planner.state import State


def answer(
    command: base.Lister, args: argparse.Namespace
) -> tuple[tuple[str, ...], list[tuple[ty.Any, ...]]]:
    """The rows of capacity --failures, the worst first.

    :param args: of capacity.
    :raises errors.Failure: if nova's databases or placement are out of reach.
    """
    cloud = nova.open_cloud(command.app.options)
    # These import nova, whose configuration had to be loaded first.
    from nova_xen_sched.cmd.nova import guests
    from nova_xen_sched.cmd.nova import xen_hosts

    found = guests.read(
        cloud,
        guests.Wanted((Operation.EVACUATE,), args.shared_storage, True),
    )
    command.say_missing(cloud.unreachable)
    named = [
        each.name
        for each in xen_hosts.named(list(found.hosts.values()), args.hosts)
    ]
    count = args.failures
    if count > len(named):
        raise errors.Failure(
            '--failures %d is more than the %s that may fail.'
            % (count, tables.counted(len(named), 'Xen host'))
        )
    failures = Failures(State(found.cloud))
    with Progress('Letting hosts fail', len(named)) as progress:
        first = []
        for name in named:
            first.append(failures.of([name]))
            progress.step()
    first.sort(key=lambda each: each.badness, reverse=True)
    shown = first
    if count > 1:
        total = sum(len(named) - i for i in range(1, count))
        with Progress('Letting %d hosts fail' % count, total) as progress:
            shown = failures.worst(named, count, first[0], progress.step)
    if any(each.nowhere or each.overcommitted for each in shown):
        command.exit_code = errors.FINDINGS
    command.say(_sentence(first, shown, count))
    if args.formatter in base.PERSONS and not args.columns:
        command.parts = _parts(shown)
    return tuple(fields.FAILURES), [_row(each, found.local) for each in shown]


def _row(failure: Failure, local: ty.Collection[str]) -> tuple[ty.Any, ...]:
    empty = [
        guest
        for guest in failure.guests
        if guest.uuid in local
        and not any(guest.uuid == other.uuid for other, _ in failure.nowhere)
    ]
    return (
        tables.Structured(list(failure.hosts), ' + '.join(failure.hosts)),
        len(failure.guests),
        tables.Structured(
            not failure.nowhere,
            'no' if failure.nowhere else 'yes',
            bad=bool(failure.nowhere),
        ),
        tables.Structured(
            [
                {'server': guest.name, 'server_id': guest.uuid, 'why': why}
                for guest, why in failure.nowhere
            ],
            tables.listed((guest.name for guest, _ in failure.nowhere), 3),
            order=len(failure.nowhere),
        ),
        tables.Structured(
            list(failure.overcommitted),
            tables.listed(failure.overcommitted, 3),
            bad=bool(failure.overcommitted),
            order=len(failure.overcommitted),
        ),
        tables.Structured(
            [each.uuid for each in empty],
            str(len(empty) or ''),
            order=len(empty),
        ),
    )


def _parts(shown: ty.Iterable[Failure]) -> list[tables.Part]:
    """Why guests have nowhere to go, of each host once."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for failure in shown:
        for guest, why in failure.nowhere:
            names = reasons.setdefault((guest.host, why), [])
            if guest.name not in names:
                names.append(guest.name)
    parts: list[tables.Part] = ['']
    for (host, why), names in reasons.items():
        parts.append('%s of %s: %s.' % (tables.listed(names, 3), host, why))
    return parts if reasons else []


def _sentence(
    first: ty.Sequence[Failure], shown: ty.Sequence[Failure], count: int
) -> str:
    if count > 1:
        return (
            'The worst that was found for up to %d hosts that fail together: '
            'a lower\nbound, since others may be worse together.' % count
        )
    nowhere = sum(bool(each.nowhere) for each in first)
    over = sum(bool(each.overcommitted) for each in first)
    return (
        'Of %s, one of which fails: %d with guests that nova would start\n'
        'nowhere, %d whose guests would overcommit another dom0.'
        % (tables.counted(len(first), 'Xen host'), nowhere, over)
    )
