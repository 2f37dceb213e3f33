# SPDX-License-Identifier: Apache-2.0

"""nova's libvirt guest, with a live migration that libxl takes."""

from __future__ import annotations

from lxml import etree
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


#: The type of an <address> of ours, which libvirt never sees.
_MARKER = 'nova-xen-sched'


class Guest(libvirt_guest.Guest):
    """A guest that is to be live-migrated."""

    def get_xml_desc(
        self,
        dump_inactive: bool = False,
        dump_sensitive: bool = False,
        dump_migratable: bool = False,
    ) -> str:
        """Adds to Guest.get_xml_desc: an <address> of each interface.

        nova puts the <address> of an interface into the XML for the
        destination (_update_vif_xml). The interfaces of Xen guests have none:
        "expected lxml.etree._Element, got NoneType". migrate() takes it out
        again.
        """
        found: str = super().get_xml_desc(
            dump_inactive, dump_sensitive, dump_migratable
        )
        if not dump_migratable:
            return found
        domain = etree.fromstring(found)
        for each in domain.iterfind('./devices/interface'):
            if each.find('address') is None:
                etree.SubElement(each, 'address', type=_MARKER)
        return str(etree.tostring(domain, encoding='unicode'))

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
            params['destination_xml'] = _unmarked(destination_xml)
        if migrate_uri:
            params['migrate_uri'] = migrate_uri
        self._domain.migrateToURI3(destination, params=params, flags=flags)


def _unmarked(xml: str) -> str:
    """A guest's XML without the addresses of get_xml_desc()."""
    domain = etree.fromstring(xml)
    marked = './devices/interface/address[@type="%s"]' % _MARKER
    for each in domain.findall(marked):
        each.getparent().remove(each)
    return str(etree.tostring(domain, encoding='unicode'))
