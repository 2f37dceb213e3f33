# SPDX-License-Identifier: Apache-2.0

"""Neutron: its server on this machine, its agents in each dom0."""

from __future__ import annotations

import os
import shutil
import typing as ty

from tests.e2e.processes import Process
from tests.e2e.processes import until
from tests.e2e.services.bus import Bus
from tests.e2e.services.database import Database
from tests.e2e.services.web import WebService
from tests.e2e.settings import Settings
from tests.xen.e2e import units
from tests.xen.e2e.hosts import GUESTS_NIC
from tests.xen.e2e.hosts import MACHINE
from tests.xen.e2e.hosts import Pair

#: Its network of guests, which each dom0 has at a network card of its own.
PHYSICAL = 'guests'
_DHCP = ('neutron-dhcp-agent', 'DHCP agent')
#: What connects the guests: the agent's program and type, and its firewall.
_AGENTS = {
    'linuxbridge': (
        ('neutron-linuxbridge-agent', 'Linux bridge agent'),
        'iptables',
    ),
    'openvswitch': (
        ('neutron-openvswitch-agent', 'Open vSwitch agent'),
        'iptables_hybrid',
    ),
}
#: An emulated processor is slow to start them: seconds.
_PATIENCE = 900

_SERVER_CONF = """
[DEFAULT]
bind_host = 127.0.0.1
bind_port = {port}
transport_url = {bus}
state_path = {state}
use_stderr = true
core_plugin = ml2
service_plugins =
auth_strategy = keystone
api_paste_config = {paste}
api_workers = 1
rpc_workers = 1
rpc_state_report_workers = 0
agent_down_time = 300
notify_nova_on_port_status_changes = true
notify_nova_on_port_data_changes = true
[oslo_messaging_rabbit]
amqp_durable_queues = true
[oslo_concurrency]
lock_path = {state}
[database]
connection = {database}
[ml2]
type_drivers = flat
tenant_network_types =
mechanism_drivers = linuxbridge,openvswitch
extension_drivers = port_security
[ml2_type_flat]
flat_networks = {physical}
{auth}"""

_AGENTS_CONF = """
[DEFAULT]
host = {name}
transport_url = {bus}
use_stderr = true
state_path = /var/lib/neutron
rpc_response_timeout = 600
# The DHCP agent.
interface_driver = {kind}
enable_isolated_metadata = false
dhcp_driver = neutron.agent.linux.dhcp.Dnsmasq
[oslo_messaging_rabbit]
amqp_durable_queues = true
[oslo_concurrency]
lock_path = /var/lib/neutron/lock
# They run as root here: sudo isn't needed.
[agent]
root_helper =
report_interval = 30
[privsep]
helper_command = privsep-helper --config-file={conf}
[linux_bridge]
physical_interface_mappings = {physical}:{nic}
[vxlan]
enable_vxlan = false
[ovs]
bridge_mappings = {physical}:{bridge}
[securitygroup]
firewall_driver = {firewall}
enable_ipset = true
"""
_CONF = '/etc/neutron/xen-e2e.conf'
#: That of Open vSwitch with the network card of the guests in it.
_BRIDGE = 'br-guests'
#: The network card is taken out of the other's bridge first.
_SET_UP_OPENVSWITCH = r"""
set -eu
ip link set {nic} nomaster
systemctl start openvswitch-switch.service
ovs-vsctl --may-exist add-br {bridge} -- --may-exist add-port {bridge} {nic}
"""


class Neutron(WebService):
    """All of it."""

    name = 'neutron'

    def __init__(
        self, settings: Settings, database: Database, bus: Bus, pair: Pair
    ) -> None:
        super().__init__(settings, database)
        self._bus = bus
        self._pair = pair

    def prepare(self) -> None:
        s = self._settings
        state = s.path('neutron')
        os.makedirs(state, exist_ok=True)
        conf = s.write(
            *self._conf,
            text=_SERVER_CONF.format(
                port=s.ports[self.name],
                bus=self._bus.url,
                state=state,
                paste=s.path('etc', 'neutron', 'api-paste.ini'),
                database=self._database.url('neutron'),
                physical=PHYSICAL,
                auth=s.keystone_auth('keystone_authtoken')
                + s.keystone_auth('nova'),
            ),
        )
        shutil.copy(
            os.path.join(s.nova_env, 'etc/neutron/api-paste.ini'),
            os.path.dirname(conf),
        )
        s.processes.run(
            'neutron-db-manage',
            [
                s.nova_program('neutron-db-manage'),
                '--config-file=' + conf,
                '--subproject=neutron',
                'upgrade',
                'heads',
            ],
        )

    @property
    def _conf(self) -> tuple[str, ...]:
        return ('etc', 'neutron', 'neutron.conf')

    def _serve(self) -> Process:
        s = self._settings
        return s.processes.start(
            self.name,
            [
                s.nova_program('neutron-server'),
                '--config-file=' + s.path(*self._conf),
            ],
        )

    # The agents

    def start_agents(self, kind: str = 'linuxbridge') -> None:
        """:param kind: what connects the guests: linuxbridge, openvswitch"""
        (program, _), firewall = _AGENTS[kind]
        for host in self._pair.all:
            text = _AGENTS_CONF.format(
                name=host.name,
                bus=self._bus.url.replace('127.0.0.1', MACHINE),
                conf=_CONF,
                physical=PHYSICAL,
                nic=GUESTS_NIC,
                kind=kind,
                firewall=firewall,
                bridge=_BRIDGE,
            )
            host.host.write(_CONF, text.encode())
            host.run('mkdir -p /var/lib/neutron/lock')
            if kind == 'openvswitch':
                host.run(
                    _SET_UP_OPENVSWITCH.format(nic=GUESTS_NIC, bridge=_BRIDGE)
                )
            # One DHCP server is enough for both.
            dhcp = [_DHCP[0]] if host is self._pair.all[0] else []
            for each in [program, *dhcp]:
                units.start(host, each, '%s --config-file=%s' % (each, _CONF))

    def wait_for_agents(
        self, ask: ty.Callable[..., ty.Any], kind: str = 'linuxbridge'
    ) -> None:
        """Until all have reported.

        :param ask: a request of Neutron's API: method, path
        """
        (_, agent), _ = _AGENTS[kind]
        wanted = {(agent, host.name) for host in self._pair.all}
        wanted.add((_DHCP[1], self._pair.all[0].name))

        def reported() -> bool:
            assert self._process is not None
            # Else another's may answer, who got the port first.
            self._process.check()
            return wanted <= {
                (each['agent_type'], each['host'])
                for each in ask('GET', '/v2.0/agents')['agents']
                if each['alive']
            }

        until(reported, "Neutron's agents", _PATIENCE)

    def stop_agents(self, ask: ty.Callable[..., ty.Any]) -> None:
        """Neutron forgets them, so that others take their place."""
        for host in self._pair.all:
            host.run("systemctl stop 'e2e-neutron-*'")
        for each in ask('GET', '/v2.0/agents')['agents']:
            ask('DELETE', '/v2.0/agents/' + each['id'])
