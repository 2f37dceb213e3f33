# SPDX-License-Identifier: Apache-2.0

"""What nova-compute-xen adds to its node's resource provider in placement.

Traits are added and removed on evidence alone. A slot is what one HVM guest
takes of dom0; nova and placement see to it that no more are claimed than
there are, however many schedulers ask at once.
"""

from __future__ import annotations

import typing as ty

from keystoneauth1.exceptions import ClientException
from nova.compute import vm_states
import nova.conf

from nova_xen_sched import conf
from nova_xen_sched import dom0
from nova_xen_sched import log
from nova_xen_sched import provider
from nova_xen_sched.compute import dom0_load
from nova_xen_sched.host import Host

CONF = nova.conf.CONF
LOG = log.logger(__name__)


class PlacementError(Exception):
    """Placement can't be asked."""


def slots(
    model: dom0.Model,
    load: dom0.Load,
    here: ty.Iterable[ty.Any],
    used: int,
) -> provider.Inventory:
    """The slots of this host now.

    :param load: what its dom0 serves. Guests here that it leaves out count as
        HVM.
    :param here: its guests, nova Instances.
    :param used: slots that are claimed in placement.
    """
    asked = [dom0_load.slots_of(guest) for guest in here]
    held = max(sum(asked), used)
    # Claimed, but not here: a guest that comes, or may come back.
    away = held - sum(asked)
    hvm = load.hvm + away + len(asked) - load.guests
    free = provider.free_slots(model, load._replace(hvm=hvm))
    return provider.inventory(held, asked.count(0), free)


def _has_mode(guest: ty.Any) -> bool:
    """Whether it is known which mode a guest is, or will be.

    Where its image alone says so (hw_vm_mode), nova has it a while after the
    claim. Until then it would count as PV by default, and a slot too many be
    free.

    :param guest: a nova Instance.
    """
    return guest.vm_mode is not None or guest.vm_state != vm_states.BUILDING


def write_traits(
    tree: ty.Any, nodename: str, host: Host, settings: conf.Settings
) -> None:
    """Add the traits that this host has, remove those that it has not.

    What can't be told stays as it is, and so do all other traits.

    :param tree: nova's ProviderTree.
    """
    found = provider.traits(host, settings)
    before = tree.data(nodename).traits
    added = {name for name, trait in found.items() if trait.has} - before
    removed = {
        name for name, trait in found.items() if trait.has is False
    } & before
    for names, change, what in (
        (added, tree.add_traits, 'added'),
        (removed, tree.remove_traits, 'removed'),
    ):
        if names:
            change(nodename, *names)
            LOG.info(
                'Traits of %(node)s are %(what)s: %(each)s',
                {
                    'node': nodename,
                    'what': what,
                    'each': '; '.join(
                        '%s: %s' % (name, found[name].reason)
                        for name in sorted(names)
                    ),
                },
            )


class Provider:
    """The resource provider of this compute's node.

    :param report_client: nova's SchedulerReportClient, for what it doesn't
        ask placement by itself.
    :param read_guests: reads the nova Instances of this host.
    :param load_of: what dom0 serves with such instances.
    """

    def __init__(
        self,
        report_client: ty.Any,
        read_guests: ty.Callable[[], list[ty.Any]],
        load_of: ty.Callable[[list[ty.Any]], dom0.Load],
    ) -> None:
        self._report_client = report_client
        self._read_guests = read_guests
        self._load_of = load_of
        self._names_exist = False

    def update(
        self,
        tree: ty.Any,
        nodename: str,
        last: provider.Inventory | None,
        host: Host | None,
        settings: conf.Settings,
    ) -> None:
        """Add traits and slots to what nova's driver reports. Never raises.

        :param tree: nova's ProviderTree.
        :param last: the slots as they were last. They are reported again
            where they can't be counted: a class in use that is left out, or
            one that placement refuses, would break every claim on this host.
        :param host: what it offers and what is known of it; None if that was
            never read.
        """
        now = last
        try:
            self._create_names()
            now = self._slots(tree.data(nodename), last, settings)
            log.NOTICES.forget('placement')
        except PlacementError as e:
            if log.NOTICES.first('placement'):
                LOG.warning(
                    "Placement can't be asked which slots of dom0 are in "
                    'use; %(class)s stays as it was: %(error)s',
                    {'error': e, 'class': provider.DOM0_SLOT},
                )
        except Exception:  # noqa: BLE001  nothing may reach nova
            log.unexpected(
                'counting the slots of dom0; they stay as they were'
            )
        try:
            if now is not None:
                inventories = tree.data(nodename).inventory
                inventories[provider.DOM0_SLOT] = now
                tree.update_inventory(nodename, inventories)
            if host is not None:
                write_traits(tree, nodename, host, settings)
        except Exception:  # noqa: BLE001  nothing may reach nova
            log.unexpected(
                'reporting slots and traits; they stay as they were'
            )

    def _slots(
        self,
        node: ty.Any,
        last: provider.Inventory | None,
        settings: conf.Settings,
    ) -> provider.Inventory:
        """The slots now; or as they were, where nobody needs them at once.

        :param node: nova's ProviderData.
        """
        url = '/resource_providers/%s/usages' % node.uuid
        found = self._ask('get', url, version='1.6').json()
        used = int(found['usages'].get(provider.DOM0_SLOT, 0))
        here = self._read_guests()
        # Each claim makes what nova knows of its provider outdated, and a
        # change is refused then: nova logs an ERROR, and tries again. Where
        # no guest holds a slot, it can wait until nova has looked.
        outdated = found['resource_provider_generation'] != node.generation
        held = used or any(map(dom0_load.slots_of, here))
        looks = CONF.compute.resource_provider_association_refresh
        if last is not None and outdated and looks and not held:
            return last
        load = self._load_of(list(filter(_has_mode, here)))
        return slots(settings.dom0_model, load, here, used)

    def _create_names(self) -> None:
        """Have placement know the traits and the class, in use or not.

        nova creates those that it writes. A request that asks for a name that
        no host has yet would be answered with 400.
        """
        if self._names_exist:
            return
        for name in provider.TRAITS:
            self._ask('put', '/traits/%s' % name, None, version='1.6')
        url = '/resource_classes/%s' % provider.DOM0_SLOT
        self._ask('put', url, None, version='1.7')
        self._names_exist = True

    def _ask(self, method: str, *args: ty.Any, **more: ty.Any) -> ty.Any:
        try:
            response = getattr(self._report_client, method)(*args, **more)
        except ClientException as e:
            raise PlacementError(' '.join(str(e).split())) from e
        if not 200 <= response.status_code < 300:
            raise PlacementError(
                '%s %s: %d %s'
                % (
                    method.upper(),
                    args[0],
                    response.status_code,
                    log.shown(response.text, 200),
                )
            )
        return response
