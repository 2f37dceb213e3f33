# SPDX-License-Identifier: Apache-2.0

"""A libvirt that answers as captured Xen hosts did, under nova's own fake."""

from __future__ import annotations

from nova.tests.unit.virt.libvirt import fakelibvirt

from tests.unit.xenhost import captured

LIVE = fakelibvirt.VIR_MIGRATE_LIVE
PEER2PEER = fakelibvirt.VIR_MIGRATE_PEER2PEER
TUNNELLED = fakelibvirt.VIR_MIGRATE_TUNNELLED
NON_SHARED_INC = fakelibvirt.VIR_MIGRATE_NON_SHARED_INC


def refused(message, code):
    return fakelibvirt.make_libvirtError(
        fakelibvirt.libvirtError, message, error_code=code
    )


class Connection(fakelibvirt.Connection):
    """A captured host under nova's fake; what libxl lacks raises."""

    def __init__(self, name):
        # The fake knows this URI only.
        super().__init__('qemu:///system', readonly=False)
        self.captured = captured.Connection(name, uri='xen:///system')

    def getCPUMap(self):  # noqa: N802
        raise refused(self.captured.conn['getCPUMap'], 3)


for name in (
    'getType',
    'getURI',
    'getHostname',
    'getLibVersion',
    'getVersion',
    'getInfo',
    'getFreeMemory',
    'getCapabilities',
):

    def answer(self, _name=name):
        return getattr(self.captured, _name)()

    setattr(Connection, name, answer)


def domain_of(self, number):
    return self.captured.lookupByID(number)


Connection.lookupByID = domain_of


class Domain:
    """A guest whose libxl takes a migration as the captured one did.

    In captures/xen-4.14-hvm/migrateToURI3-errors.txt.
    """

    TAKES = frozenset({'destination_xml', 'migrate_uri', 'destination_name'})
    FLAGS = (
        LIVE
        | PEER2PEER
        | TUNNELLED
        | fakelibvirt.VIR_MIGRATE_UNDEFINE_SOURCE
        | fakelibvirt.VIR_MIGRATE_PERSIST_DEST
    )

    def __init__(self):
        self.migrated = []

    def migrateToURI3(self, uri, params, flags):  # noqa: N802
        if not flags & (PEER2PEER | TUNNELLED):
            raise refused(
                'direct migration is not supported by the source host', 74
            )
        for name in sorted(params.keys() - self.TAKES):
            raise refused("parameter '%s' not supported" % name, 74)
        if flags & ~self.FLAGS:
            raise refused('unsupported flags (0x%x)' % flags, 8)
        self.migrated.append((uri, params))

    def UUIDString(self):  # noqa: N802
        return 'b644dec6-3d91-4282-8c3e-3900401e080e'
