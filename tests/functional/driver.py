# SPDX-License-Identifier: Apache-2.0

"""A virt driver that reports the host profile it was told to."""

from __future__ import annotations

import sys
import typing as ty

import nova.conf
from nova.virt import fake
from oslo_serialization import jsonutils

from tests.functional.hosts import HostProfile

CONF = nova.conf.CONF

#: Host name -> profile. Read at each report, so that a host can change.
PROFILES: ty.Dict[str, HostProfile] = {}

#: The value for [DEFAULT]compute_driver. nova looks the name up under
#: nova.virt, so this module is entered there under a name of its own.
COMPUTE_DRIVER = 'profiled.ProfiledDriver'
sys.modules['nova.virt.profiled'] = sys.modules[__name__]


class ProfiledDriver(fake.FakeDriver):
    """nova's fake driver with the sizes and the hypervisor of a profile.

    The inventory in placement comes from FakeDriver.update_provider_tree,
    which reads the three sizes below and, like the libvirt driver, takes
    [DEFAULT]reserved_host_* and the allocation ratios from CONF.
    """

    # As the libvirt driver has them: raw and qcow2, and no vhd.
    capabilities = dict(
        fake.FakeDriver.capabilities, supports_image_type_qcow2=True
    )

    @property
    def profile(self) -> HostProfile:
        # Until init_host, CONF.host is this compute's; later it is that of
        # the compute which the test started last.
        return PROFILES[getattr(self, '_host', None) or CONF.host]

    @property
    def vcpus(self) -> int:
        return self.profile.vcpus

    @property
    def memory_mb(self) -> int:
        return self.profile.memory_mb

    @property
    def local_gb(self) -> int:
        return self.profile.local_gb

    def get_available_resource(self, nodename: str) -> ty.Dict[str, ty.Any]:
        profile = self.profile
        self.resources.vcpus = profile.vcpus
        self.resources.memory_mb = profile.memory_mb
        self.resources.local_gb = profile.local_gb
        resources = super().get_available_resource(nodename)
        if resources:
            resources.update(
                hypervisor_type=profile.hypervisor_type,
                hypervisor_version=profile.hypervisor_version,
                supported_instances=list(profile.supported_instances),
                cpu_info=jsonutils.dumps(profile.cpu_info),
                stats=dict(profile.stats),
            )
        return resources

    def post_live_migration(
        self,
        context: ty.Any,
        instance: ty.Any,
        block_device_info: ty.Any,
        migrate_data: ty.Any = None,
    ) -> None:
        # FakeDriver leaves the guest on the source for ever.
        self.destroy(context, instance, None)
