# SPDX-License-Identifier: Apache-2.0

"""Many boots at once for just as much room in dom0s: without slots, and with.

dom0's limit is a hard one: refuse_dom0_overcommit. Each part has hosts of its
own, whose nova-computes add to their resource providers what facts export
writes for a real host that was read.
"""

from __future__ import annotations

import typing as ty

from nova_xen_sched import conf
from nova_xen_sched import dom0
from nova_xen_sched import provider
from nova_xen_sched.cmd.facts import provider_yaml
from nova_xen_sched.cmd.facts import read_hosts
from nova_xen_sched.xenhost import nova_conf
from nova_xen_sched.xenhost import reader
from nova_xen_sched.xenhost import to_facts
from tests.e2e import hosts
from tests.e2e.client import Client
from tests.e2e.cloud import Cloud
from tests.e2e.processes import until
from tests.e2e.scenarios import burst
from tests.unit.xenhost import captured

TITLE = 'Slots of dom0 (refuse_dom0_overcommit = true)'

BOOTS = 200
#: Seconds; the machine may be busy.
_PATIENCE = 1200
_HOST = reader.read(captured.Connection(hosts.SLOTS_CAPTURE))
_FACTS = to_facts.facts_of(_HOST)
#: HVM guests that fit into one of the dom0s.
ROOM = provider.free_slots(
    conf.defaults().dom0_model,
    dom0.Load(0, _FACTS['dom0_memory_mb'], _FACTS['dom0_vcpus']),
)
#: Only the hosts of this chapter have the trait, and only some have slots.
_TRAIT = {'trait:%s' % provider.HVM: 'required'}
_SLOT = {'resources:%s' % provider.DOM0_SLOT: '1'}

_OF = """
JOIN placement.resource_providers AS rp ON rp.id = resource_provider_id
WHERE named.name = %%s AND rp.name IN (%s)
"""
#: How many hosts have a trait.
_HAVE = (
    'SELECT COUNT(*) FROM placement.resource_provider_traits'
    ' JOIN placement.traits AS named ON named.id = trait_id' + _OF
)
#: What hosts have of a class; NULL for nothing.
_SLOTS = (
    'SELECT SUM(total) FROM placement.inventories'
    ' JOIN placement.resource_classes AS named ON named.id = resource_class_id'
    + _OF
)
#: Servers by host.
_CLAIMED = (
    'SELECT rp.name, COUNT(DISTINCT consumer_id) FROM placement.allocations'
    ' JOIN placement.resource_providers AS rp ON rp.id = resource_provider_id'
    ' WHERE consumer_id IN (%s) GROUP BY rp.name'
)


def run(cloud: Cloud) -> None:
    cloud.write_facts(
        hosts.FACTS
        + ''.join(
            '  %s: {dom0_memory_mb: %d, dom0_vcpus: %d, '
            'libvirt_version: "%s"}\n'
            % (
                *(name, _FACTS['dom0_memory_mb'], _FACTS['dom0_vcpus']),
                _FACTS['libvirt_version'],
            )
            for name in (*hosts.PLAIN, *hosts.SLOTTED)
        )
    )
    option = 'refuse_dom0_overcommit'
    with cloud.report.step('%s = true, SIGHUP' % option) as step:
        step.says(cloud.set_option(option, 'true'))
    _start(cloud, hosts.PLAIN, slots=False)
    _boots(cloud, hosts.PLAIN, _TRAIT)
    _start(cloud, hosts.SLOTTED, slots=True)
    _boots(cloud, hosts.SLOTTED, _SLOT)
    cloud.set_option(option, None)


def _start(cloud: Cloud, names: tuple[str, ...], slots: bool) -> None:
    """Start computes, and wait until placement has what they were told."""
    with cloud.report.step(
        'start %d nova-computes, whose provider.yaml has traits%s'
        % (len(names), ' and slots' if slots else '')
    ) as step:
        nova = nova_conf.NovaConf(compute_driver='libvirt.LibvirtDriver')
        computes = cloud.nova.computes
        for name in names:
            result = read_hosts.Result('', _HOST, name=name, nova=nova)
            text, _ = provider_yaml.of_host(result, nova, slots)
            computes.describe(name, text)
        computes.start(*names)
        cloud.nova.wait_for_computes()
        # nova writes it after the inventory.
        until(
            lambda: (
                _told(cloud, _HAVE, names, provider.HVM)[0][0] == len(names)
            ),
            'the traits in placement',
        )
        found = _told(cloud, _SLOTS, names, provider.DOM0_SLOT)[0][0]
        step.says('slots in placement: %d' % (found or 0))
        step.check(
            found == (ROOM * len(names) if slots else None), 'not as told'
        )


def _told(
    cloud: Cloud, query: str, names: ty.Collection[str], *values: str
) -> list[ty.Any]:
    """What placement's database has of some; nova-api doesn't show it."""
    return cloud.database.execute(
        query % ', '.join(['%s'] * len(names)), *values, *names
    )


def _boots(
    cloud: Cloud, names: tuple[str, ...], extra_specs: ty.Mapping[str, str]
) -> None:
    """Boot all at once, and count the dom0s with more guests than fit."""
    slots = extra_specs == _SLOT
    with cloud.report.step(
        '%d boots at once with room for %d, %s slots'
        % (BOOTS, ROOM * len(names), 'with' if slots else 'without')
    ) as step:
        flavor = cloud.client.create_flavor(
            'slots' if slots else 'none', extra_specs=extra_specs
        )

        def post(client: Client, number: int) -> str:
            return client.post_server(cloud.image['hvm'], flavor=flavor)

        ids = burst.ask_at_once(cloud, BOOTS, post)

        def decided() -> dict[str, int] | None:
            """Guests by host, when nova-scheduler is done with all."""
            errors = burst.states(cloud, ids).get('error', 0)
            found = dict(_told(cloud, _CLAIMED, ids))
            return found if sum(found.values()) + errors == BOOTS else None

        placed = until(decided, '%d decisions' % BOOTS, _PATIENCE)
        over = {name: n - ROOM for name, n in placed.items() if n > ROOM}
        step.says(
            '%d have a host (%s); %d of %d dom0s are overcommitted, by %d '
            'guests'
            % (
                sum(placed.values()),
                ', '.join('%s %d' % each for each in sorted(placed.items())),
                *(len(over), len(names), sum(over.values())),
            )
        )
        step.check(set(placed) <= set(names), 'they are on others')
        step.check(not slots or not over, 'with slots none may be')
        # Else nothing was tried.
        step.check(sum(placed.values()) > BOOTS // 2, 'most have none')
    # What is decided is claimed. The builds would take minutes.
    cloud.nova.computes.end(*names)
