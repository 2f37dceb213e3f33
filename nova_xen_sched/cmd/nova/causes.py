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
        required = self.required
        if self.code == 'project' and not self.aggregates:
            required = None
        name = self.name or ''
        if name in _CALLED:
            name = '%s (%s)' % (_CALLED[name], name)
        title = TITLES[self.code, required]
        return title.format(name, ', '.join(self.aggregates))

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
#: By code and by whether the request needs it or forbids it: a title, which
#: takes the name, and the aggregates.
TITLES: ty.Mapping[ty.Tuple[str, ty.Optional[bool]], str] = {
    ('resource', None): 'without enough {0}',
    ('trait', True): 'without the required trait {0}',
    ('trait', False): 'with the forbidden trait {0}',
    ('aggregate', True): 'not in the required aggregate {1}',
    ('aggregate', False): 'in the forbidden aggregate {1}',
    ('aggregate_metadata', True): 'in no aggregate with {0}',
    ('aggregate_metadata', False): 'in {1}, an aggregate for images with {0}',
    ('availability_zone', None): 'not in availability zone {0}',
    ('project', None): 'without an aggregate for project {0}',
    ('project', True): 'not in {1}, the aggregate of project {0}',
    ('project', False): 'in {1}, an aggregate for other projects than {0}',
    ('request_group', None): 'without one provider for all of a request group',
    (
        'no_candidate',
        None,
    ): 'without a candidate for all of the request together',
    ('limit', None): 'not among the candidates that nova asks for',
    ('request', None): 'ruled out by a request filter of nova',
    ('disabled', None): 'with a disabled nova-compute',
    ('down', None): 'with a nova-compute that is down',
    ('unknown_to_placement', None): 'unknown to placement',
}


def amount(resource: str | None, number: int) -> str:
    """So much of a resource class: "2048 MiB"."""
    unit = UNITS.get(resource or '', '')
    if unit == 'vCPUs' and number == 1:
        unit = 'vCPU'
    return ('%d %s' % (number, unit)).rstrip()


class Refused(ty.NamedTuple):
    """Why a host takes no guest at all.

    :ivar step: placement, or the first of nova's filters that refuses it.
    :ivar code: of XenHostFilter's or placement's reason; None if there is no
        code for it.
    :ivar why: a clause.
    """

    step: str
    code: str | None
    why: str
