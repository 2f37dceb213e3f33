# SPDX-License-Identifier: Apache-2.0

"""nova's libvirt driver, mended where it fails on a real Xen host.

For nova 22. Each override says which function of nova it stands for and why;
all else is nova's. It was found by running nova 22.0.1 on Xen 4.14 with
libvirt 7.0, see docs. tests/unit/compute/test_nova_text.py notices when
nova's text changes.
"""

from __future__ import annotations

import typing as ty

from eventlet import tpool
from nova import exception
import nova.conf
from nova.objects import fields
from nova.virt.libvirt import driver as libvirt_driver
from nova.virt.libvirt import guest as libvirt_guest

from nova_xen_sched import log
from nova_xen_sched import redact
from nova_xen_sched.compute import stats

CONF = nova.conf.CONF
LOG = redact.logger(__name__)

_NO_BLOCK_MIGRATION = (
    "Xen's libvirt driver has no block migration: it can't copy disks. Put "
    'the disks on storage that both hosts share (instances_path, or '
    'volumes), and live-migrate without block migration; or migrate the '
    'instance cold'
)


class Guest(libvirt_guest.Guest):
    """A guest that is to be live-migrated."""

    def migrate(
        self,
        destination: str,
        migrate_uri: str | None = None,
        migrate_disks: list[str] | None = None,
        destination_xml: str | None = None,
        flags: int = 0,
        bandwidth: int = 0,
    ) -> None:
        """Stands for Guest.migrate.

        nova sends the parameters bandwidth, always, and persistent_xml and
        migrate_disks, each of which libxl refuses: "parameter 'bandwidth'
        not supported".

        :raises MigrationError: for a block migration.
        """
        # libvirt_driver.libvirt is None until nova makes its driver.
        libvirt = libvirt_driver.libvirt
        if migrate_disks or flags & libvirt.VIR_MIGRATE_NON_SHARED_INC:
            raise exception.MigrationError(reason=_NO_BLOCK_MIGRATION)
        if bandwidth:
            LOG.warning(
                "[libvirt]live_migration_bandwidth is %(bandwidth)d; Xen's "
                'libvirt driver has no such limit, it is left out',
                {'bandwidth': bandwidth},
            )
        params = {}
        if destination_xml:
            params['destination_xml'] = destination_xml
        if migrate_uri:
            params['migrate_uri'] = migrate_uri
        self._domain.migrateToURI3(destination, params=params, flags=flags)


class XenLibvirtDriver(libvirt_driver.LibvirtDriver):
    """nova's libvirt driver for virt_type = xen."""

    def __init__(self, virtapi: ty.Any, read_only: bool = False) -> None:
        super().__init__(virtapi, read_only)
        # Set on the one Host that there is, because nova's volume drivers
        # hold it too.
        self._host.get_online_cpus = self._get_online_cpus
        self._reporter = stats.Reporter()

    def _get_online_cpus(self) -> set[int]:
        """Stands for Host.get_online_cpus.

        nova asks virNodeGetCPUMap, which libxl lacks. getInfo() counts the
        CPUs that are online; they are taken to be the first ones.
        """
        info = self._host.get_connection().getInfo()
        return set(range(info[2]))

    def _get_instance_capabilities(self) -> list[tuple[str, str, str]]:
        """Stands for LibvirtDriver._get_instance_capabilities.

        Since libvirt 4.10 the capabilities have guests of the os type xenpvh
        (PVH), on which nova raises InvalidVirtualMachineMode and reports
        nothing at all. They are left out: schedulers can't read them either.
        """
        found = []
        for guest in self._host.get_capabilities().guests:
            for domain_type in guest.domains:
                try:
                    guest_type = (
                        fields.Architecture.canonicalize(guest.arch),
                        fields.HVType.canonicalize(domain_type),
                        fields.VMMode.canonicalize(guest.ostype),
                    )
                except (
                    exception.InvalidArchitectureName,
                    exception.InvalidVirtualMachineMode,
                ) as e:
                    LOG.debug(
                        "A guest type that nova doesn't know is not "
                        'reported: %(error)s',
                        {'error': e},
                    )
                else:
                    found.append(guest_type)
        return found

    def get_available_resource(self, nodename: str) -> dict[str, ty.Any]:
        """Adds to LibvirtDriver.get_available_resource: stats.

        nova reports none, so its scheduler learns neither libvirt's version
        nor anything of dom0.
        """
        data = super().get_available_resource(nodename)
        try:
            data['stats'] = {**(data.get('stats') or {}), **self._stats()}
        except Exception:  # noqa: BLE001  the update must not fail of it
            log.unexpected("reporting this Xen host's facts; it has none")
        return data

    def _stats(self) -> dict[str, str]:
        try:
            # In a native thread: it may wait for xl, and all of nova-compute
            # would.
            host = tpool.execute(
                self._reporter.read, self._host.get_connection(), self._uri()
            )
        except Exception as e:  # noqa: BLE001  what is known is reported
            if not isinstance(e, exception.HypervisorUnavailable):
                log.unexpected('reading this Xen host; what was known counts')
            host = stats.unreachable(e)
        return self._reporter.stats(host, CONF.reserved_host_memory_mb)

    def _prepare_migration_flags(self) -> tuple[int, int]:
        """Adds to LibvirtDriver._prepare_migration_flags: PEER2PEER.

        nova leaves it out for Xen, and libxl refuses: "direct migration is
        not supported by the source host".
        """
        live, block = super()._prepare_migration_flags()
        peer2peer = libvirt_driver.libvirt.VIR_MIGRATE_PEER2PEER
        return live | peer2peer, block | peer2peer

    def _live_migration_operation(
        self,
        context: ty.Any,
        instance: ty.Any,
        dest: str,
        block_migration: bool,
        migrate_data: ty.Any,
        guest: ty.Any,
        device_names: list[str],
    ) -> None:
        """Hands LibvirtDriver._live_migration_operation our Guest."""
        super()._live_migration_operation(
            context,
            instance,
            dest,
            block_migration,
            migrate_data,
            Guest(guest._domain),
            device_names,
        )

    def check_can_live_migrate_source(
        self,
        context: ty.Any,
        instance: ty.Any,
        dest_check_data: ty.Any,
        block_device_info: ty.Any = None,
    ) -> ty.Any:
        """Adds to LibvirtDriver.check_can_live_migrate_source.

        libxl has no block migration ("unsupported flags (0x80)"), so it is
        refused before anything moves, whether it was asked for or nova would
        choose it because the storage isn't shared.

        :raises MigrationPreCheckError: for a block migration.
        """
        self._refuse_block_migration(instance, dest_check_data)
        checked = super().check_can_live_migrate_source(
            context, instance, dest_check_data, block_device_info
        )
        self._refuse_block_migration(instance, checked)
        return checked

    def _refuse_block_migration(self, instance: ty.Any, data: ty.Any) -> None:
        if 'block_migration' in data and data.block_migration:
            LOG.error(_NO_BLOCK_MIGRATION, instance=instance)
            raise exception.MigrationPreCheckError(reason=_NO_BLOCK_MIGRATION)

    def default_root_device_name(
        self, instance: ty.Any, image_meta: ty.Any, root_bdm: ty.Any
    ) -> ty.Any:
        """Precedes LibvirtDriver.default_root_device_name: hw_vm_mode counts.

        nova names a new guest's disks before it spawns it, by its mode: an
        HVM guest whose disks were named as a PV guest's may have two at one
        place of its IDE bus.
        """
        _choose_vm_mode(instance, image_meta)
        return super().default_root_device_name(instance, image_meta, root_bdm)

    def spawn(
        self,
        context: ty.Any,
        instance: ty.Any,
        image_meta: ty.Any,
        *arguments: ty.Any,
        **more: ty.Any,
    ) -> None:
        """Precedes LibvirtDriver.spawn: hw_vm_mode counts.

        nova-api fills instance.vm_mode from the image's old property vm_mode
        alone, and the driver builds what stands there; the scheduler reads
        hw_vm_mode. So an image with only hw_vm_mode=hvm would be scheduled
        as HVM and built as PV. nova-compute saves it with the instance, so
        that it stays HVM when it is built again or moves.
        """
        _choose_vm_mode(instance, image_meta)
        super().spawn(context, instance, image_meta, *arguments, **more)


def _choose_vm_mode(instance: ty.Any, image_meta: ty.Any) -> None:
    mode = image_meta.properties.get('hw_vm_mode')
    if mode and not instance.vm_mode:
        instance.vm_mode = mode
