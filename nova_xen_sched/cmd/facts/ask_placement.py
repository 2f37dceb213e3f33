# SPDX-License-Identifier: Apache-2.0

"""What facts publish asks of placement, and what it says of that."""

from __future__ import annotations

import typing as ty

from nova_xen_sched.cmd import base
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd.facts import aggregates as content
from nova_xen_sched.cmd.facts import apply
from nova_xen_sched.cmd.facts import desired as wanting
from nova_xen_sched.cmd.facts import difference
from nova_xen_sched.cmd.facts import reserves

if ty.TYPE_CHECKING:
    from nova_xen_sched.cmd.facts import nova_api as api


def counted(
    command: base._Command,
    cloud: api.Nova,
    hosts: list[api.Host],
    told: wanting.Wanted | None,
    before: list[content.Aggregate],
) -> wanting.Wanted:
    """The facts with the reserves that placement has.

    What it doesn't tell is said, and the exit code set.

    :param hosts: all that nova has.
    :param told: the facts; None if only placement is to tell of the hosts.
    :param before: the aggregates that there are.
    :raises StoppedError: if it is, and can't be asked.
    """
    published = difference.published(before)
    wanted = wanting.of_published(published, hosts) if told is None else told
    # Of a host of which no facts are told, nothing is to be published.
    asked = [
        host
        for host in hosts
        if host.xen and (told is None or wanted.facts.get(host.name))
    ]
    with base.Progress('Asking placement', len(asked)) as progress:
        found = reserves.read(cloud, asked, progress.step)
    if found.error and told is None:
        raise apply.StoppedError(found.error)
    wanted, others = reserves.put(wanted, found, published)
    for line in _lines(found, {} if told is None else others):
        command.say(line)
    if found.error or found.lacking:
        command.exit_code = errors.FINDINGS
    return wanted


def _lines(
    found: reserves.Reserves, others: ty.Mapping[tuple[str, str], list[str]]
) -> ty.Iterator[str]:
    """Where placement doesn't say what was told, or nothing.

    :param others: as of reserves.put().
    """
    for (told, value), hosts in sorted(others.items()):
        yield (
            '%s: %s is %s, as placement has it, and not %s, as was told.'
            % (tables.listed(hosts), reserves.KEY, value, told)
        )
    stays = '%s of %s stays as told, or else as it was published.'
    if found.error:
        yield (
            '%s %s'
            % (
                found.error,
                stays % (reserves.KEY, tables.listed(found.unread)),
            )
        )
    if found.lacking:
        yield 'Placement has no inventory of MEMORY_MB: ' + stays % (
            reserves.KEY,
            tables.listed(found.lacking),
        )
