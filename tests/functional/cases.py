# SPDX-License-Identifier: Apache-2.0

"""What the functional tests of the filter have in common."""

from __future__ import annotations

from tests.functional import cloud
from tests.functional import hosts

XEN = {'hypervisor_type': 'xen'}
HVM = dict(XEN, vm_mode='hvm')
PV = dict(XEN, vm_mode='xen')

#: Sizes that leave no doubt which of the hosts left weighs most.
SIZES = {'large': 64, 'middle': 32, 'small': 16}


def sized(size):
    factor = SIZES[size]
    return {
        'memory_mb': factor * 1024,
        'vcpus': factor,
        'local_gb': factor * 10,
    }


def hvm_only(name, **fields):
    """Xen without PV (READ in libvirt's source; no capture)."""
    host = hosts.xen(name, **fields)
    return host.but(
        supported_instances=tuple(
            t for t in host.supported_instances if t[2] == 'hvm'
        )
    )


def conf(*options):
    return '\n'.join(
        (
            cloud.Cloud.NOVA_CONF.rstrip(),
            # Size alone decides; a host that has just booted a guest would
            # weigh less by its I/O, nova 22 counts its vCPUs otherwise, and
            # nova 34 prefers QEMU 8 to Xen 4 by their numbers.
            'io_ops_weight_multiplier = 0',
            'cpu_weight_multiplier = 0',
            'hypervisor_version_weight_multiplier = 0',
            '[xen_scheduler]',
        )
        + options
    )


class FilterCase(cloud.Cloud):
    NOVA_CONF = conf()

    def setUp(self):
        super().setUp()
        # What goes wrong in the plugin accepts the host; here it must show.
        self.addCleanup(self._assert_no_surprise)

    def _assert_no_surprise(self):
        self.assertNotIn('Unexpected error in nova-xen-sched', self.log)

    def assert_boots_on(self, host, *args, **kwargs):
        server = self.boot(*args, **kwargs)
        self.assertEqual(host, self.host_of(server))
        return server

    def assert_no_host(self, *args, **kwargs):
        self.boot(*args, wait='ERROR', **kwargs)
        self.assertEqual([], self.asked[-1].names_out)
