# SPDX-License-Identifier: Apache-2.0

"""nova's libvirt driver, mended where it fails on a real Xen host.

For nova 22. Each override says which function of nova it stands for and why;
all else is nova's. It was found by running nova 22.0.1 on Xen 4.14 with
libvirt 7.0, see docs. tests/unit/compute/test_nova_text.py notices when
nova's text changes.
"""

from __future__ import annotations

import types
import typing as ty

from eventlet import tpool
from nova import context
from nova import exception
import nova.conf
from nova.objects import fields
from nova.virt.libvirt import driver as libvirt_driver

from nova_xen_sched import conf
from nova_xen_sched import dom0
from nova_xen_sched import host
from nova_xen_sched import log
from nova_xen_sched import provider
from nova_xen_sched.compute import dom0_load
from nova_xen_sched.compute import late_check
from nova_xen_sched.compute import resources
from nova_xen_sched.compute import stats
from nova_xen_sched.compute.guest import Guest
from nova_xen_sched.compute.guest import NO_BLOCK_MIGRATION
from nova_xen_sched.compute.vif import VIFDriver

CONF = nova.conf.CONF
LOG = log.logger(__name__)


class XenLibvirtDriver(libvirt_driver.LibvirtDriver):
    """nova's libvirt driver for virt_type = xen."""

    def __init__(self, virtapi: ty.Any, read_only: bool = False) -> None:
        super().__init__(virtapi, read_only)
        # Set on the one Host that there is, because nova's volume drivers
        # hold it too.
        self._host.get_online_cpus = self._get_online_cpus
        self.vif_driver = VIFDriver()
        self._reporter = stats.Reporter()
        self._options = conf.Options(CONF)
        # What was reported last.
        self._reported: host.Host | None = None
        self._provider = resources.Provider(
            getattr(virtapi, 'reportclient', None), _guests, self._load
        )
        self._late_check = late_check.LateCheck(
            _guests, self._load, self._free_mb
        )

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
            self._reported = host.read(
                types.SimpleNamespace(**data),
                lambda _: self._reporter.known_facts,
            )
        except Exception:  # noqa: BLE001  the update must not fail of it
            log.unexpected("reporting this Xen host's facts; it has none")
        return data

    def _stats(self) -> dict[str, str]:
        try:
            # In a native thread: it may wait for xl, and all of nova-compute
            # would.
            found = tpool.execute(
                self._reporter.read, self._host.get_connection(), self._uri()
            )
        except Exception as e:  # noqa: BLE001  what is known is reported
            if not isinstance(e, exception.HypervisorUnavailable):
                log.unexpected('reading this Xen host; what was known counts')
            found = stats.unreachable(e)
        return self._reporter.stats(found, CONF.reserved_host_memory_mb)

    def update_provider_tree(
        self, provider_tree: ty.Any, nodename: str, allocations: ty.Any = None
    ) -> None:
        """Adds to LibvirtDriver.update_provider_tree: traits, slots of dom0.

        nova's own traits and inventories stay as they are.
        """
        # nova's replaces all that there is.
        before = provider_tree.data(nodename).inventory
        super().update_provider_tree(provider_tree, nodename, allocations)
        self._provider.update(
            provider_tree,
            nodename,
            before.get(provider.DOM0_SLOT),
            self._reported,
            self._options.current(),
        )

    def _load(self, found: list[ty.Any]) -> dom0.Load:
        """What dom0 serves with these guests."""
        return dom0_load.load(
            found,
            self._reporter.known_facts,
            self._host.get_memory_mb_total(),
            self._options.current(),
        )

    def _free_mb(self) -> int | None:
        """The RAM that Xen has left now, MiB.

        None if libvirt doesn't answer, and beside a dom0 that balloons: there
        it is next to none, and dom0 gives of its own.
        """
        if self._reporter.known_facts.get('dom0_memory_mb') is None:
            return None
        try:
            return int(self._host.get_connection().getFreeMemory()) >> 20
        except Exception as e:  # noqa: BLE001  nova will fail of it itself
            LOG.debug("Xen's free memory is unknown: %(error)s", {'error': e})
            return None

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

    def check_can_live_migrate_destination(
        self, context: ty.Any, instance: ty.Any, *args: ty.Any, **more: ty.Any
    ) -> ty.Any:
        """Precedes LibvirtDriver.check_can_live_migrate_destination.

        The guest must fit here. nova's would leave a file behind.

        :raises MigrationPreCheckError: where it does not; then nova tries the
            next host. Of any other error the running guest would end in
            ERROR.
        """
        refusal = self._late_check.refusal(
            instance, instance.vm_mode, self._options.current()
        )
        if refusal:
            raise exception.MigrationPreCheckError(reason=refusal)
        return super().check_can_live_migrate_destination(
            context, instance, *args, **more
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
            LOG.error(NO_BLOCK_MIGRATION, instance=instance)
            raise exception.MigrationPreCheckError(reason=NO_BLOCK_MIGRATION)

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
        """Precedes LibvirtDriver.spawn: the guest must fit, hw_vm_mode counts.

        nova-api fills instance.vm_mode from the image's old property vm_mode
        alone, and the driver builds what stands there; the scheduler reads
        hw_vm_mode. So an image with only hw_vm_mode=hvm would be scheduled
        as HVM and built as PV. nova-compute saves it with the instance, so
        that it stays HVM when it is built again or moves.

        :raises ComputeResourcesUnavailable: for a boot that doesn't fit; then
            nova tries the next host. For other operations it has none.
        """
        refusal = self._late_check.refusal(
            instance, _vm_mode(instance, image_meta), self._options.current()
        )
        if refusal and late_check.is_boot(instance):
            raise exception.ComputeResourcesUnavailable(reason=refusal)
        _choose_vm_mode(instance, image_meta)
        super().spawn(context, instance, image_meta, *arguments, **more)


def _guests() -> list[ty.Any]:
    return dom0_load.on_host(context.get_admin_context(), CONF.host)


def _vm_mode(instance: ty.Any, image_meta: ty.Any) -> str | None:
    return instance.vm_mode or image_meta.properties.get('hw_vm_mode')


def _choose_vm_mode(instance: ty.Any, image_meta: ty.Any) -> None:
    mode = _vm_mode(instance, image_meta)
    if mode != instance.vm_mode:
        instance.vm_mode = mode
