# SPDX-License-Identifier: Apache-2.0

"""nova's controllers, and the services around them, on this machine."""

from __future__ import annotations

from concurrent import futures
import re
import typing as ty

from tests.e2e import plugin
from tests.e2e.client import Client
from tests.e2e.report import Report
from tests.e2e.services.bus import Bus
from tests.e2e.services.database import Database
from tests.e2e.services.identity import Identity
from tests.e2e.services.images import Images
from tests.e2e.services.network import Network
from tests.e2e.services.nova import Nova
from tests.e2e.services.placement import Placement
from tests.e2e.services.web import WebService
from tests.e2e.settings import Settings


class Controllers:
    """All but the computes and nova-scheduler.

    :cvar means_to_raise: words of errors that are the plugin's answer to nova
    :ivar client: of the administrator, once all have been started
    :ivar image: name -> id
    """

    means_to_raise: tuple[str, ...] = ()

    def __init__(self, settings: Settings, report: Report, pins: str) -> None:
        self.settings = settings
        self.report = report
        self._pins = pins
        self.database = Database(settings)
        self.bus = Bus(settings)
        self.identity = Identity(settings, self.database)
        self._images = Images(settings, self.database)
        self._placement = Placement(settings, self.database)
        self._network: Network | None = Network(settings)
        self.nova = Nova(settings, self.database, self.bus)
        #: Further ones.
        self._more: list[WebService] = []
        self.image: dict[str, str] = {}

    def start_controllers(
        self, meanwhile: ty.Callable[[], None] = lambda: None
    ) -> None:
        """Start everything, much of it at once.

        :param meanwhile: called when nova-conductor is there, before the
            others are waited for
        """
        s, report = self.settings, self.report
        pool = futures.ThreadPoolExecutor(4)
        try:
            report.note('MariaDB and RabbitMQ')
            wheel = pool.submit(plugin.install, s, self._pins)
            self.bus.start()
            self.database.start()
            report.note('their tables')
            jobs = [
                pool.submit(each.prepare)
                for each in (
                    self.nova,
                    self.identity,
                    self._images,
                    self._placement,
                    *self._more,
                )
            ]
            report.note(wheel.result())
            for job in futures.as_completed(jobs):
                job.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        report.note('keystone, Glance, placement, nova-api, nova-conductor')
        if self._network is not None:
            self._network.start()
        # The others look for keystone when they start.
        self.identity.start()
        self._images.start()
        self._placement.start()
        self.identity.wait()
        self.nova.start()
        for each in self._more:
            each.start()
        self.nova.wait_for_conductor()
        meanwhile()
        self._images.wait()
        self._placement.wait()
        self.nova.wait()
        for each in self._more:
            each.wait()
        self.client = self.sign_in()

    def sign_in(self) -> Client:
        """A client of its own."""
        return Client(self.identity.session())

    def logs(self) -> dict[str, str]:
        """What each service of this run has written, by its name."""
        return self.nova.logs()

    def refusals(self, server_id: str) -> dict[str, str]:
        """Host -> why it was refused, in the last request for a server."""
        log = self.nova.log()
        # A request has the same id in all of its lines.
        requests = re.findall(
            r'\[.*?(req-[0-9a-f-]+).* for instance %s: ' % server_id, log
        )
        if not requests:
            return {}
        return dict(
            re.findall(
                r'%s.*XenHostFilter: (\S+) is refused: (.*)' % requests[-1],
                log,
            )
        )
