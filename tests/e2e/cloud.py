# SPDX-License-Identifier: Apache-2.0

"""The cloud of a run: all services, and what scenarios ask of them."""

from __future__ import annotations

import os
import re
import shutil

from tests.e2e import hosts
from tests.e2e import plugin
from tests.e2e.client import Client
from tests.e2e.controllers import Controllers
from tests.e2e.processes import Failure
from tests.e2e.proxy import Proxy
from tests.e2e.report import Report
from tests.e2e.settings import Settings

#: Name -> properties.
IMAGES = {
    'hvm': {'hypervisor_type': 'xen', 'vm_mode': 'hvm'},
    'hvm-2': {'hypervisor_type': 'xen', 'vm_mode': 'hvm'},
    'pv': {'hypervisor_type': 'xen', 'vm_mode': 'xen'},
    'xen': {'hypervisor_type': 'xen'},
    'kvm': {'hypervisor_type': 'kvm', 'vm_mode': 'hvm'},
    'pv-32': {
        'hypervisor_type': 'xen',
        'vm_mode': 'xen',
        'architecture': 'i686',
    },
    'untyped': {},
}
#: Those that get them by the openstack command; the others when they are made.
SET_BY_COMMAND = ('hvm', 'pv', 'kvm')


class Cloud(Controllers):
    """All of it."""

    def __init__(self, settings: Settings, report: Report, pins: str) -> None:
        super().__init__(settings, report, pins)
        self.proxy = Proxy(
            settings.ports['proxy'],
            settings.ports['mariadb'],
            self.nova.is_scheduler,
        )
        #: The aggregate of xen-old; 0 for none.
        self.old = 0

    def start(self) -> None:
        s, report = self.settings, self.report
        self.proxy.start()
        self.start_controllers(self._start_computes)
        self._make_images()
        Client.flavor = self.client.create_flavor()
        self.nova.wait_for_computes()
        report.note('nova-scheduler, with the plugin')
        self.write_facts(hosts.FACTS)
        self.nova.configure_scheduler(
            plugin.operators_conf(s, 'host_facts_file = ' + self.facts_file)
        )
        self.nova.start_scheduler()
        self.nova.wait_for_scheduler()

    def _start_computes(self) -> None:
        self.report.note('%d x nova-compute' % len(hosts.ALL))
        self.nova.computes.start()

    def _make_images(self) -> None:
        commands = []
        for name, properties in IMAGES.items():
            if name not in SET_BY_COMMAND:
                self.image[name] = self.client.create_image(name, **properties)
            else:
                self.image[name] = self.client.create_image(name)
                arguments = [
                    '--property=%s=%s' % each for each in properties.items()
                ]
                commands.append(
                    self.settings.processes.start(
                        'openstack-image-set',
                        [
                            self.settings.services_program('openstack'),
                            'image',
                            'set',
                            *arguments,
                            self.image[name],
                        ],
                        env=self.identity.client_env(),
                    )
                )
        for command in commands:
            self.settings.processes.wait(command)

    # The facts file

    @property
    def facts_file(self) -> str:
        return self.settings.path('facts', 'host-facts.yaml')

    def write_facts(self, text: str) -> None:
        if os.path.isdir(self.facts_file):
            shutil.rmtree(self.facts_file)
        self.settings.write('facts', 'host-facts.yaml', text=text)

    # Options and aggregates

    def set_option(self, name: str, value: str | None) -> str:
        """Change an option of [xen_scheduler] by SIGHUP; what was done."""
        self.nova.set_option(name, value)
        # With native threads, SIGHUP has nova start new workers, and these
        # know the aggregates as they were when nova-scheduler was started.
        if self.settings.release >= 33 and self.old:
            self.say_old()
            return (
                'nova-scheduler logged the change and started new workers; '
                "the aggregate's metadata is set again for these"
            )
        return 'nova-scheduler logged the change'

    def say_old(self) -> None:
        """Have the aggregate of xen-old say that its libvirt is too old."""
        if not self.old:
            self.old = self.client.create_aggregate('xen-old', 'xen-old')
        self.client.set_aggregate(self.old, xen_libvirt_version='1.2.5')

    # What nova-scheduler logged

    def decision(self, server_id: str, nth: int = -1) -> str:
        """The plugin's line about a request for a server.

        :param nth: which of several; the last by default
        """
        found = re.findall(
            r'XenHostFilter: .* for instance %s: .*' % server_id,
            self.nova.log(),
        )
        if not found:
            raise Failure(
                'nova-scheduler logged no decision for %s' % server_id
            )
        return found[nth]

    def refused_for(self, server_id: str, host: str, code: str) -> str:
        """The log line that refuses a host with a code.

        :raises Failure: if there is none
        """
        reason = self.refusals(server_id).get(host, '')
        if not reason.startswith(code + ':'):
            raise Failure(
                'nova-scheduler did not log that %s was refused for %s: %s'
                % (host, code, reason or 'nothing')
            )
        return 'XenHostFilter: %s is refused: %s' % (host, reason)
