# SPDX-License-Identifier: Apache-2.0

"""A file for nova's [compute] provider_config_location: a host's traits.

nova-compute reads it at its start and adds what it has to the host's resource
provider. It takes nothing away.
"""

from __future__ import annotations

from nova_xen_sched import provider
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd.facts import read_hosts
from nova_xen_sched.xenhost import findings
from nova_xen_sched.xenhost import nova_conf

_TEXT = """\
# Traits of the Xen host %s in placement.
# Put this file into [compute] provider_config_location there, and restart
# nova-compute. It only adds: a trait that the host loses has to be removed
# here and in placement. Not for nova-compute-xen, which reports its own.
meta:
  schema_version: '1.0'
providers:
  - identification:
      uuid: $COMPUTE_NODE
    traits:
      additional:
%s"""


def of_host(
    result: read_hosts.Result, nova: nova_conf.NovaConf
) -> tuple[str, list[str]]:
    """The file for a host.

    :param result: of reading it.
    :param nova: nova's configuration here, which says what is new enough.
    :returns: the text, and a line for each trait that is left out because
        it is unknown whether the host has it.
    :raises errors.Failure: if its traits are not known, or nova-compute-xen
        reports them.
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
            'its traits itself: it needs no such file.' % (result.name, driver)
        )
    found = provider.traits(findings.as_host(host), nova.settings)
    text = _TEXT % (
        result.name,
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
