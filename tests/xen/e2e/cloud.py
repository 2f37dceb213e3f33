# SPDX-License-Identifier: Apache-2.0

"""nova's controllers on this machine, and the two Xen hosts."""

from __future__ import annotations

import json
import os
from pathlib import Path
import shutil
import typing as ty

from nova_xen_sched import provider
from tests.e2e import plugin
from tests.e2e.client import Server
from tests.e2e.controllers import Controllers
from tests.e2e.processes import Failure
from tests.e2e.report import Report
from tests.e2e.report import Step
from tests.e2e.settings import Settings
from tests.xen.e2e import boots
from tests.xen.e2e import guests
from tests.xen.e2e import libxl
from tests.xen.e2e import speaker
from tests.xen.e2e.cinder import Cinder
from tests.xen.e2e.computes import Computes
from tests.xen.e2e.hosts import Pair
from tests.xen.e2e.networks import Network
from tests.xen.e2e.neutron import Neutron
from tests.xen.e2e.speaker import Speaker

#: How long nova may take for one thing: seconds.
PATIENCE = 600

#: With less Linux ends for want of memory as it starts (80).
SMALL_MB = 96
#: A guest for which nova sees room on a host without guests, and the dom0
#: model as well (2548 MiB with its overhead, of 2559): only Xen knows that it
#: hasn't so much left.
LARGE_MB = 2526

#: What the operator of this cloud writes into [xen_scheduler]. Nothing else
#: is told about any host but by what it reports itself.
OPTIONS = (
    # What an aggregate says is to win, for one step.
    'fact_sources = aggregate,stats,file,service_version',
    'refuse_dom0_overcommit = true',
)


class Cloud(Controllers):
    """All of it.

    :ivar flavor: name -> id
    """

    # So a driver refuses, and nova logs it.
    means_to_raise = (
        "Xen's libvirt driver has no block migration",
        "guests would take 100 MiB of dom0's memory",
    )

    def __init__(
        self, settings: Settings, report: Report, pins: str, pair: Pair
    ) -> None:
        super().__init__(settings, report, pins)
        # e2e puts a proxy between nova-scheduler and its database, for
        # faults; there is none here.
        settings.ports['proxy'] = settings.ports['mariadb']
        self.pair = pair
        # Not the stand-in of the others.
        self._network = None
        self.neutron = Neutron(settings, self.database, self.bus, pair)
        self._more.append(self.neutron)
        self._cinder: Cinder | None = None
        self._connected = ''
        self.network: ty.Any = None
        self.computes = Computes(settings, self.bus, self.database, pair)
        self.flavor: dict[str, str] = {}
        #: Those that stay for the next chapters, by their mode.
        self.server: dict[str, Server] = {}

    def start_computes(self) -> None:
        """nova-compute-xen in each dom0, then nova-scheduler."""
        report = self.report
        self.client.patience = PATIENCE
        (wheel,) = Path(self.settings.path('wheel')).glob('*.whl')
        report.note('in each dom0: ' + self.computes.install(wheel))
        self.computes.start()
        report.note('images and flavors, while nova-compute-xen starts')
        self.image = guests.upload(self.client, self.pair)
        self.flavor = {
            name: self.client.create_flavor(name, ram, disk=0)
            for name, ram in (('small', SMALL_MB), ('large', LARGE_MB))
        }
        self.flavor['slot'] = self.client.create_flavor(
            'slot',
            SMALL_MB,
            disk=0,
            extra_specs={'resources:' + provider.DOM0_SLOT: '1'},
        )
        self.client.flavor = self.flavor['small']
        self.computes.wait()
        # Tells the cell of them.
        self.nova.wait_for_computes()
        report.note('nova-scheduler, with the plugin')
        self.nova.configure_scheduler(
            plugin.operators_conf(self.settings, *OPTIONS)
        )
        self.nova.start_scheduler()
        self.nova.wait_for_scheduler()

    # What not every chapter needs

    def need_speaker(self) -> None:
        """The images of guests that can be spoken to, once."""
        if 'speaker' not in self.image:
            self.image.update(speaker.upload(self.client, self.pair))

    def need_network(self, kind: str = 'linuxbridge') -> None:
        """Neutron's agents, and a network, once.

        :param kind: what connects the guests; what did before is replaced
        """
        self.need_speaker()
        if self.connected_by(kind):
            return
        self.end_network()
        self.report.note("Neutron's agents: " + kind)
        self._connected = kind
        self.neutron.start_agents(kind)
        self.neutron.wait_for_agents(self._ask_neutron, kind)
        self.network = Network(self.client)

    def connected_by(self, kind: str) -> bool:
        """Whether it is that what connects the guests now."""
        return self._connected == kind and self.network is not None

    def end_network(self) -> None:
        """No agents any more: their idling costs emulation half its speed."""
        network, self.network = self.network, None
        try:
            if network is not None:
                network.delete()
        finally:
            if self._connected:
                self.neutron.stop_agents(self._ask_neutron)
            self._connected = ''

    def _ask_neutron(self, *arguments: ty.Any) -> ty.Any:
        return self.client.ask(*arguments, service='network')

    def need_volumes(self) -> None:
        """Cinder, started once."""
        if self._cinder is not None:
            return
        self.report.note('Cinder')
        self._cinder = Cinder(
            self.settings, self.database, self.bus, self.pair
        )
        self._cinder.prepare()
        self._cinder.start()
        self._cinder.start_volumes()
        self._cinder.wait()

    def boot(
        self,
        step: Step,
        name: str,
        host: str | None = None,
        image: str = 'speaker',
        port: bool = False,
        **more: ty.Any,
    ) -> Server:
        """Boot a guest where nova-scheduler wants it.

        Again where libxl gave up waiting.

        :param image: its name
        :param port: with one, or without network
        :param more: further fields of the request for a server
        """
        request = dict(more)
        if port:
            request.update(
                networks=[{'uuid': self.network.id}],
                security_groups=[{'name': self.network.group}],
            )
        asked: list[str] = []

        def boot() -> Server:
            asked.append(
                self.client.post_server(
                    self.image[image], name=name, host=host, **request
                )
            )
            server = self.client.booted(asked[-1])
            boots.not_rescheduled(self, server)
            return server

        def undo() -> None:
            while asked:
                self.client.delete({'id': asked.pop()})

        return libxl.repeated(step, self.pair, boot, undo)

    def speaker(
        self, step: Step, name: str, *arguments: ty.Any, **more: ty.Any
    ) -> Speaker:
        """Boot a guest that can be spoken to; see boot()."""
        server = self.boot(step, name, *arguments, **more)
        made = Speaker(self.pair, server)
        made.wait()
        return made

    def empty(self) -> None:
        """Delete what earlier chapters have left."""
        for server in self.client.servers():
            self.client.delete(server)
        self.server.clear()

    # What is asked of it

    def ask(self, program: str, *arguments: str) -> tuple[int, str, str]:
        """Exit code, output and complaints of one of the plugin's programs."""
        return self.settings.processes.ask(
            [
                self.settings.nova_program(program),
                '--config-file=' + self.nova.scheduler_conf,
                *arguments,
            ],
            self.identity.client_env(),
        )

    def command(self, program: str, *arguments: str) -> tuple[int, str]:
        """The exit code and the output of one that has something to say."""
        code, printed, complaints = self.ask(program, *arguments)
        if code not in (0, 1) or not printed:
            raise Failure(
                '%s %s: exit code %d: %s'
                % (program, ' '.join(arguments), code, complaints[-800:])
            )
        return code, printed

    def json(self, *arguments: str) -> ty.Any:
        """What one of the plugin's commands answers."""
        _, printed = self.command('nova-xen-sched', *arguments, '-f', 'json')
        return json.loads(printed)

    def vm_mode(self, server_id: str) -> str | None:
        """What nova's database has."""
        ((mode,),) = self.database.execute(
            'SELECT vm_mode FROM nova.instances WHERE uuid = %s', server_id
        )
        return mode

    def stats(self, host: str) -> str:
        """What a compute reported last, as JSON."""
        return self._of_node(host, 'stats')

    def slots(self, host: str) -> tuple[int, int, int]:
        """Those of its dom0 in placement: total, reserved, in use."""
        uuid = self.provider(host)
        found = self.client.provider(uuid, 'inventories').get(
            provider.DOM0_SLOT, {'total': 0, 'reserved': 0}
        )
        used = self.client.provider(uuid, 'usages')
        return (
            found['total'],
            found['reserved'],
            used.get(provider.DOM0_SLOT, 0),
        )

    def provider(self, host: str) -> str:
        """The UUID of a host's resource provider."""
        return self._of_node(host, 'uuid')

    def _of_node(self, host: str, column: str) -> str:
        ((value,),) = self.database.execute(
            'SELECT %s FROM nova.compute_nodes WHERE host = %%s'
            ' AND deleted = 0' % column,
            host,
        )
        return str(value)

    def dom0_mb(self, host: str) -> int:
        """dom0's size as its compute reported it last, MiB."""
        return int(json.loads(self.stats(host))['xen_dom0_memory_mb'])

    def memory(self, host: str) -> tuple[int, int, int]:
        """MiB: what the host has, what nova counts as taken, Xen's free."""
        ((total, used),) = self.database.execute(
            'SELECT memory_mb, memory_mb_used FROM nova.compute_nodes'
            ' WHERE host = %s AND deleted = 0',
            host,
        )
        free = json.loads(self.stats(host))['xen_free_memory_mb']
        return total, used, int(free)

    def logs(self) -> dict[str, str]:
        """The computes' among them."""
        self.keep_logs()
        return super().logs()

    def keep_logs(self) -> None:
        """The nova-computes' beside the others."""
        for path in (self.pair.shared / 'log').glob('*.log'):
            shutil.copy(path, os.path.join(self.settings.path('log')))


def show(step: Step, printed: str) -> None:
    """What a command printed, into the table at the end."""
    step.lines.extend(line for line in printed.split('\n') if line.strip())
