# SPDX-License-Identifier: Apache-2.0

"""nova.conf on a compute host, as nova-compute reads it, without nova."""

from __future__ import annotations

import dataclasses
from importlib import metadata
import os
import socket
import typing as ty

from oslo_config import cfg

from nova_xen_sched import conf
from nova_xen_sched import facts
from nova_xen_sched.conf import files

#: nova's own default of reserved_host_memory_mb, MiB: nova/conf/compute.py in
#: nova 22 to 34.
RESERVED_MB = 512
#: The compute_driver of nova-compute-xen.
NOVA_COMPUTE_XEN = 'xen_libvirt.XenLibvirtDriver'


class ConfError(ValueError):
    """The configuration can't be read; one line with a full stop says why."""


@dataclasses.dataclass(frozen=True)
class NovaConf:
    """What of a nova.conf matters for a Xen host.

    :ivar files: where it was read from; none if there is none here.
    :ivar host: nova's name of this host; as in nova, the machine's own where
        nova.conf doesn't set it.
    :ivar compute_driver: None where it is not set.
    :ivar virt_type: of [libvirt], None where it is not set.
    :ivar inject_partition: of [libvirt]; -2, nova's default, injects no
        files into images. None where it is empty.
    :ivar force_raw_images: whether images are converted to raw, as is nova's
        default.
    :ivar live_migration_uri: of [libvirt], None where it is not set.
    :ivar live_migration_tunnelled: of [libvirt].
    :ivar xen_hvmloader_path: of [libvirt], as it is in force.
    :ivar waits_for_vif_plug: whether a guest that is to come here waits for
        its ports: live_migration_wait_for_vif_plug of [compute], unless
        vif_plugging_timeout is 0.
    :ivar version: of the nova in this Python, None if there is none.
    :ivar reserved_host_memory_mb: as it is in force: RESERVED_MB where it
        is not set, None if this is no nova.conf of a nova-compute.
    :ivar settings: the options of [xen_scheduler].
    """

    files: ty.Tuple[str, ...] = ()
    host: ty.Optional[str] = None
    compute_driver: ty.Optional[str] = None
    virt_type: ty.Optional[str] = None
    inject_partition: ty.Optional[int] = -2
    force_raw_images: bool = True
    live_migration_uri: ty.Optional[str] = None
    live_migration_tunnelled: bool = False
    xen_hvmloader_path: str = '/usr/lib/xen/boot/hvmloader'
    waits_for_vif_plug: bool = True
    version: ty.Optional[str] = None
    reserved_host_memory_mb: ty.Optional[int] = None
    settings: conf.Settings = dataclasses.field(default_factory=conf.defaults)


_OPTS = (
    cfg.StrOpt('host'),
    cfg.StrOpt('compute_driver'),
    cfg.IntOpt('reserved_host_memory_mb', min=0, max=facts.LARGEST),
    cfg.BoolOpt('force_raw_images', default=NovaConf.force_raw_images),
    cfg.IntOpt('vif_plugging_timeout', default=300),
)
_LIBVIRT_OPTS = (
    cfg.StrOpt('virt_type'),
    cfg.IntOpt('inject_partition', default=NovaConf.inject_partition),
    cfg.StrOpt('live_migration_uri'),
    cfg.BoolOpt('live_migration_tunnelled', default=False),
    cfg.StrOpt('xen_hvmloader_path', default=NovaConf.xen_hvmloader_path),
)
_COMPUTE_OPTS = (
    cfg.BoolOpt('live_migration_wait_for_vif_plug', default=True),
)


def read(
    config_files: ty.Sequence[str] | None = None,
    config_dirs: ty.Sequence[str] | None = None,
) -> NovaConf:
    """Read nova's configuration.

    :param config_files: none for what nova-compute reads by itself then:
        nova.conf and nova-compute.conf in /etc/nova and the like, even if
        folders are given.
    :param config_dirs: none for nova.conf.d and nova-compute.conf.d there,
        even if files are given.
    :raises ConfError: if it is there, but wrong or not to be read.
    """
    config = cfg.ConfigOpts()
    config.register_opts(_OPTS)
    config.register_opts(_LIBVIRT_OPTS, group='libvirt')
    config.register_opts(_COMPUTE_OPTS, group='compute')
    conf.register_opts(config)
    named = config_files, config_dirs
    try:
        config(files.arguments(*named), project='nova', prog='nova-compute')
        # /dev/null is how one says that there is none.
        found = tuple(
            path for path, _ in files.files(config) if path != os.devnull
        )
        reserved_mb = config.reserved_host_memory_mb
        if reserved_mb is None and config.compute_driver:
            # Without a driver no nova-compute starts: another file is its own.
            reserved_mb = RESERVED_MB
        return NovaConf(
            files=found,
            host=(config.host or socket.gethostname()) if found else None,
            compute_driver=config.compute_driver,
            virt_type=config.libvirt.virt_type,
            inject_partition=config.libvirt.inject_partition,
            force_raw_images=config.force_raw_images,
            live_migration_uri=config.libvirt.live_migration_uri,
            live_migration_tunnelled=config.libvirt.live_migration_tunnelled,
            xen_hvmloader_path=config.libvirt.xen_hvmloader_path,
            waits_for_vif_plug=bool(
                config.compute.live_migration_wait_for_vif_plug
                and config.vif_plugging_timeout
            ),
            version=_version() if found else None,
            reserved_host_memory_mb=reserved_mb,
            settings=conf.read(config),
        )
    except Exception as e:  # a reference ($name) raises what it likes
        raise ConfError(files.complaint(e, *named, prog='nova-compute')) from e


def _version() -> str | None:
    try:
        return metadata.version('nova')
    except metadata.PackageNotFoundError:
        return None
