# SPDX-License-Identifier: Apache-2.0

"""Which guest the commands count with: its flavor, or its size, and mode."""

from __future__ import annotations

import argparse
import typing as ty

from nova_xen_sched import log
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd import options
from nova_xen_sched.cmd import tables

#: As the m1.small of old; any other is named.
RAM, VCPUS, DISK = 2048, 1, 20
#: What --vm-mode takes.
VM_MODES = ('hvm', 'pv', 'xen', 'pvh')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --flavor, --ram, --vcpus, --disk and --vm-mode."""
    group = parser.add_argument_group(
        'the guest that is counted',
        'Without any: HVM, %d MiB, %d vCPU, %d GiB of disk.\n'
        'With a disk of 0 it boots from a volume.' % (RAM, VCPUS, DISK),
    )
    add_sizes(group)
    add_vm_mode(group, 'hvm')


def add_vm_mode(group: ty.Any, default: str | None) -> None:
    """Add --vm-mode to a group of arguments.

    :param default: what it is without; None to tell that.
    """
    group.add_argument(
        '--vm-mode',
        choices=VM_MODES,
        type=str.lower,
        default=default,
        help="The guest's mode (hvm). xen is nova's word for pv. nova has no "
        "word for pvh: the dom0 model counts a PVH guest, and nova's filters "
        'judge a guest without vm_mode.',
    )


def add_sizes(group: ty.Any) -> None:
    """Add --flavor, --ram, --vcpus and --disk to a group of arguments."""
    group.add_argument(
        '--flavor',
        metavar='FLAVOR',
        type=options.filled,
        help="Name or id of one of nova's flavors.",
    )
    for name, unit, kind, default in (
        ('--ram', 'MIB', whole, RAM),
        ('--vcpus', 'COUNT', whole, VCPUS),
        ('--disk', 'GIB', natural, DISK),
    ):
        group.add_argument(
            name,
            metavar=unit,
            type=kind,
            help='Instead of a flavor: %d if not given.' % default,
        )


def named(args: argparse.Namespace) -> bool:
    """Whether the arguments name a flavor or any part of its size."""
    sizes = (args.flavor, args.ram, args.vcpus, args.disk)
    return any(size is not None for size in sizes)


def check(args: argparse.Namespace) -> None:
    """Refuse a flavor beside the parts of its size.

    :raises errors.Failure: naming the options.
    """
    sized = (args.ram, args.vcpus, args.disk) != (None, None, None)
    if args.flavor is not None and sized:
        raise errors.Failure(
            '--flavor goes without --ram, --vcpus and --disk.'
        )


def flavor(cloud: ty.Any, args: argparse.Namespace) -> ty.Any:
    """The nova Flavor that the arguments name.

    :param cloud: as nova-scheduler sees it.
    :raises errors.Failure: if there is none.
    """
    if args.flavor is None:
        from nova_xen_sched.cmd.nova import request_spec

        return request_spec.flavor_of(
            args.ram or RAM,
            args.vcpus or VCPUS,
            DISK if args.disk is None else args.disk,
        )
    return cloud.flavor(args.flavor)


def kind(found: ty.Any, mode: str) -> tables.Structured:
    """The kind of guest: "HVM guests of 2048 MiB, 1 vCPU, 20 GiB".

    :param found: a nova Flavor.
    :param mode: one of dom0.MODES.
    """
    size = '%d MiB, %s, %d GiB' % (
        found.memory_mb,
        tables.counted(found.vcpus, 'vCPU'),
        found.root_gb,
    )
    name = found.name if found.flavorid else None
    return tables.Structured(
        {
            'mode': mode,
            'flavor': name,
            'memory_mb': found.memory_mb,
            'vcpus': found.vcpus,
            'disk_gb': found.root_gb,
        },
        '%s guests of %s'
        % (mode.upper(), '%s (%s)' % (name, size) if name else size),
    )


def whole(text: str) -> int:
    """A number of 1 or more, for argparse."""
    return _number(text, 1)


def natural(text: str) -> int:
    """A number of 0 or more, for argparse."""
    return _number(text, 0)


def percent(text: str) -> int:
    """A number from 0 to 100, for argparse."""
    return _number(text, 0, 100)


def _number(text: str, least: int, most: int = 999999999) -> int:
    if text.isdecimal() and len(text) <= 9 and least <= int(text) <= most:
        return int(text)
    raise argparse.ArgumentTypeError(
        'not a whole number from %d to %d: %s' % (least, most, log.shown(text))
    )
