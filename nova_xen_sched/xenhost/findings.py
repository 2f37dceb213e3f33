# SPDX-License-Identifier: Apache-2.0

"""What of a Xen host differs from OpenStack's guide to Xen via libvirt.

Plain functions of what a host reports. Versions are judged by the rules that
XenHostFilter refuses by, dom0's size by the model that the weigher uses.
"""

from __future__ import annotations

import dataclasses
import typing as ty

from nova_xen_sched import conf
from nova_xen_sched import facts
from nova_xen_sched import versions
from nova_xen_sched.facts.gather import HostFacts
from nova_xen_sched.host import Host
from nova_xen_sched.refusal import Refusal
from nova_xen_sched.request import GuestRequest
from nova_xen_sched.rules import versions as version_rules
from nova_xen_sched.xenhost import dom0_findings
from nova_xen_sched.xenhost import setup_findings
from nova_xen_sched.xenhost import XenHost
from nova_xen_sched.xenhost.finding import Finding
from nova_xen_sched.xenhost.finding import NOTE
from nova_xen_sched.xenhost.finding import RECOMMENDED
from nova_xen_sched.xenhost.finding import REQUIRED
from nova_xen_sched.xenhost.nova_conf import NovaConf

#: The guide: the least libvirt for OpenStack.
LIBVIRT_REQUIRED: versions.Version = (1, 2, 15)
#: What it recommends of libvirt, and the least Xen that has what OpenStack
#: needs, are the defaults of the options.
_GUIDE = conf.defaults(unknown_version='refuse')
_LEAST = dataclasses.replace(_GUIDE, min_libvirt_version=LIBVIRT_REQUIRED)


def findings(
    host: XenHost,
    nova: NovaConf | None = None,
    settings: conf.Settings | None = None,
) -> list[Finding]:
    """All that differs from the guide, as far as it is known.

    :param nova: of the host, None where it isn't known.
    :param settings: the dom0 model's figures; the defaults if None.
    """
    if host.hypervisor is None:
        return []
    if not host.is_xen:
        return [
            Finding(
                'not_xen',
                REQUIRED,
                "this is libvirt's driver %s, not that of Xen"
                % host.hypervisor,
                'connect to xen:///system, on a host that was booted with Xen',
            )
        ]
    model = (settings or conf.defaults()).dom0_model
    nova = nova if nova and nova.files else None
    return [
        *_nova(nova),
        *_versions(host),
        *_live_migration(host),
        *dom0_findings.findings(host, model),
        *_injection(host, nova),
        *setup_findings.findings(host.setup, nova),
    ]


def _nova(nova: NovaConf | None) -> ty.Iterator[Finding]:
    if nova is None:
        return
    where = ', '.join(nova.files)
    driver = nova.compute_driver
    if driver is None or not driver.startswith(('libvirt.', 'xen_libvirt.')):
        yield Finding(
            'compute_driver',
            # Another may be a driver of the site's own.
            REQUIRED if driver is None else RECOMMENDED,
            'compute_driver is %s in %s' % (driver or 'not set', where),
            'set compute_driver = libvirt.LibvirtDriver in [DEFAULT] (or, '
            'with nova-compute-xen, xen_libvirt.XenLibvirtDriver), unless '
            'another driver for Xen is meant',
        )
    if nova.virt_type != 'xen':
        yield Finding(
            'virt_type',
            REQUIRED,
            'virt_type is %s in %s' % (nova.virt_type or 'not set', where),
            'set virt_type = xen in [libvirt]',
        )


def _versions(host: XenHost) -> ty.Iterator[Finding]:
    least = _judge(version_rules.libvirt_version, host, _LEAST)
    for level, refusal in (
        (REQUIRED, _judge(version_rules.xen_version, host)),
        (
            REQUIRED if least else RECOMMENDED,
            least or _judge(version_rules.libvirt_version, host),
        ),
    ):
        if refusal:
            yield Finding(
                str(refusal.code), level, refusal.reason, refusal.remedy
            )


def _live_migration(host: XenHost) -> ty.Iterator[Finding]:
    if live_migration(host) is False:
        refusal = _libvirt_too_old(host)
        yield Finding(
            'no_live_migration',
            RECOMMENDED,
            "guests can't be live-migrated as nova does it: %s"
            % (
                refusal.reason
                if refusal
                else "libvirt's capabilities name no live migration"
            ),
            'use libvirt %s or newer'
            % versions.show(_GUIDE.min_libvirt_version or ()),
        )


def live_migration(host: XenHost) -> bool | None:
    """Whether nova can live-migrate guests; None if that is not known.

    As far as the host's libvirt goes: nova-compute needs its own patch.
    """
    if not host.is_xen:
        return None
    if host.live_migration is False or _libvirt_too_old(host):
        return False
    known = host.live_migration is not None and host.libvirt_version
    return True if known else None


def _libvirt_too_old(host: XenHost) -> Refusal | None:
    if host.libvirt_version is None:
        return None
    return _judge(version_rules.libvirt_version, host)


def _judge(
    rule: ty.Callable[[GuestRequest, Host, conf.Settings], Refusal | None],
    host: XenHost,
    settings: conf.Settings = _GUIDE,
) -> Refusal | None:
    """What a rule for versions makes of a host, for no guest in particular."""
    return rule(GuestRequest(), as_host(host), settings)


def as_host(host: XenHost) -> Host:
    """A host as the scheduler would have it, by its own words.

    :param host: one of Xen.
    """
    known = {
        name: facts.Fact(facts.BY_NAME[name].parse(value), 'the host itself')
        for name, value in (
            ('libvirt_version', host.libvirt_version),
            ('xen_version', host.xen_version),
        )
        if value is not None
    }
    return Host(
        guest_types=host.guest_types or (),
        hypervisor_type=host.hypervisor,
        is_xen=True,
        facts=HostFacts(known),
    )


def _injection(host: XenHost, nova: NovaConf | None) -> ty.Iterator[Finding]:
    partition = nova.inject_partition if nova else None
    backend = host.setup.libguestfs_backend if host.setup else None
    if (
        host.qemu_driver is not False
        or partition == -2
        or not (backend or 'libvirt').startswith('libvirt')
    ):
        return
    set_to = ''
    if nova:
        set_to = ' (inject_partition is %s)' % (
            'empty' if partition is None else partition
        )
    yield Finding(
        'no_qemu_driver',
        RECOMMENDED if nova else NOTE,
        'libvirt has no QEMU driver here, by which libguestfs injects files '
        'into images where its backend is libvirt' + set_to,
        'install it (Debian: libvirt-daemon-driver-qemu, RPM: '
        "libvirt-daemon-qemu), unless nova's inject_partition is -2, its "
        'default',
    )
