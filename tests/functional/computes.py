# SPDX-License-Identifier: Apache-2.0

"""The computes of a cloud: starting, changing and stopping them."""

from __future__ import annotations

import typing as ty
from unittest import mock

from nova import context
from nova import objects

from tests.functional import driver
from tests.functional.hosts import HostProfile


class Computes:
    """The part of a Cloud that has nova-computes, one for each profile."""

    api: ty.Any
    computes: ty.Dict[str, ty.Any]
    host_mappings: ty.Dict[str, ty.Any]

    def start_hosts(
        self, profiles: ty.Iterable[HostProfile], **more: ty.Any
    ) -> None:
        """Start a nova-compute for each.

        :param more: for nova's start_service(): cell_name.
        """
        for profile in profiles:
            driver.PROFILES[profile.name] = profile
            self.addCleanup(driver.PROFILES.pop, profile.name, None)
            self.computes[profile.name] = self._start(
                'compute', host=profile.name, **more
            )
            self._set_service_version(profile)

    def change_host(self, profile: HostProfile) -> None:
        """Let a host that runs report something else from now on."""
        driver.PROFILES[profile.name] = profile
        with self._cell_context(profile.name) as ctxt:
            compute = self.computes[profile.name]
            compute.manager.update_available_resource(ctxt)
        self._set_service_version(profile)

    def _cell_context(self, host: str) -> ty.Any:
        return context.target_cell(
            context.get_admin_context(), self.host_mappings[host].cell_mapping
        )

    def _set_service_version(self, profile: HostProfile) -> None:
        if profile.service_version is None:
            return
        # A new Service object has the version of the nova that runs, and
        # saves it; the field is read-only.
        with mock.patch(
            'nova.objects.service.SERVICE_VERSION', profile.service_version
        ), self._cell_context(profile.name) as ctxt:
            record = objects.Service.get_by_compute_host(ctxt, profile.name)
            objects.Service(ctxt, id=record.id).save()

    def stop_host(self, name: str) -> None:
        """Stop a host's nova-compute and tell nova that it is down."""
        self.computes[name].stop()
        service = self.api.get_services(binary='nova-compute', host=name)[0]
        self.api.put_service_force_down(service['id'], True)
