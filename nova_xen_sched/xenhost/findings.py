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
from nova_xen_sched.dom0 import Model
from nova_xen_sched.dom0 import overcommitted
from nova_xen_sched.dom0 import Resource
from nova_xen_sched.facts.gather import HostFacts
from nova_xen_sched.host import Host
from nova_xen_sched.refusal import Refusal
from nova_xen_sched.request import GuestRequest
from nova_xen_sched.rules import versions as version_rules
from nova_xen_sched.xenhost import BALLOONING
from nova_xen_sched.xenhost import dom0_mem
from nova_xen_sched.xenhost import dom0_size
from nova_xen_sched.xenhost import FIXED
from nova_xen_sched.xenhost import ON
from nova_xen_sched.xenhost import UNKNOWN
from nova_xen_sched.xenhost import XenHost
from nova_xen_sched.xenhost.nova_conf import NovaConf

REQUIRED = 'required'
RECOMMENDED = 'recommended'
#: Not counted among the findings that make the exit code 1.
NOTE = 'note'

#: The guide: the least libvirt for OpenStack.
LIBVIRT_REQUIRED: versions.Version = (1, 2, 15)
#: What it recommends of libvirt, and the least Xen that has what OpenStack
#: needs, are the defaults of the options.
_GUIDE = conf.defaults(unknown_version='refuse')
#: The guide: dom0_max_vcpus=4.
DOM0_VCPUS = 4

_LEAST = dataclasses.replace(_GUIDE, min_libvirt_version=LIBVIRT_REQUIRED)

_RESOURCES = {
    Resource.DOM0_MEMORY: "dom0's memory",
    Resource.DOM0_CPU: "dom0's CPUs",
    Resource.HOST_MEMORY: "the host's RAM beside dom0",
}
#: Without a size Xen gives dom0 all but 1/16 or 128 MiB, whichever is less,
#: and what Xen itself takes: 2904 of 3071 MiB on a captured host.
_NEARLY_ALL = 0.9
_GRUB = (
    "Xen's boot options (Debian: GRUB_CMDLINE_XEN in /etc/default/grub, "
    'then update-grub)'
)


class Finding(ty.NamedTuple):
    """One thing that differs from the guide.

    :ivar code: names it; stable.
    :ivar level: REQUIRED, RECOMMENDED or NOTE.
    :ivar text: what is so, without a full stop.
    :ivar remedy: what to do, without a full stop.
    """

    code: str
    level: str
    text: str
    remedy: str


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
                'ask xen:///system, on a host that was booted with Xen',
            )
        ]
    model = (settings or conf.defaults()).dom0_model
    nova = nova if nova and nova.files else None
    return [
        *_nova(nova),
        *_versions(host),
        *_live_migration(host),
        *_dom0_memory(host, model),
        *_dom0_vcpus(host, model),
        *_overcommitted(host, model),
        *_injection(host, nova),
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

    As far as the host's libvirt goes: nova-compute needs its own mending.
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
    known = {
        name: facts.Fact(facts.BY_NAME[name].parse(value), 'the host itself')
        for name, value in (
            ('libvirt_version', host.libvirt_version),
            ('xen_version', host.xen_version),
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
        settings,
    )


def _dom0_memory(host: XenHost, model: Model) -> ty.Iterator[Finding]:
    dom0, options = host.dom0, dom0_mem.options_of(host.command_line)
    if dom0 is None or not dom0.memory_mb:
        return
    size = dom0_size.for_dom0(host, model)
    memory = options.memory if options else None
    remedy = '%s dom0_mem=%dM,max:%dM (%s) %s %s, and restart the host' % (
        'write' if memory else 'add',
        size.memory_mb,
        size.memory_mb,
        size.reason,
        'in place of %s in' % memory if memory else 'to',
        _GRUB,
    )
    if host.autoballoon == ON:
        remedy = 'set autoballoon = 0 in %s, and %s' % (
            dom0_mem.LIBXL_CONF,
            remedy,
        )
    has = 'dom0 has %d of at most %d MiB' % (
        dom0.memory_mb,
        dom0.maximum_mb or 0,
    )
    if dom0.sizing == BALLOONING:
        yield Finding(
            'dom0_balloons',
            REQUIRED,
            "dom0's memory is no fixed size: %s, and gives memory to each "
            'guest that starts, because %s'
            % (has.replace('dom0', 'it', 1), dom0.sizing_reason),
            remedy,
        )
    if dom0.sizing == UNKNOWN:
        yield Finding(
            'dom0_size_unknown',
            RECOMMENDED,
            '%s, and it is unknown whether that is a fixed size: %s'
            % (has, dom0.sizing_reason),
            'ask as root in dom0; or %s' % remedy,
        )
    if dom0.sizing != FIXED:
        return
    if host.memory_mb and dom0.memory_mb > host.memory_mb * _NEARLY_ALL:
        yield Finding(
            'dom0_takes_all',
            REQUIRED,
            "dom0 has %d of the machine's %d MiB, and gives none to guests: %s"
            % (dom0.memory_mb, host.memory_mb, dom0.sizing_reason),
            remedy,
        )
    elif memory and not (options and options.maximum):
        yield Finding(
            'dom0_no_maximum',
            RECOMMENDED,
            "%s on Xen's command line names no maximum, so that "
            "libvirt takes the machine's RAM for it" % memory,
            'write it as dom0_mem=%dM,max:%dM in %s'
            % (dom0.memory_mb, dom0.memory_mb, _GRUB),
        )
    if dom0.memory_mb < dom0_size.LEAST_MB:
        yield Finding(
            'dom0_too_small',
            REQUIRED,
            'dom0 has %d MiB, less than %d'
            % (dom0.memory_mb, dom0_size.LEAST_MB),
            remedy,
        )


def _dom0_vcpus(host: XenHost, model: Model) -> ty.Iterator[Finding]:
    dom0, options = host.dom0, dom0_mem.options_of(host.command_line)
    if dom0 is None or not dom0.vcpus:
        return
    if options is not None:
        unset = options.max_vcpus is None
    else:
        # From outside it looks so where dom0 has every CPU of the machine.
        unset = host.cpus == dom0.vcpus and dom0.vcpus > DOM0_VCPUS
    if unset:
        wanted = max(DOM0_VCPUS, dom0_size.vcpus_for_dom0(host, model))
        if host.cpus is not None:
            wanted = min(wanted, host.cpus)
        yield Finding(
            'dom0_max_vcpus_unset',
            RECOMMENDED,
            'dom0 has %d vCPUs, all of the machine: dom0_max_vcpus= is not '
            'set' % dom0.vcpus
            if dom0.vcpus == host.cpus
            else "dom0_max_vcpus= is not on Xen's command line",
            'add dom0_max_vcpus=%d dom0_vcpus_pin to %s' % (wanted, _GRUB),
        )
    if dom0.pinned is False:
        yield Finding(
            'dom0_not_pinned',
            RECOMMENDED,
            "dom0's %d vCPUs are not pinned" % dom0.vcpus,
            'add dom0_vcpus_pin to %s' % _GRUB,
        )


def _overcommitted(host: XenHost, model: Model) -> ty.Iterator[Finding]:
    """What the guests that run now take, by the dom0 model."""
    load = dom0_size.load_of(host)
    if load is None:
        return
    for left in overcommitted(model, load):
        yield Finding(
            'overcommitted_%s' % left.resource,
            RECOMMENDED,
            'its %d guests take %.0f %s of the %.0f that %s has by the dom0 '
            'model'
            % (
                load.guests,
                left.used,
                left.resource.unit,
                left.capacity,
                _RESOURCES[left.resource],
            ),
            'give dom0 more, or move guests away',
        )


def _injection(host: XenHost, nova: NovaConf | None) -> ty.Iterator[Finding]:
    partition = nova.inject_partition if nova else None
    if host.qemu_driver is not False or partition == -2:
        return
    set_to = ''
    if nova:
        set_to = ' (inject_partition is %s)' % (
            'empty' if partition is None else partition
        )
    yield Finding(
        'no_qemu_driver',
        RECOMMENDED if nova else NOTE,
        'libvirt has no QEMU driver here, which libguestfs needs to inject '
        'files into images' + set_to,
        'install it (Debian: libvirt-daemon-driver-qemu, RPM: '
        "libvirt-daemon-qemu), unless nova's inject_partition is -2, its "
        'default',
    )
