# SPDX-License-Identifier: Apache-2.0

"""Why a host is left out by what nova looks at itself, by name.

What XenHostFilter looks at has reasons of its own.
"""

from __future__ import annotations

import dataclasses
import shlex
import typing as ty

#: The units of placement's own resource classes.
UNITS = {'MEMORY_MB': 'MiB', 'DISK_GB': 'GiB', 'VCPU': 'vCPUs'}
_CALLED = {
    'MEMORY_MB': 'memory',
    'DISK_GB': 'disk',
    'VCPU': 'vCPUs',
    'PCPU': 'dedicated CPUs',
}

_SERVICES = 'openstack compute service list --long --service nova-compute'
_LOOK = {
    'aggregate_metadata': ('openstack aggregate list --long',),
    'availability_zone': (_SERVICES,),
    'down': (_SERVICES,),
    'disabled': (
        _SERVICES,
        'openstack compute service set --enable HOST nova-compute',
    ),
}


@dataclasses.dataclass(frozen=True)
class Cause:
    """One cause that leaves hosts out.

    :ivar code: what kind it is; see TITLES.
    :ivar name: the resource class, trait, availability zone, project or
        metadata ("KEY=VALUE").
    :ivar required: of a trait, an aggregate or a project's, whether the
        request needs it; False if it forbids it. None of all others.
    :ivar aggregates: the names of the aggregates that it is about.
    :ivar asked: how much of a resource the request needs.
    :ivar per_guest: whether what is free is bound by what one guest may take
        (placement's max_unit).
    :ivar why: a clause, where the code doesn't say all.
    :ivar remedy: what can be done; '' if that can't be said.
    """

    code: str
    name: str | None = None
    required: bool | None = None
    aggregates: tuple[str, ...] = ()
    asked: int | None = None
    per_guest: bool = False
    why: str = ''
    remedy: str = ''

    def title(self) -> str:
        """What is the matter, in a few words."""
        named_aggregates = ', '.join(self.aggregates)
        named = named_aggregates or self.name or ''
        if self.code == 'resource':
            called = _CALLED.get(named)
            return 'without enough %s' % (
                '%s (%s)' % (called, named) if called else named
            )
        if self.code == 'trait':
            if self.required:
                return 'without the required trait %s' % named
            return 'with the forbidden trait %s' % named
        if self.code == 'aggregate':
            if self.required:
                return 'not in the required aggregate %s' % named
            return 'in the forbidden aggregate %s' % named
        if self.code == 'aggregate_metadata':
            if self.required:
                return 'in no aggregate with %s' % self.name
            return 'in %s, an aggregate for images with %s' % (
                named_aggregates,
                self.name,
            )
        if self.code == 'availability_zone':
            return 'not in availability zone %s' % self.name
        if self.code == 'project':
            if not named_aggregates:
                return 'without an aggregate for project %s' % self.name
            if self.required:
                return 'not in %s, the aggregate of project %s' % (
                    named_aggregates,
                    self.name,
                )
            return 'in %s, an aggregate for other projects than %s' % (
                named_aggregates,
                self.name,
            )
        return TITLES[self.code]

    def text(self, free: int = 0, host: str | None = None) -> str:
        """What there is to say behind the title; '' if nothing.

        :param free: how much of a resource is free on the host, or the most
            on any of several.
        :param host: of several the one that has so much, '' if none has any;
            None where there is only one.
        """
        if self.asked is None:
            return '' if self.code in _TITLED else self.why
        needs = 'the request needs %s; ' % amount(self.name, self.asked)
        if not free:
            return (
                needs + 'nothing is free' + (' on any' if host == '' else '')
            )
        most = 'the most that %s is %s' % (
            'one guest can get' if self.per_guest else 'is free',
            amount(self.name, free),
        )
        return needs + most + (', on %s' % host if host else '')

    def clause(self, free: int) -> str:
        """All of it, of one host.

        :param free: how much of a resource is free there.
        """
        if self.code in _WHY:
            return self.why
        return ': '.join(filter(None, (self.title(), self.text(free))))

    @property
    def look(self) -> tuple[str, ...]:
        """Commands that show more, or change it; HOST is the host."""
        if self.code == 'trait':
            known = 'openstack resource provider list --required %s'
            # Of one that placement doesn't know that would be an error.
            return (
                'openstack trait list' if self.remedy else known % self.name,
            )
        if self.code == 'resource' and self.remedy:
            return ('openstack resource class list',)
        if self.aggregates:
            return tuple(
                'openstack aggregate show %s' % shlex.quote(name)
                for name in self.aggregates
            )
        return _LOOK.get(self.code, ())


class Found(ty.NamedTuple):
    """Why one host is left out.

    :ivar causes: all that are known.
    :ivar free: by the resource class of those that are short, how much the
        host has free.
    """

    causes: tuple[Cause, ...]
    free: ty.Mapping[str, int]

    @property
    def why(self) -> str:
        """All of it; clauses."""
        return '; '.join(
            each.clause(self.free.get(each.name or '', 0))
            for each in self.causes
        )


#: The codes whose title says all, and those whose clause needs no title.
_TITLED = ('disabled', 'down', 'unknown_to_placement')
_WHY = (*_TITLED, 'no_candidate', 'request', 'request_group')
#: What kinds of causes there are; some titles have a name as well.
TITLES = {
    'resource': 'without enough of a resource',
    'trait': 'with a forbidden trait or without a required one',
    'aggregate': 'in a forbidden aggregate or not in a required one',
    'aggregate_metadata': 'in aggregates with other metadata',
    'availability_zone': 'in another availability zone',
    'project': 'not for the project',
    'request_group': 'without one provider for all of a request group',
    'no_candidate': 'without a candidate for all of the request together',
    'limit': 'not among the candidates that nova asks for',
    'request': 'ruled out by a request filter of nova',
    'disabled': 'with a disabled nova-compute',
    'down': 'with a nova-compute that is down',
    'unknown_to_placement': 'unknown to placement',
}


def amount(resource: str | None, number: int) -> str:
    """So much of a resource class: "2048 MiB"."""
    unit = UNITS.get(resource or '', '')
    if unit == 'vCPUs' and number == 1:
        unit = 'vCPU'
    return ('%d %s' % (number, unit)).rstrip()
