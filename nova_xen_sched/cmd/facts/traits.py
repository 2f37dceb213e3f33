# SPDX-License-Identifier: Apache-2.0

"""Traits of Xen hosts in placement: what has to change, and its changing.

Where nova-compute-xen runs, it writes them itself. For all other hosts they
are worked out here of what nova-scheduler knows.
"""

from __future__ import annotations

import dataclasses
import random
import time
import typing as ty

from nova_xen_sched import facts
from nova_xen_sched import provider
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd.facts import apply
from nova_xen_sched.cmd.facts import nova_api
from nova_xen_sched.cmd.nova import servers
from nova_xen_sched.cmd.nova import xen_hosts

CREATE_TRAIT = 'create_trait'
ADD_TRAIT = 'add_trait'
REMOVE_TRAIT = 'remove_trait'

_WITHDRAWN = provider.Trait(False, 'it is withdrawn')
#: Servers that are named.
_SERVERS = 10


class Change(ty.NamedTuple):
    """One trait that is created, or added to or removed from a host.

    :ivar host: '' for one that is created.
    :ivar uuid: of the host's resource provider.
    """

    action: str
    trait: str
    host: str = ''
    uuid: str = ''


@dataclasses.dataclass
class Plan:
    """What has to change, and what doesn't and why.

    :ivar changes: the names that are created come first: placement refuses
        every request for one that it doesn't know.
    :ivar remarks: by host, what changes or doesn't.
    :ivar is_partial: whether something is unknown of some host, or in the way.
    """

    changes: ty.List[Change] = dataclasses.field(default_factory=list)
    remarks: ty.Dict[str, ty.List[str]] = dataclasses.field(
        default_factory=dict
    )
    is_partial: bool = False

    def remark(self, host: str, text: str, partial: bool) -> None:
        """Add what is to be said of a host."""
        self.remarks.setdefault(host, []).append(text)
        self.is_partial = self.is_partial or partial

    def lines(self) -> ty.Iterator[str]:
        """The remarks; hosts with the same ones together."""
        hosts: dict[tuple[str, ...], list[str]] = {}
        for host, texts in self.remarks.items():
            hosts.setdefault(tuple(texts), []).append(host)
        for same, each in hosts.items():
            yield '\n  '.join((tables.listed(each), *same))


def plan(cloud: ty.Any, api: nova_api.Nova, prune: bool = False) -> Plan:
    """What has to change for each host to have its traits.

    :param cloud: a cmd.nova.scheduler.Cloud: what hosts offer, and their
        facts.
    :param api: of the same cloud: what placement has.
    :param prune: withdraw the traits of all hosts but those of
        nova-compute-xen.
    :raises errors.Failure: if something can't be read, or servers require
        what would be withdrawn.
    """
    if prune:
        _refuse_if_required(cloud)
    hosts = xen_hosts.read(cloud.host_states())
    settings = xen_hosts.settings()
    known, exist = api.providers(), api.traits(provider.TRAITS)
    having = {name: api.providers(name) for name in exist}
    if hosts and known.isdisjoint(each.state.uuid for each in hosts):
        raise errors.Failure(
            'Placement has none of the hosts that the databases of nova.conf '
            'have: is it of another cloud? --os-cloud names one.'
        )
    found = Plan()
    if not prune:
        found.changes = [
            Change(CREATE_TRAIT, name)
            for name in provider.TRAITS
            if name not in exist
        ]
    for each in hosts:
        uuid = each.state.uuid
        has = {name for name in exist if uuid in having[name]}
        driver = getattr(each.state, 'stats', {}).get(facts.REPORTED_BY)
        if not each.host.is_xen and not has:
            continue
        if uuid not in known:
            found.remark(each.name, 'placement has no provider of it', True)
        elif not prune:
            judged = provider.traits(each.host, settings)
            if settings.min_libvirt_version is None:
                # Of no host it is known then, and of none it matters.
                del judged[provider.LIVE_MIGRATION]
            _compare(found, each, judged, has, driver)
        elif not driver:
            judged = dict.fromkeys(provider.TRAITS, _WITHDRAWN)
            _compare(found, each, judged, has, None)
    for cell, why in sorted(cloud.unreachable.items()):
        found.remark(
            'All hosts of cell ' + cell, 'left as before: ' + why, True
        )
    return found


def _compare(
    found: Plan,
    host: xen_hosts.ComputeHost,
    judged: ty.Mapping[str, provider.Trait],
    has: ty.Collection[str],
    driver: str | None,
) -> None:
    """Add what differs between what a host shall have and what it has.

    :param has: its traits now.
    :param driver: what reports them itself, if so.
    """
    for name, trait in judged.items():
        now = 'set' if name in has else 'not set'
        if trait.has is None:
            text = '%s: stays %s (unknown: %s)' % (name, now, trait.reason)
        elif trait.has == (name in has):
            continue
        elif driver:
            text = '%s: stays %s, though %s; %s reports it' % (
                name,
                now,
                trait.reason,
                driver,
            )
        else:
            text = '%s: %s (%s)' % (
                name,
                'not set -> set' if trait.has else 'set -> not set',
                trait.reason,
            )
            action = ADD_TRAIT if trait.has else REMOVE_TRAIT
            found.changes.append(
                Change(action, name, host.name, host.state.uuid)
            )
        found.remark(host.name, text, trait.has is None or bool(driver))


def _refuse_if_required(cloud: ty.Any) -> None:
    """Withdraw nothing that a server couldn't be moved without.

    :raises errors.Failure: naming such servers.
    """
    for name in provider.TRAITS:
        uuids = servers.requiring(cloud.context, name)
        if uuids:
            raise errors.Failure(
                'Nothing is withdrawn, because the requests stored for %s '
                'require %s, and no host could take them then: %s. Traits '
                'can stay when no image or flavor requires them any more.'
                % (
                    tables.counted(len(uuids), 'server'),
                    name,
                    tables.listed(uuids, _SERVERS),
                )
            )


class Applying(apply.Run[Change]):
    """One run that makes the changes of a plan.

    :param pause: waits for so many seconds.
    """

    def __init__(
        self,
        api: nova_api.Nova,
        plan: Plan,
        pause: ty.Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__()
        self._api = api
        self._plan = plan
        self._pause = pause

    def steps(self) -> ty.Iterator[Plan]:
        """Make the changes; stops for a moment after each host.

        :raises errors.Failure: if no call can be made any more.
        """
        by_host: dict[str, list[Change]] = {}
        for change in self._plan.changes:
            if change.action == CREATE_TRAIT:
                # Without it requests would fail that hosts could take.
                self._api.create_trait(change.trait)
                self.outcomes[change] = apply.DONE
                yield self._plan
            else:
                by_host.setdefault(change.uuid, []).append(change)
        for uuid, changes in by_host.items():
            self.outcomes.update(self._change(uuid, changes))
            yield self._plan
        self.converged = True

    def _change(
        self, uuid: str, changes: list[Change]
    ) -> ty.Iterable[tuple[Change, str]]:
        """Change one provider: read, change, write; again if refused.

        What others write in between makes placement refuse the second call.

        :returns: what became of each change.
        """
        why = ''
        for number in range(apply.STRIKES):
            if number:
                self._pause(random.uniform(0, 0.2 * number))  # noqa: S311
            try:
                generation, before = self._api.traits_of(uuid)
                after = set(before)
                for change in changes:
                    if change.action == ADD_TRAIT:
                        after.add(change.trait)
                    else:
                        after.discard(change.trait)
                if after != before:
                    self._api.set_traits(uuid, generation, after)
            except nova_api.RefusedError as e:
                why = str(e)
                continue
            return [
                (
                    change,
                    apply.DONE
                    if (change.trait in before) != (change.trait in after)
                    else apply.NOT_NEEDED,
                )
                for change in changes
            ]
        return [(change, why) for change in changes]
