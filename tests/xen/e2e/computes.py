# SPDX-License-Identifier: Apache-2.0

"""nova-compute-xen in each dom0, installed and configured as docs say."""

from __future__ import annotations

from concurrent import futures
from pathlib import Path
import re

from tests.e2e.processes import Failure
from tests.e2e.processes import until
from tests.e2e.services.bus import Bus
from tests.e2e.services.database import Database
from tests.e2e.settings import ROOT
from tests.e2e.settings import Settings
from tests.xen.e2e.hosts import MACHINE
from tests.xen.e2e.hosts import Pair
from tests.xen.e2e.hosts import SHARED
from tests.xen.e2e.hosts import XenHost

#: An emulated processor is slow to start nova: seconds.
PATIENCE = 900
#: What nova leaves to dom0; less than dom0 is, so that the scheduler's own
#: arithmetic is what keeps guests out of dom0's memory.
RESERVED_MB = 512
#: What dom0 itself uses, and what an HVM guest takes of it: more than either
#: does, so that a dom0 of DOM0_MB is full with three.
BASE_MB = 1150
HVM_MB = 100

_CONF = """
[DEFAULT]
host = {name}
my_ip = {address}
transport_url = {bus}
compute_driver = xen_libvirt.XenLibvirtDriver
reserved_host_memory_mb = {reserved}
ram_allocation_ratio = 1.0
use_stderr = true
state_path = /var/lib/nova
instances_path = {shared}/instances
# Each costs an emulated dom0 ten seconds of a processor.
update_resources_interval = 30
rpc_response_timeout = 600
# The machine may be busy for longer than a service may be silent by default.
service_down_time = 300
use_cow_images = false
[libvirt]
virt_type = xen
images_type = raw
live_migration_uri = xen+tls://%s/system
live_migration_tunnelled = {tunnelled}
xen_hvmloader_path = /usr/lib/xen-{xen}/boot/hvmloader
[oslo_messaging_rabbit]
# As the controllers have it, or RabbitMQ refuses: "inequivalent arg durable".
amqp_durable_queues = true
# Both hosts have these: neither may clean up behind the other.
[image_cache]
remove_unused_base_images = false
[oslo_concurrency]
lock_path = /run/lock/nova
[xen_scheduler]
refuse_dom0_overcommit = true
dom0_base_memory_mb = {base}
dom0_memory_mb_per_hvm_guest = {hvm}
[compute]
# Slots that no guest holds any more are counted after as long, not after five
# minutes.
resource_provider_association_refresh = 30
# Of a guest on Xen a network interface is made only as it comes.
live_migration_wait_for_vif_plug = false
[vnc]
enabled = true
server_listen = 0.0.0.0
server_proxyclient_address = {address}
[cinder]
endpoint_template = {cinder}/v3/%(project_id)s
[glance]
endpoint_override = {glance}
{auth}"""
#: By which nova in an environment, as root, calls its own.
_PRIVSEP = ''.join(
    '[%s]\nhelper_command = {0} --config-file=/etc/nova/nova.conf\n' % section
    for section in (
        'nova_sys_admin',
        'privsep_osbrick',
        'vif_plug_linux_bridge_privileged',
    )
)
_EXAMPLE = Path(ROOT) / 'etc/nova_xen_sched/nova-compute.service.d/xen.conf'
_DROP_INS = '/etc/systemd/system/nova-compute.service.d'
_LOG = """
[Service]
StandardOutput=append:{log}
StandardError=append:{log}
"""


class Computes:
    """Both nova-computes."""

    def __init__(
        self, settings: Settings, bus: Bus, database: Database, pair: Pair
    ) -> None:
        self._settings = settings
        self._bus = bus
        self._database = database
        self._pair = pair

    def install(self, wheel: Path) -> str:
        """The wheel, into each dom0; what is there then."""
        with futures.ThreadPoolExecutor(len(self._pair.all)) as pool:
            said = pool.map(lambda host: _install(host, wheel), self._pair.all)
            return '; '.join(dict.fromkeys(said))

    def start(self) -> None:
        """By a service and our example; Debian's runs as the user nova."""
        for name in ('instances', 'log'):
            (self._pair.shared / name).mkdir(exist_ok=True)
        self._pair.all[0].run('chown nova: %s/instances' % SHARED)
        for host in self._pair.all:
            host.host.write('/etc/nova/nova.conf', self._conf(host).encode())
            # Debian's would win over nova.conf with another virt_type.
            host.run(
                'rm -f /etc/nova/nova-compute.conf && mkdir -p ' + _DROP_INS
            )
            example = _EXAMPLE.read_text()
            if host.kind.environment:
                # As it says.
                example = example.replace('/usr/local', host.kind.environment)
            log = '%s/log/nova-compute-%s.log' % (SHARED, host.name)
            for path, text in (
                ('xen.conf', example),
                ('log.conf', _LOG.format(log=log)),
            ):
                host.host.write('%s/%s' % (_DROP_INS, path), text.encode())
            host.run(
                'systemctl daemon-reload; '
                'systemctl start --no-block nova-compute'
            )

    def _conf(self, host: XenHost) -> str:
        s = self._settings
        auth = ''
        for section, service in (
            ('placement', 'placement'),
            ('neutron', 'neutron'),
            ('service_user', ''),
            ('keystone_authtoken', ''),
        ):
            auth += s.keystone_auth(section)
            if service:
                auth += 'endpoint_override = %s\n' % s.url(service)
        if host.kind.environment:
            auth += _PRIVSEP.format(host.kind.program('privsep-helper'))
        return _CONF.format(
            name=host.name,
            address=host.address,
            # Of what goes from one of them; it takes twice as long here.
            tunnelled=host is self._pair.all[-1],
            xen=host.kind.xen,
            bus=self._bus.url.replace('127.0.0.1', MACHINE),
            reserved=RESERVED_MB,
            base=BASE_MB,
            hvm=HVM_MB,
            shared=SHARED,
            glance=s.url('glance').replace('127.0.0.1', MACHINE),
            cinder=s.url('cinder').replace('127.0.0.1', MACHINE),
            auth=auth.replace('127.0.0.1', MACHINE),
        )

    def log(self, name: str) -> str:
        """What a host's nova-compute has logged."""
        path = self._pair.shared / 'log' / ('nova-compute-%s.log' % name)
        text = path.read_text(errors='replace') if path.exists() else ''
        return re.sub(r'\x1b\[[0-9;]*m', '', text)

    def wait(self) -> None:
        """Until both have reported their resources.

        :raises Failure: if one has ended, or doesn't.
        """
        until(self._reported, 'the computes to report', PATIENCE)

    def _reported(self) -> bool:
        for host in self._pair.all:
            _, said, _ = host.host.status('systemctl is-active nova-compute')
            said = said.strip()
            if said not in ('active', 'activating'):
                raise Failure(
                    'nova-compute-xen of %s has ended (%s): %s'
                    % (host.name, said, self.log(host.name)[-1000:])
                )
        rows = self._database.execute(
            'SELECT host FROM nova.compute_nodes WHERE deleted = 0'
            " AND hypervisor_type = 'Xen' AND supported_instances <> ''"
            " AND stats LIKE '%%xen_free_memory_mb%%'"
        )
        return len(rows) == len(self._pair.all)


def _install(host: XenHost, wheel: Path) -> str:
    host.host.write('/root/%s' % wheel.name, wheel.read_bytes())
    program = host.kind.program
    host.run(
        '%s install --no-deps --no-index /root/%s'
        % (program('pip3'), wheel.name),
        PATIENCE,
    )
    said = host.run(
        "%s -c 'from importlib import metadata;"
        ' print("nova", metadata.version("nova"))\'; command -v %s'
        % (program('python3'), program('nova-compute-xen'))
    )
    return ', '.join(said.split('\n')).strip(', ')
