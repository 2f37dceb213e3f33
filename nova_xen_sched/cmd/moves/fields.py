# SPDX-License-Identifier: Apache-2.0

"""The columns of plans, and the arguments of the commands that make them."""

from __future__ import annotations

import argparse
import typing as ty

from nova_xen_sched.cmd import options
from nova_xen_sched.cmd import tables
from nova_xen_sched.cmd.tables import Column

COLUMNS = {
    'server': Column('Server', "the server's name"),
    'server_id': Column('Server id', 'its UUID', tables.LONG),
    'source': Column('From', 'the host that it leaves'),
    'target': Column('To', 'its destination'),
    'operation': Column(
        'How',
        'live, or cold: the guest is shut down, copied and started again',
    ),
    'resource': Column(
        'Resource', 'the scarcest resource of the host that it leaves'
    ),
    'source_headroom': Column(
        'Headroom from',
        'the headroom of the host that it leaves, before and after the move',
    ),
    'target_headroom': Column(
        'Headroom to', 'the headroom of its destination, before and after'
    ),
    'ram_mb': Column('RAM', 'to be copied, MiB'),
    'command': Column('Command', 'the commands of the move', tables.BELOW),
}

#: The arguments that a plan has in it, for those who check it.
FLAGS = {
    'shared_storage': '--shared-storage',
    'include_locked': '--include-locked',
    'live_only': '--live-only',
}


def flags(args: argparse.Namespace) -> dict[str, ty.Any]:
    """Which of FLAGS were given."""
    return {name: getattr(args, name) for name in FLAGS}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what says which guests may be moved, and how."""
    group = parser.add_argument_group('which guests may be moved, and how')
    group.add_argument(
        '--shared-storage',
        action='store_true',
        help='The disks of guests (instances_path) are on storage that all '
        'Xen hosts share. Without it, a guest with a disk on its host is not '
        'live-migrated: block migration fails on Xen.',
    )
    group.add_argument(
        '--live-only',
        action='store_true',
        help='Only live migrations. Without it, a guest that none is possible '
        'of is migrated cold: it is shut down meanwhile.',
    )
    group.add_argument(
        '--include-locked',
        action='store_true',
        help='Also servers that are locked.',
    )
    group.add_argument(
        '--exclude',
        metavar='SERVER',
        action='append',
        default=[],
        type=options.filled,
        help='Not this server, by its name or id; may be given several times.',
    )
