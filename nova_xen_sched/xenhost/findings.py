# SPDX-License-Identifier: Apache-2.0

"""What of a Xen host differs from OpenStack's guide to Xen via libvirt.

Plain functions of what a host says of itself. Versions are judged by the
rules that XenHostFilter refuses by, dom0's size by the model that the weigher
uses.
"""

from __future__ import annotations

import typing as ty

from nova_xen_sched import conf
from nova_xen_sched import facts
from nova_xen_sched import versions
from nova_xen_sched.facts.merge import HostFacts
from nova_xen_sched.host import Host
from nova_xen_sched.refusal import Refusal
from nova_xen_sched.request import GuestRequest
from nova_xen_sched.rules import versions as version_rules
from nova_xen_sched.xenhost import findings_dom0
from nova_xen_sched.xenhost import nova_conf
from nova_xen_sched.xenhost import XenHost
from nova_xen_sched.xenhost.finding import Finding
from nova_xen_sched.xenhost.finding import NOTE
from nova_xen_sched.xenhost.finding import RECOMMENDED
from nova_xen_sched.xenhost.finding import REQUIRED

#: The guide: the least libvirt for OpenStack, and the recommended one.
LIBVIRT_REQUIRED: versions.Version = (1, 2, 15)
LIBVIRT_RECOMMENDED: versions.Version = (1, 3, 2)
#: The guide: the least Xen that has what OpenStack needs.
XEN_REQUIRED: versions.Version = (4, 4, 3)


def findings(
    host: XenHost,
    nova: nova_conf.NovaConf | None = None,
    settings: conf.Settings | None = None,
) -> list[Finding]:
    """All that differs from the guide, as far as it is known.

    :param nova: of the host, None where it isn't known.
    :param settings: the dom0 model's figures; the defaults if None.
    """
    settings = settings or conf.defaults()
    if host.hypervisor is None:
        return []
    if not host.is_xen:
        return [
            Finding(
                'not_xen',
                REQUIRED,
                "this is libvirt's driver %s, not that of Xen"
                % host.hypervisor,
                'ask xen:///system, on a host that was booted with Xen',
            )
        ]
    found: list[Finding] = []
    if nova and nova.files:
        found += _nova(nova)
    for rule in _RULES:
        found += rule(host, settings)
    found += _injection(host, nova)
    return found


def _nova(nova: nova_conf.NovaConf) -> ty.Iterator[Finding]:
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


def _xen_version(
    host: XenHost, settings: conf.Settings
) -> ty.Iterator[Finding]:
    refusal = _judge(
        version_rules.xen_version, host, min_xen_version=XEN_REQUIRED
    )
    if refusal:
        yield Finding(
            str(refusal.code), REQUIRED, refusal.reason, refusal.remedy
        )


def _libvirt_version(
    host: XenHost, settings: conf.Settings
) -> ty.Iterator[Finding]:
    for level, minimum in (
        (REQUIRED, LIBVIRT_REQUIRED),
        (RECOMMENDED, LIBVIRT_RECOMMENDED),
    ):
        refusal = _judge(
            version_rules.libvirt_version, host, min_libvirt_version=minimum
        )
        if refusal:
            yield Finding(
                str(refusal.code), level, refusal.reason, refusal.remedy
            )
            return


def _live_migration(
    host: XenHost, settings: conf.Settings
) -> ty.Iterator[Finding]:
    if live_migration(host) is False:
        refusal = _by_libvirt(host)
        yield Finding(
            'no_live_migration',
            RECOMMENDED,
            "guests can't be live-migrated as nova does it: %s"
            % (
                refusal.reason
                if refusal
                else "libvirt's capabilities name no live migration"
            ),
            'use libvirt %s or newer' % versions.show(LIBVIRT_RECOMMENDED),
        )


def live_migration(host: XenHost) -> bool | None:
    """Whether nova can live-migrate guests; None if it can't be told.

    As far as the host's libvirt goes: nova-compute needs its own mending.
    """
    if not host.is_xen:
        return None
    if _by_libvirt(host) or host.live_migration is False:
        return False
    if host.live_migration is None or host.libvirt_version is None:
        return None
    return True


def _by_libvirt(host: XenHost) -> Refusal | None:
    if host.libvirt_version is None:
        return None
    return _judge(
        version_rules.libvirt_version,
        host,
        min_libvirt_version=LIBVIRT_RECOMMENDED,
    )


def _judge(
    rule: ty.Callable[[GuestRequest, Host, conf.Settings], Refusal | None],
    host: XenHost,
    **settings: versions.Version,
) -> Refusal | None:
    """What a rule for versions says of a host, of no guest in particular."""
    known = {
        name: facts.Fact(facts.BY_NAME[name].parse(value), source)
        for name, value, source in (
            ('libvirt_version', host.libvirt_version, 'the host itself'),
            ('xen_version', host.xen_version, 'the host itself'),
        )
        if value is not None
    }
    return rule(
        GuestRequest(),
        Host(
            guest_types=(('x86_64', 'xen', 'xen'),),
            hypervisor_type=host.hypervisor,
            is_xen=True,
            facts=HostFacts(known),
        ),
        conf.defaults(unknown_version='refuse', **settings),
    )


def _injection(
    host: XenHost, nova: nova_conf.NovaConf | None
) -> ty.Iterator[Finding]:
    if host.qemu_driver is not False:
        return
    known = nova is not None and bool(nova.files)
    partition = nova.inject_partition if nova is not None else None
    if known and partition == -2:
        return
    yield Finding(
        'no_qemu_driver',
        RECOMMENDED if known else NOTE,
        'libvirt has no QEMU driver here, which libguestfs needs to inject '
        'files into images'
        + (
            ' (inject_partition is %s)'
            % ('empty' if partition is None else partition)
            if known
            else ''
        ),
        'install it (Debian: libvirt-daemon-driver-qemu, RPM: '
        "libvirt-daemon-qemu), unless nova's inject_partition is -2, its "
        'default',
    )


_RULES: tuple[
    ty.Callable[[XenHost, conf.Settings], ty.Iterator[Finding]], ...
] = (
    _xen_version,
    _libvirt_version,
    _live_migration,
    findings_dom0.memory,
    findings_dom0.vcpus,
    findings_dom0.rooms,
)
