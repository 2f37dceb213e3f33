# SPDX-License-Identifier: Apache-2.0

"""nova: its api, conductor, computes and scheduler."""

from __future__ import annotations

import glob
import json
import os
import re
import shutil
import signal

from tests.e2e.processes import listening
from tests.e2e.processes import Process
from tests.e2e.services.bus import Bus
from tests.e2e.services.computes import Computes
from tests.e2e.services.database import Database
from tests.e2e.settings import INSIDE
from tests.e2e.settings import Settings

WORKERS = 2
#: The first nova that starts new workers on SIGHUP.
_RENEWS = 33
#: nova 22 colours what it logs.
_COLOUR = re.compile(r'\x1b\[[0-9;]*m')
#: What a worker logs as soon as it listens.
_LISTENS = 'Join ServiceGroup membership for this service scheduler'
#: Filled by each service from its own nova.conf.
_CELL_BUS = '{scheme}://{username}:{password}@{hostname}:{port}/'

_CONF = """
[DEFAULT]
transport_url = {bus}
state_path = {state}
use_stderr = true
logging_debug_format_suffix =
# The packaged default, with what explains a decision.
default_log_levels = amqp=WARN,amqplib=WARN,sqlalchemy=WARN,oslo.messaging=\
INFO,oslo_messaging=INFO,iso8601=WARN,requests.packages.urllib3.connectionpool\
=WARN,urllib3.connectionpool=WARN,websocket=WARN,keystonemiddleware=WARN,\
routes.middleware=WARN,stevedore=WARN,taskflow=WARN,keystoneauth=WARN,\
oslo.cache=INFO,oslo_policy=INFO,dogpile.core.dogpile=INFO,\
nova_xen_sched=DEBUG,nova.service=DEBUG,nova.conductor.tasks.live_migrate=DEBUG
# The machine may be busy for longer than a service may be silent by default.
service_down_time = 180
# Guests here have a size on paper only.
cpu_allocation_ratio = 16.0
ram_allocation_ratio = 1.0
disk_allocation_ratio = 1.0
enabled_apis = osapi_compute
osapi_compute_listen = 127.0.0.1
osapi_compute_listen_port = {port}
osapi_compute_workers = 1
{databases}[oslo_concurrency]
lock_path = {state}
[wsgi]
api_paste_config = {paste}
[api]
auth_strategy = keystone
[conductor]
workers = 2
[oslo_messaging_rabbit]
# What was asked while RabbitMQ restarted is not lost.
amqp_durable_queues = true
[scheduler]
workers = {workers}
[quota]
instances = -1
cores = -1
ram = -1
[vnc]
enabled = false
{auth}"""


class Nova:
    """The nova under test.

    :ivar scheduler: its process; None while there is none
    """

    def __init__(
        self, settings: Settings, database: Database, bus: Bus
    ) -> None:
        self._settings = settings
        self._database = database
        self._bus = bus
        self.scheduler: Process | None = None
        self._api: Process | None = None
        self._conductor: Process | None = None
        self.computes = Computes(
            settings, database, lambda host: self._conf(host, '')
        )
        #: What the operator adds to nova-scheduler's nova.conf.
        self.operators = ''

    def _conf(self, state: str, port: str = 'mariadb') -> str:
        """A nova.conf.

        :param state: the service's own folder
        :param port: that of the database; empty for none
        """
        s = self._settings
        databases = {}
        if port:
            databases = {
                'database': self._database.url('nova', port),
                'api_database': self._database.url('nova_api'),
            }
        os.makedirs(s.path('nova', state), exist_ok=True)
        return _CONF.format(
            bus=self._bus.url,
            state=s.path('nova', state),
            port=s.ports['nova'],
            databases=''.join(
                '[%s]\nconnection = %s\nmax_pool_size = 50\n' % (section, url)
                for section, url in databases.items()
            ),
            paste=s.path('etc/nova/api-paste.ini'),
            workers=WORKERS,
            auth=''.join(
                s.keystone_auth(section)
                for section in (
                    'keystone_authtoken',
                    'placement',
                    'neutron',
                    'service_user',
                )
            ),
        )

    def prepare(self) -> None:
        """Write its configuration, and make its tables and its cell."""
        s = self._settings
        s.write('etc', 'nova', 'nova.conf', text=self._conf('state'))
        shutil.copy(
            os.path.join(s.nova_env, 'etc/nova/api-paste.ini'),
            s.path('etc/nova'),
        )
        self._manage(
            'nova-manage',
            ['api_db', 'sync'],
            [
                'cell_v2',
                'map_cell0',
                '--database_connection',
                self._database.url('nova_cell0'),
            ],
            ['db', 'sync'],
            [
                'cell_v2',
                'create_cell',
                '--name=cell1',
                # All who look into the cell look through it; see proxy.py.
                '--database_connection=' + self._database.url('nova', 'proxy'),
                '--transport-url=' + _CELL_BUS,
            ],
        )

    def _manage(self, name: str, *commands: list[str]) -> None:
        s = self._settings
        s.processes.run(
            name,
            [
                s.nova_program('python'),
                os.path.join(INSIDE, 'manage.py'),
                s.path('etc/nova/nova.conf'),
                json.dumps(commands),
            ],
        )

    def _start(self, name: str, conf: str, **kwargs: object) -> Process:
        s = self._settings
        return s.processes.start(
            name,
            [s.nova_program(name), '--config-file=' + conf],
            **kwargs,  # type: ignore[arg-type]
        )

    # The api and the conductor, which know nothing of the plugin.

    def start(self) -> None:
        s = self._settings
        conf = s.path('etc/nova/nova.conf')
        self._conductor = self._start('nova-conductor', conf)
        if s.release >= 30:
            self._api = s.wsgi(
                'nova',
                s.nova_env,
                'nova.wsgi.osapi_compute:application',
                OS_NOVA_CONFIG_DIR=s.path('etc/nova'),
            )
        else:
            # It hangs in a server with threads.
            self._api = self._start('nova-api-os-compute', conf)

    def wait(self) -> None:
        assert self._api is not None
        self._api.until(
            lambda: listening(self._settings.ports['nova']), 'the port'
        )

    def wait_for_conductor(self) -> None:
        assert self._conductor is not None
        self._conductor.until(
            lambda: self._services('nova-conductor'), 'the service record'
        )

    def _services(self, binary: str) -> int:
        return self._database.execute(
            'SELECT COUNT(*) FROM nova.services WHERE `binary` = %s'
            ' AND report_count > 0',
            binary,
        )[0][0]

    def wait_for_computes(self) -> None:
        """Until all have reported; tells the cell of them."""
        self.computes.wait()
        self._manage('nova-manage-discover', ['cell_v2', 'discover_hosts'])

    # The scheduler

    @property
    def scheduler_conf(self) -> str:
        return self._settings.path('etc/scheduler/nova.conf')

    def configure_scheduler(self, operators: str) -> None:
        """Write nova-scheduler's nova.conf.

        :param operators: what the operator adds to it
        """
        if not hasattr(self, '_scheduler_base'):
            self._scheduler_base = self._conf('scheduler')
        self.operators = operators
        self._settings.write(
            'etc',
            'scheduler',
            'nova.conf',
            text=self._scheduler_base + operators,
        )

    def start_scheduler(self) -> None:
        # Also where it is root's, a file can be kept from it.
        lost = '-dac_override,-dac_read_search'
        privileges = (
            ('--inh-caps=' + lost, '--bounding-set=' + lost)
            if not os.geteuid()
            else ()
        )
        self.scheduler = self._start(
            'nova-scheduler', self.scheduler_conf, privileges=privileges
        )

    def wait_for_scheduler(self, seen: int = 0) -> None:
        """Until all workers listen.

        :param seen: how much of its log is an earlier one's
        """
        assert self.scheduler is not None
        process = self.scheduler
        process.until(
            lambda: len(re.findall(_LISTENS, self.log()[seen:])) >= WORKERS,
            'the start',
        )
        process.until(
            lambda: self._services('nova-scheduler'), 'the first report'
        )

    def is_scheduler(self, pid: int) -> bool:
        """Is this a process of nova-scheduler?"""
        try:
            group = os.getpgid(pid)
        except ProcessLookupError:
            return False
        return self.scheduler is not None and group == self.scheduler.pid

    def kill_scheduler(self) -> None:
        """kill -9 it and its workers."""
        assert self.scheduler is not None
        self.scheduler.kill()

    def log(self) -> str:
        """What nova-scheduler has logged."""
        assert self.scheduler is not None
        return _COLOUR.sub('', self.scheduler.written())

    def set_option(self, name: str, value: str | None) -> None:
        """Change an option of [xen_scheduler] as an operator does.

        Edits nova.conf, sends SIGHUP, and waits until it has taken effect:
        nova 34 starts new workers, nova 22 changes those that it has.
        """
        assert self.scheduler is not None
        lines = [
            line
            for line in self.operators.split('\n')
            if not re.match(re.escape(name) + r'\s*=', line)
        ]
        if value is not None:
            lines.insert(
                lines.index('[xen_scheduler]') + 1, '%s = %s' % (name, value)
            )
        self.configure_scheduler('\n'.join(lines))
        seen = len(self.log())
        self.scheduler.signal(signal.SIGHUP)
        changed = re.compile(
            r' (\d+) INFO .*Option xen_scheduler\.%s changed' % name
        )
        renewed = self._settings.release >= _RENEWS
        # The process above the workers says so too.
        wanted = 1 if renewed else 1 + WORKERS
        self.scheduler.until(
            lambda: len(set(changed.findall(self.log()[seen:]))) >= wanted,
            'the change of %s' % name,
        )
        if renewed:
            self.wait_for_scheduler(seen)

    def logs(self) -> dict[str, str]:
        """What each service of this run has written, by its name."""
        found = {}
        for path in sorted(glob.glob(self._settings.path('log', '*.log'))):
            name = os.path.basename(path)[: -len('.log')]
            with open(path, encoding='utf-8', errors='replace') as f:
                found[name] = _COLOUR.sub('', f.read())
        return found
