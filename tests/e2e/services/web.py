# SPDX-License-Identifier: Apache-2.0

"""A service that is a WSGI application."""

from __future__ import annotations

import abc

from tests.e2e.processes import listening
from tests.e2e.processes import Process
from tests.e2e.services.database import Database
from tests.e2e.settings import Settings


class WebService(abc.ABC):
    """One that is started, and waited for at its port."""

    #: What Settings.ports calls it.
    name: str

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._database = database
        self._process: Process | None = None

    @abc.abstractmethod
    def prepare(self) -> None:
        """Write its configuration, and make its tables."""

    @abc.abstractmethod
    def _serve(self) -> Process:
        """Start it."""

    def start(self) -> None:
        self._process = self._serve()

    def wait(self) -> None:
        assert self._process is not None
        port = self._settings.ports[self.name]
        self._process.until(lambda: listening(port), 'the port')
