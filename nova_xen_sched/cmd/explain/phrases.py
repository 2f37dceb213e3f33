# SPDX-License-Identifier: Apache-2.0

"""What the pages of explain have in common: their sentences, in parts."""

from __future__ import annotations

import typing as ty

from nova_xen_sched import host
from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd import troubleshooting
from nova_xen_sched.cmd.explain.result import HostResult
from nova_xen_sched.cmd.explain.result import Result
from nova_xen_sched.cmd.nova import filtering

XEN_FILTER = 'XenHostFilter'

_STEPS = {
    filtering.PLACEMENT: 'left out by placement',
    filtering.CELL: 'in another cell',
    filtering.REQUEST: 'ruled out by the request itself',
    filtering.CONDUCTOR: "passed over by nova's conductor",
}


def coded(sentences: ty.Iterable[tables.Coded]) -> list[tables.Part]:
    """Sentences, each with its commands on lines of their own."""
    parts: list[tables.Part] = []
    for each in sentences:
        parts += [each, *paste(each.commands)]
    return parts


def remedy(
    text: str, indent: int, of: HostResult | None = None
) -> list[tables.Part]:
    """What to do, if that is known.

    :param of: whose names stand in place of HOST and UUID.
    """
    return [' ' * indent + '-> ' + _with_names(text, of)] if text else []


def paste(
    commands: ty.Iterable[str], of: HostResult | None = None
) -> list[tables.Part]:
    """Commands, a line each."""
    return [tables.Line('    ' + _with_names(each, of)) for each in commands]


def _with_names(text: str, of: HostResult | None) -> str:
    if of is None:
        return text
    text = text.replace('UUID', str(of.state.uuid))
    return text.replace('HOST', of.host)


def sentence(text: str) -> str:
    """A clause as the beginning of a sentence."""
    return text[0].upper() + text[1:]


def logs(hosts: ty.Iterable[HostResult]) -> list[tables.Part]:
    """Where to look on a Xen host if the guest fails there."""
    if any(host.is_xen(each.state) for each in hosts):
        return ['', troubleshooting.LOGS]
    return []


def before(result: Result) -> list[tables.Part]:
    """What comes before the hosts, and whatever they are."""
    parts = coded(result.nova_refuses)
    if parts and result.hosts:
        parts.append('If nova did not refuse:')
    return parts


def come(hosts: ty.Sequence[HostResult], verb: str = '') -> str:
    """Who comes first, up to here."""
    return '%s %s first' % (
        tables.names([each.host for each in hosts]),
        verb or ('comes' if len(hosts) == 1 else 'come'),
    )


def only(of: HostResult) -> str:
    """Of a host beside which there is no other, up to here."""
    return '%s is the only host that can take the guest' % of.host


def refused_by(step: filtering.Step) -> str:
    """What a step did to a host, in a few words."""
    return _STEPS.get(step.name, 'refused by %s' % step.name)
