# SPDX-License-Identifier: Apache-2.0

"""What of a host's dom0 differs from the guide: its memory, its vCPUs."""

from __future__ import annotations

import typing as ty

from nova_xen_sched import conf
from nova_xen_sched import dom0 as model
from nova_xen_sched import xenhost
from nova_xen_sched.dom0 import Room
from nova_xen_sched.xenhost import dom0_options
from nova_xen_sched.xenhost import dom0_size
from nova_xen_sched.xenhost import XenHost
from nova_xen_sched.xenhost.finding import Finding
from nova_xen_sched.xenhost.finding import RECOMMENDED
from nova_xen_sched.xenhost.finding import REQUIRED

#: The guide: dom0_max_vcpus=4.
DOM0_VCPUS = 4

_GRUB = (
    "Xen's boot options (Debian: GRUB_CMDLINE_XEN in /etc/default/grub, "
    'then update-grub)'
)


def memory(host: XenHost, settings: conf.Settings) -> ty.Iterator[Finding]:
    dom0 = host.dom0
    if dom0 is None or dom0.memory_mb is None:
        return
    size = dom0_size.for_dom0(host, settings.dom0_model)
    line = 'dom0_mem=%dM,max:%dM' % (size.memory_mb, size.memory_mb)
    remedy = 'add %s (%s) to %s, and restart the host' % (
        line,
        size.reason,
        _GRUB,
    )
    if dom0.sizing == xenhost.BALLOONING:
        yield Finding(
            'dom0_balloons',
            REQUIRED,
            "dom0's memory is no fixed size: it has %d of at most %d MiB, "
            'and gives memory to each guest that starts; %s'
            % (
                dom0.memory_mb,
                dom0.maximum_mb or 0,
                'dom0_mem= is not set, or names no maximum'
                if host.command_line is None
                else _said(host.command_line),
            ),
            remedy,
        )
    elif dom0.sizing == xenhost.FIXED:
        if host.command_line is not None:
            options = dom0_options.options_of(host.command_line)
            if options.memory and not options.maximum:
                yield Finding(
                    'dom0_no_maximum',
                    RECOMMENDED,
                    "dom0_mem=%s on Xen's command line names no maximum, so "
                    "that libvirt takes the machine's RAM for it"
                    % options.memory,
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


def _said(command_line: str) -> str:
    memory = dom0_options.options_of(command_line).memory
    if memory is None:
        return "dom0_mem= is not on Xen's command line"
    return "Xen's command line says dom0_mem=%s" % memory


def rooms(host: XenHost, settings: conf.Settings) -> ty.Iterator[Finding]:
    """What the guests that run now take, by the dom0 model."""
    load = dom0_size.load_of(host)
    if load is None:
        return
    for left in model.rooms(settings.dom0_model, load):
        if left.overcommitted:
            yield Finding(
                'overcommitted_%s' % left.room,
                RECOMMENDED,
                'its %d guests take %.0f %s of the %.0f that %s has by the '
                'dom0 model'
                % (
                    load.guests,
                    left.used,
                    'guests' if left.room is Room.DOM0_CPU else 'MiB',
                    left.capacity,
                    _ROOMS[left.room],
                ),
                'give dom0 more, or move guests away',
            )


_ROOMS = {
    Room.DOM0_MEMORY: "dom0's memory",
    Room.DOM0_CPU: "dom0's CPUs",
    Room.HOST_MEMORY: "the host's RAM beside dom0",
}


def vcpus(host: XenHost, settings: conf.Settings) -> ty.Iterator[Finding]:
    dom0 = host.dom0
    if dom0 is None or not dom0.vcpus:
        return
    options = None
    if host.command_line is not None:
        options = dom0_options.options_of(host.command_line)
    wanted = max(DOM0_VCPUS, dom0_size.dom0_vcpus(host, settings.dom0_model))
    if host.cpus is not None:
        wanted = min(wanted, host.cpus)
    line = 'dom0_max_vcpus=%d dom0_vcpus_pin' % wanted
    if options is None:
        # From outside it looks so where dom0 has every CPU of the machine.
        unset = host.cpus == dom0.vcpus and dom0.vcpus > DOM0_VCPUS
    else:
        unset = options.max_vcpus is None
    if unset:
        yield Finding(
            'dom0_max_vcpus_unset',
            RECOMMENDED,
            'dom0 has %d vCPUs, all of the machine: dom0_max_vcpus= is not '
            'set' % dom0.vcpus
            if dom0.vcpus == host.cpus
            else "dom0_max_vcpus= is not on Xen's command line",
            'add %s to %s' % (line, _GRUB),
        )
    if dom0.pinned is False:
        yield Finding(
            'dom0_not_pinned',
            RECOMMENDED,
            "dom0's %d vCPUs are not pinned" % dom0.vcpus,
            'add dom0_vcpus_pin to %s' % _GRUB,
        )
