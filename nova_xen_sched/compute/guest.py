# SPDX-License-Identifier: Apache-2.0

"""nova's libvirt guest, with a live migration that libxl takes."""

from __future__ import annotations

from nova import exception
from nova.virt.libvirt import driver as libvirt_driver
from nova.virt.libvirt import guest as libvirt_guest

from nova_xen_sched import log

LOG = log.logger(__name__)

#: Why a block migration is refused, and what to do.
NO_BLOCK_MIGRATION = (
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
            raise exception.MigrationError(reason=NO_BLOCK_MIGRATION)
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
