# SPDX-License-Identifier: Apache-2.0

"""Why placement has no candidate on hosts: each part of a request by itself.

Placement only says on which hosts it finds all of it. So it is asked for each
resource, trait and set of aggregates alone; a few questions in all, however
many hosts there are.
"""

from __future__ import annotations

import re
import typing as ty
from urllib import parse

from nova_xen_sched.cmd.nova import placement
from nova_xen_sched.cmd.nova.causes import Cause
from nova_xen_sched.cmd.nova.causes import Found
from nova_xen_sched.cmd.progress import Progress

#: Of which nova 22 and all later ones want no less.
_VERSION = '1.36'
#: What nova's own request filter looks for in an aggregate's metadata.
TENANT = 'filter_tenant_id'
_SHARES = 'MISC_SHARES_VIA_AGGREGATE'
_TRAIT, _REQUIRED = 'trait:', 'required'


class Asking:
    """What placement says of hosts that it leaves out.

    :param hosts: the UUIDs of their compute nodes.
    :param aggregates: nova's Aggregates.
    :param spec: the nova RequestSpec.
    :param unknown: what placement says of a trait or resource class that it
        doesn't know; '' if there is none.
    :raises errors.Failure: if placement can't be asked; so do its methods.
    """

    def __init__(
        self,
        hosts: ty.Collection[str],
        aggregates: ty.Iterable[ty.Any],
        spec: ty.Any,
        unknown: str = '',
    ) -> None:
        self._hosts = set(hosts)
        self._aggregates = {each.uuid: each for each in aggregates}
        self._spec = spec
        self._unknown = unknown
        self._causes: dict[str, list[Cause]] = {uuid: [] for uuid in hosts}
        self._free: dict[str, dict[str, int]] = {uuid: {} for uuid in hosts}
        self._summaries: dict[str, ty.Any] = {}
        self._served: dict[str, set[str]] = {}

    def causes(self, query: str) -> dict[str, Found]:
        """Why each host is left out.

        :param query: nova's, for all of the request.
        :returns: by the UUID of its compute node; no causes where placement
            finds each part of the request.
        """
        with Progress('Asking placement why') as progress:
            self._step = progress.step
            self._read_providers()
            groups: dict[str, list[tuple[str, str]]] = {}
            for key, value in parse.parse_qsl(query):
                known = _KEY.fullmatch(key)
                if known:
                    groups.setdefault(known[2], []).append((known[1], value))
            for suffix, parts in groups.items():
                if suffix:
                    self._group(parts)
                    continue
                for kind, value in parts:
                    self._part(kind, value)
        return {
            uuid: Found(tuple(causes), self._free[uuid])
            for uuid, causes in self._causes.items()
        }

    def _part(self, kind: str, value: str) -> None:
        if kind == 'resources':
            for each in value.split(','):
                name, _, asked = each.partition(':')
                self._resource(name, int(asked))
        elif kind in ('required', 'root_required'):
            # "in:" is any of several, of later novas.
            traits = [value] if value.startswith('in:') else value.split(',')
            for trait in traits:
                self._trait(trait)
        elif kind == 'member_of':
            self._member_of(value)

    def _resource(self, name: str, asked: int) -> None:
        short = self._hosts - self._having(resources='%s:%d' % (name, asked))
        if not short:
            return
        free = self._most_free(name)
        # Of others it is one guest that may not have so much.
        enough = {uuid for uuid in short if free.get(uuid, 0) >= asked}
        most_of_one = self._most_of_one(name, enough)
        for uuid in short:
            left = free.get(uuid, 0)
            self._free[uuid][name] = min(left, most_of_one.get(uuid, left))
            self._causes[uuid].append(
                Cause(
                    'resource',
                    name,
                    asked=asked,
                    per_guest=left >= asked,
                    remedy=self._mistaken(name),
                )
            )

    def _most_of_one(self, name: str, hosts: set[str]) -> dict[str, int]:
        """How much of a resource class one guest may have on each host.

        Where that isn't known, nothing. Hosts are mostly alike, so that one
        is asked about, and placement which others are as this one.
        """
        found: dict[str, int] = {}
        while hosts:
            one = min(hosts)
            known = (placement.inventories(one) or {}).get(name, {})
            self._step()
            alike = {one}
            if 'max_unit' in known:
                most = known['max_unit']
                alike |= self._having(resources='%s:%d' % (name, most))
                alike -= self._having(resources='%s:%d' % (name, most + 1))
                found.update(dict.fromkeys(alike & hosts, most))
            hosts = hosts - alike - {one}
        return found

    def _trait(self, trait: str) -> None:
        forbidden, name = trait.startswith('!'), trait.lstrip('!')
        having = self._having(required=name)
        out = self._hosts & having if forbidden else self._hosts - having
        name = name.replace('in:', '')
        self._add(
            out,
            Cause('trait', name, not forbidden, remedy=self._mistaken(name)),
        )

    def _mistaken(self, name: str) -> str:
        """What to do about a name that placement doesn't know."""
        if not re.search(r'\b%s\b' % re.escape(name), self._unknown):
            return ''
        return (
            'placement knows no %s: compare the name in the flavor and the '
            'image with what the hosts report' % name
        )

    def _member_of(self, value: str) -> None:
        forbidden = value.startswith('!')
        uuids = value.lstrip('!').replace('in:', '').split(',')
        if not forbidden:
            inside = self._having(member_of='in:' + ','.join(uuids))
            self._add(self._hosts - inside, self._wanted(uuids))
            return
        for uuid in uuids:
            inside = self._having(member_of='in:' + uuid)
            self._add(self._hosts & inside, self._isolated(uuid))

    def _wanted(self, uuids: list[str]) -> Cause:
        """What the request means by aggregates that it needs."""
        names = tuple(sorted(self._name(uuid) for uuid in uuids))
        metadata = [
            self._aggregates[uuid].metadata
            for uuid in uuids
            if uuid in self._aggregates
        ]
        zone, project = self._spec.availability_zone, self._spec.project_id
        if zone and any(m.get('availability_zone') == zone for m in metadata):
            return Cause('availability_zone', zone)
        if project and any(
            key.startswith(TENANT) and value == project
            for each in metadata
            for key, value in each.items()
        ):
            return Cause('project', project, True, names)
        return Cause('aggregate', required=True, aggregates=names)

    def _isolated(self, uuid: str) -> Cause:
        """An aggregate that the request must keep out of."""
        known = self._aggregates.get(uuid)
        traits = [
            key[len(_TRAIT) :]
            for key, value in (known.metadata if known else {}).items()
            if key.startswith(_TRAIT) and value == _REQUIRED
        ]
        return Cause(
            'aggregate',
            required=False,
            aggregates=(self._name(uuid),),
            why='it takes only guests that require %s' % ', '.join(traits)
            if traits
            else '',
        )

    def _group(self, parts: list[tuple[str, str]]) -> None:
        """All of a request group has to be one provider's."""
        wanted = {
            kind: value
            for kind, value in parts
            if kind in ('resources', 'required', 'member_of')
        }
        if 'resources' in wanted:
            self._add(
                self._hosts - self._having(**wanted),
                Cause(
                    'request_group',
                    why='the request needs of one provider: '
                    + ', '.join(wanted.values()),
                ),
            )

    def _add(self, uuids: ty.Iterable[str], cause: Cause) -> None:
        for uuid in uuids:
            self._causes[uuid].append(cause)

    def _name(self, uuid: str) -> str:
        known = self._aggregates.get(uuid)
        return str(known.name) if known else uuid

    def _read_providers(self) -> None:
        """Learn whom each provider serves: its host, or all that share it."""
        for each in self._list():
            self._served[each['uuid']] = {each['root_provider_uuid']}
        for each in self._list(required=_SHARES):
            found = placement.get(
                '/resource_providers/%s/aggregates' % each['uuid'], _VERSION
            )
            if found and found['aggregates']:
                members = self._list(
                    member_of='in:' + ','.join(found['aggregates'])
                )
                self._served[each['uuid']] |= {
                    member['root_provider_uuid'] for member in members
                }

    def _having(self, **query: str) -> set[str]:
        """The hosts with a provider that a query finds."""
        found: set[str] = set()
        for each in self._list(**query):
            found |= self._served.get(each['uuid'], set())
        return found

    def _list(self, **query: str) -> list[dict[str, ty.Any]]:
        path = '/resource_providers?' + parse.urlencode(query)
        found = placement.get(path, _VERSION)
        self._step()
        return list(found['resource_providers']) if found else []

    def _most_free(self, name: str) -> dict[str, int]:
        """The most of a resource class that a provider of each host has.

        Of those that have none left, nothing.
        """
        path = '/allocation_candidates?resources=%s:1' % name
        found = placement.get(path, _VERSION)
        self._step()
        self._summaries.update(found['provider_summaries'] if found else {})
        free: dict[str, int] = {}
        for uuid, summary in self._summaries.items():
            stock = summary['resources'].get(name)
            for host in self._served.get(uuid, ()) if stock else ():
                left = stock['capacity'] - stock['used']
                free[host] = max(free.get(host, 0), left)
        return free


_KEY = re.compile(
    '(resources|required|root_required|member_of|in_tree|limit|group_policy|'
    'same_subtree)(.*)'
)
