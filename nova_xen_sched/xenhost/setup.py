# SPDX-License-Identifier: Apache-2.0

"""What of dom0 nova and Neutron rest on, beside Xen: read in dom0 only."""

from __future__ import annotations

import configparser
import glob
import importlib
import importlib.util
import os
import pathlib
import re

from nova_xen_sched.xenhost import Setup

#: Where Neutron's agents have their configuration, whoever packages them.
_AGENT = 'etc/neutron/plugins/ml2/linuxbridge_agent.ini'
_OVS_AGENT = 'etc/neutron/plugins/ml2/openvswitch_agent.ini'
#: A link to the one that is in use: as update-alternatives has it, or as a
#: package has.
_EBTABLES = ('etc/alternatives/ebtables', 'usr/sbin/ebtables')
#: Where Debian and others have it.
HVMLOADERS = 'usr/lib*/xen*/boot/hvmloader'
#: Where systemd looks for a service, first to last, and what packages call it.
_SYSTEMD = (
    'etc/systemd/system',
    'lib/systemd/system',
    'usr/lib/systemd/system',
)
_SERVICES = ('nova-compute.service', 'openstack-nova-compute.service')
_USER = re.compile(r'^User\s*=(.*)$', re.M)
#: The homes of those by whom nova-compute may run, and their keys.
_HOMES = {'root': 'root', 'nova': 'var/lib/nova'}
_KEY = re.compile(r'id_\w+')
#: Where libvirt has its certificates, as a server and as a client
#: (libvirt.org/kbase/tlscerts.html).
_TLS = (
    'etc/pki/CA/cacert.pem',
    'etc/pki/libvirt/servercert.pem',
    'etc/pki/libvirt/clientcert.pem',
    'etc/pki/libvirt/private/serverkey.pem',
    'etc/pki/libvirt/private/clientkey.pem',
)


def read(root: str) -> Setup:
    """What there is.

    :param root: the folder under which etc and usr are.
    """
    user = _compute_user(root)
    return Setup(
        hvmloaders=_hvmloaders(root),
        compute_user=user,
        linuxbridge=bool(_exists(root, _AGENT)),
        ebtables_nft=_ebtables_nft(root),
        ovs_firewall=_ovs_firewall(root),
        ssh_key=_ssh_key(root, user),
        libguestfs=_libguestfs(),
        libguestfs_backend=_libguestfs_backend(),
        tls=_tls(root),
    )


def _exists(root: str, path: str) -> bool | None:
    """None where it can't be told, for want of rights."""
    try:
        os.stat(os.path.join(root, path))
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return None
    return True


def _tls(root: str) -> bool | None:
    found = [_exists(root, path) for path in _TLS]
    if False in found:
        return False
    return None if None in found else True


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


def _ovs_firewall(root: str) -> str | None:
    """None where there is no such agent, or it may not be read."""
    # Not oslo.config, which takes time to import: this is for one line.
    config = configparser.RawConfigParser(strict=False)
    try:
        with open(os.path.join(root, _OVS_AGENT)) as opened:
            config.read_file(opened)
    except (OSError, ValueError, configparser.Error):
        return None
    return config.get('securitygroup', 'firewall_driver', fallback='')


def _hvmloaders(root: str) -> tuple[str, ...]:
    found = sorted(glob.glob(os.path.join(root, HVMLOADERS)))
    return tuple('/' + os.path.relpath(path, root) for path in found)


def _compute_user(root: str) -> str | None:
    """None where there is no service, or it can't be read."""
    for name in _SERVICES:
        units = [os.path.join(root, each, name) for each in _SYSTEMD]
        unit = next(filter(os.path.isfile, units), None)
        if unit is None:
            continue
        # What is set last is in force.
        drop_ins = [
            path
            for each in reversed(units)
            for path in sorted(glob.glob(each + '.d/*.conf'))
        ]
        try:
            text = '\n'.join(
                pathlib.Path(path).read_text(errors='replace')
                for path in (unit, *drop_ins)
            )
        except OSError:
            return None
        return (_USER.findall(text) or [''])[-1].strip() or 'root'
    return None


def _ssh_key(root: str, user: str | None) -> bool | None:
    """Whether the user has a key; None if that can't be told.

    :param user: None where any of them may be it
    """
    if user is not None and user not in _HOMES:
        return None
    unknown = False
    for home in [_HOMES[user]] if user else _HOMES.values():
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


def _libguestfs_backend() -> str | None:
    """Its default, or what LIBGUESTFS_BACKEND of this process says."""
    try:
        guestfs = importlib.import_module('guestfs')
        backend: str = guestfs.GuestFS(python_return_dict=True).get_backend()
    except (ImportError, AttributeError, TypeError, RuntimeError):
        # Not there, or not its library, or another module of that name.
        return None
    return backend
