# SPDX-License-Identifier: Apache-2.0

"""A network of guests, and their ports, by Neutron's API."""

from __future__ import annotations

import typing as ty

from tests.e2e.client import Client
from tests.xen.e2e.neutron import PHYSICAL

_CIDR = '10.98.0.0/24'


class Network:
    """A flat network with DHCP, and a security group that lets nothing in.

    :ivar id: of the network
    :ivar group: the security group's id, which is its name as well
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        network = self._make(
            'network',
            name='guests',
            **{
                'provider:network_type': 'flat',
                'provider:physical_network': PHYSICAL,
            },
        )
        self.id: str = network['id']
        self._make(
            'subnet',
            network_id=self.id,
            ip_version=4,
            cidr=_CIDR,
            gateway_ip=None,
        )
        self.group: str = self._make('security-group', name='guests')['id']

    def delete(self) -> None:
        """With the ports that Neutron made there."""
        self.ask('DELETE', '/v2.0/networks/' + self.id)
        self.ask('DELETE', '/v2.0/security-groups/' + self.group)

    def ask(self, method: str, path: str, body: ty.Any = None) -> ty.Any:
        return self._client.ask(method, path, body, service='network')

    def _make(self, kind: str, **fields: ty.Any) -> ty.Any:
        key = kind.replace('-', '_')
        return self.ask('POST', '/v2.0/%ss' % kind, {key: fields})[key]

    def allow(self, **rule: ty.Any) -> str:
        """Let something in; the rule's id."""
        made: str = self._make(
            'security-group-rule',
            security_group_id=self.group,
            direction='ingress',
            ethertype='IPv4',
            **rule,
        )['id']
        return made

    def forbid(self, rule: str) -> None:
        """Take a rule back."""
        self.ask('DELETE', '/v2.0/security-group-rules/' + rule)

    def port(self, server_id: str) -> dict[str, ty.Any]:
        """The only port of a server."""
        (port,) = self.ask('GET', '/v2.0/ports?device_id=' + server_id)[
            'ports'
        ]
        return port

    def ports(self) -> list[dict[str, ty.Any]]:
        """Those of guests."""
        found: list[dict[str, ty.Any]] = self.ask(
            'GET', '/v2.0/ports?network_id=' + self.id
        )['ports']
        return [
            each
            for each in found
            if each['device_owner'].startswith('compute:')
        ]


def tap(port: dict[str, ty.Any]) -> str:
    """What nova calls a port's interface in dom0."""
    return 'tap' + port['id'][:11]


def bridge(port: dict[str, ty.Any]) -> str:
    """The bridge in dom0 that has it."""
    if port['binding:vif_type'] == 'ovs':
        # One of its own, in which its rules are, before Open vSwitch.
        return 'qbr' + str(port['id'][:11])
    return 'brq' + str(port['network_id'][:11])


def address(port: dict[str, ty.Any]) -> str:
    return str(port['fixed_ips'][0]['ip_address'])
