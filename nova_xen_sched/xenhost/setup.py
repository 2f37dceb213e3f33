# SPDX-License-Identifier: Apache-2.0

"""What of dom0 nova and Neutron rest on, beside Xen: read in dom0 only."""

from __future__ import annotations

import importlib.util
import os
import re

from nova_xen_sched.xenhost import Setup

#: Where the agents of Neutron have their configuration, whoever packages
#: them.
_AGENTS = tuple(
    'etc/neutron/plugins/ml2/%s_agent.ini' % name
    for name in ('linuxbridge', 'openvswitch')
)
#: A link to the one that is in use: as update-alternatives has it, or as a
#: package has.
_EBTABLES = ('etc/alternatives/ebtables', 'usr/sbin/ebtables')
#: The homes of those by whom nova-compute may run, and their keys.
_HOMES = ('root', 'var/lib/nova')
_KEY = re.compile(r'id_\w+')


def read(root: str) -> Setup:
    """What there is.

    :param root: the folder under which etc and usr are.
    """
    return Setup(
        neutron_agent=any(
            os.path.exists(os.path.join(root, path)) for path in _AGENTS
        ),
        ebtables_nft=_ebtables_nft(root),
        ssh_key=_ssh_key(root),
        libguestfs=_libguestfs(),
    )


def _ebtables_nft(root: str) -> bool | None:
    for path in _EBTABLES:
        try:
            target = os.readlink(os.path.join(root, path))
        except OSError:
            continue
        name = os.path.basename(target)
        if name.startswith(('ebtables-', 'xtables-')):
            return 'nft' in name
    return None


def _ssh_key(root: str) -> bool | None:
    """Whether any of them has a key; None if that can't be told."""
    unknown = False
    for home in _HOMES:
        folder = os.path.join(root, home, '.ssh')
        try:
            names = os.listdir(folder)
        except FileNotFoundError:
            continue
        except OSError:
            unknown = True
            continue
        if any(map(_KEY.fullmatch, names)):
            return True
        # It may name a key that is elsewhere.
        unknown = unknown or 'config' in names
    return None if unknown else False


def _libguestfs() -> bool | None:
    """Whether nova could import it; None if this Python has no nova."""
    if importlib.util.find_spec('nova') is None:
        return None
    return importlib.util.find_spec('guestfs') is not None
