# SPDX-License-Identifier: Apache-2.0

"""What of a Xen host's dom0 differs from OpenStack's guide."""

from __future__ import annotations

import typing as ty

from nova_xen_sched.dom0 import Model
from nova_xen_sched.dom0 import overcommitted
from nova_xen_sched.dom0 import Resource
from nova_xen_sched.xenhost import BALLOONING
from nova_xen_sched.xenhost import dom0_mem
from nova_xen_sched.xenhost import dom0_size
from nova_xen_sched.xenhost import FIXED
from nova_xen_sched.xenhost import ON
from nova_xen_sched.xenhost import UNKNOWN
from nova_xen_sched.xenhost import XenHost
from nova_xen_sched.xenhost.finding import Finding
from nova_xen_sched.xenhost.finding import RECOMMENDED
from nova_xen_sched.xenhost.finding import REQUIRED

#: The guide: dom0_max_vcpus=4.
DOM0_VCPUS = 4
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


def findings(host: XenHost, model: Model) -> ty.Iterator[Finding]:
    """All that differs, as far as it is known.

    :param model: for what dom0 should have.
    """
    yield from _memory(host, model)
    yield from _vcpus(host, model)
    yield from _overcommitted(host, model)


def _memory(host: XenHost, model: Model) -> ty.Iterator[Finding]:
    dom0, options = host.dom0, dom0_mem.options_of(host.command_line)
    if dom0 is None or not dom0.memory_mb:
        return
    size_mb, reason = dom0_size.for_dom0(host, model)
    memory = options.memory if options else None
    remedy = '%s dom0_mem=%dM,max:%dM (%s) %s %s, and restart the host' % (
        'write' if memory else 'add',
        size_mb,
        size_mb,
        reason,
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
            'run this as root in dom0; or %s' % remedy,
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


def _vcpus(host: XenHost, model: Model) -> ty.Iterator[Finding]:
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
