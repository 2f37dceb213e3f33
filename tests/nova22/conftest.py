# SPDX-License-Identifier: Apache-2.0

"""The configuration of a Xen host, and drivers on it."""

from __future__ import annotations

import pytest

from nova_xen_sched.compute import launcher

if not launcher.complaint_of_nova():
    # First, for it lets eventlet patch the standard library.
    import nova.cmd  # isort: skip

    from nova import objects
    import nova.conf
    from nova.tests.unit.virt.libvirt import fakelibvirt
    from nova.virt import fake
    from nova.virt.libvirt import driver as libvirt_driver
    from nova.virt.libvirt import host as libvirt_host

    from nova_xen_sched.compute import driver
    from tests.nova22.fakes import Connection
    from tests.unit.xenhost import captured

    CONF = nova.conf.CONF


@pytest.fixture(autouse=True)
def nova_22():
    """nova's fixture of a libvirt, and the configuration of a Xen host."""
    fixture = fakelibvirt.FakeLibvirtFixture()
    with fixture:
        CONF([], project='nova', default_config_files=[])
        CONF.set_override('virt_type', 'xen', 'libvirt')
        CONF.set_override(
            'live_migration_uri', 'xen+tcp://%s/system', 'libvirt'
        )
        CONF.set_override('reserved_host_memory_mb', 1280)
        objects.register_all()
        yield
        CONF.reset()
        CONF.clear_override('virt_type', 'libvirt')
        CONF.clear_override('live_migration_uri', 'libvirt')
        CONF.clear_override('reserved_host_memory_mb')


@pytest.fixture
def on(monkeypatch, tmp_path):
    """Makes a driver, ours if not told otherwise, on a captured host."""

    def make(name='xen-4.14-hvm', of=driver.XenLibvirtDriver):
        monkeypatch.setattr(
            fakelibvirt, 'openAuth', lambda *_: Connection(name)
        )
        monkeypatch.setattr(
            libvirt_driver.LibvirtDriver,
            '_get_local_gb_info',
            staticmethod(lambda: {'total': 6.0, 'free': 4.0, 'used': 1.0}),
        )
        monkeypatch.setattr(
            libvirt_host.Host, 'get_memory_mb_used', lambda self: 320
        )
        # It would tell the database that the host is up.
        monkeypatch.setattr(
            libvirt_driver.LibvirtDriver,
            '_set_host_enabled',
            lambda *_: None,
        )
        made = of(fake.FakeVirtAPI(), False)
        made._host.initialize()
        if isinstance(made, driver.XenLibvirtDriver):
            made._reporter = driver.stats.Reporter(
                captured.Dom0(name, tmp_path)
            )
        return made

    return make
