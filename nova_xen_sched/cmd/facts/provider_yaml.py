# SPDX-License-Identifier: Apache-2.0

"""A file for nova's [compute] provider_config_location: traits and slots.

nova-compute reads it at its start and adds what it has to the host's resource
provider. It takes nothing away.
"""

from __future__ import annotations

from nova_xen_sched import dom0
from nova_xen_sched import provider
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd.facts import read_hosts
from nova_xen_sched.xenhost import findings
from nova_xen_sched.xenhost import nova_conf
from nova_xen_sched.xenhost import to_facts
from nova_xen_sched.xenhost import XenHost

_TEXT = """\
# Traits%s of the Xen host %s in placement.
# Put this file into [compute] provider_config_location there, and restart
# nova-compute. It only adds: a trait that the host loses has to be removed
# here and in placement. Not for nova-compute-xen, which reports its own.
%smeta:
  schema_version: '1.0'
providers:
  - identification:
      uuid: $COMPUTE_NODE
%s    traits:
      additional:
%s"""
_STATIC = """\
# The slots are the HVM guests for which dom0 has room. When it is resized,
# write this file anew, with no guest on the host.
"""


def of_host(
    result: read_hosts.Result, nova: nova_conf.NovaConf, slots: bool = False
) -> tuple[str, list[str]]:
    """The file for a host.

    :param result: of reading it.
    :param nova: nova's configuration here, which says what is new enough, and
        has the figures of the dom0 model.
    :param slots: write slots too.
    :returns: the text, and a line for each trait that is left out because
        it is unknown whether the host has it.
    :raises errors.Failure: if its traits are not known, nova-compute-xen
        reports them, or slots would be wrong.
    """
    host = result.host
    if host is None or not host.is_xen or host.guest_types is None:
        raise errors.Failure(
            '%s: the guest types that it offers are not known, so that there '
            'are no traits to write.' % result.name
        )
    driver = result.nova.compute_driver if result.nova else None
    if driver == nova_conf.NOVA_COMPUTE_XEN:
        raise errors.Failure(
            '%s runs nova-compute-xen (compute_driver = %s), which reports '
            'its traits and slots itself: it needs no such file.'
            % (result.name, driver)
        )
    inventories = ''
    if slots:
        if driver is None:
            raise errors.Failure(
                '%s: no nova.conf here says its compute_driver, and '
                'nova-compute-xen would report slots too, which nova does '
                'not bear. Write slots in its own dom0.' % result.name
            )
        inventories = _inventories(_slots(result.name, host, nova))
    found = provider.traits(findings.as_host(host), nova.settings)
    text = _TEXT % (
        ' and slots' if slots else '',
        result.name,
        _STATIC if slots else '',
        inventories,
        ''.join(
            '        - %s\n' % name
            for name, trait in found.items()
            if trait.has
        ),
    )
    return text, [
        '%s: %s is left out, because that is unknown: %s.'
        % (result.name, name, trait.reason)
        for name, trait in found.items()
        if trait.has is None
    ]


def _slots(
    name: str, host: XenHost, nova: nova_conf.NovaConf
) -> provider.Inventory:
    """The slots of a host without guests.

    Of a guest that is there, only nova's database says whether it holds one:
    nova 22 doesn't write a flavor's extra specs into libvirt.

    :raises errors.Failure: if there are guests, or it isn't known what dom0
        has.
    """
    guests = host.guest_names
    if guests is None:
        raise errors.Failure(
            '%s: its guests are not known, so that no slots can be written.'
            % name
        )
    if guests:
        raise errors.Failure(
            '%s has %s (%s), and a guest without a slot would not be '
            'counted. Write slots before the first guest is booted, or with '
            'all guests moved away; or run nova-compute-xen, which counts '
            'them.'
            % (
                name,
                tables.counted(len(guests), 'guest'),
                tables.listed(guests),
            )
        )
    known = to_facts.facts_of(host)
    if not {'dom0_memory_mb', 'dom0_vcpus'} <= known.keys():
        raise errors.Failure(
            "%s: dom0's memory has no known fixed size, or its vCPUs are not "
            'known, so that no slots can be counted: facts show says what to '
            'set.' % name
        )
    load = dom0.Load(0, known['dom0_memory_mb'], known['dom0_vcpus'])
    return provider.inventory(
        0, 0, provider.free_slots(nova.settings.dom0_model, load)
    )


def _inventories(slots: provider.Inventory) -> str:
    return '    inventories:\n      additional:\n        - %s:\n%s' % (
        provider.DOM0_SLOT,
        ''.join('            %s: %s\n' % each for each in slots.items()),
    )
