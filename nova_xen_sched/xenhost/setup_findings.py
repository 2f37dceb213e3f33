# SPDX-License-Identifier: Apache-2.0

"""What of a dom0 and its nova.conf keeps guests from starting or moving.

Sources: trials on Xen 4.14 hosts with nova 22.0.1 and Neutron's agents of
Debian 11; for no_libguestfs nova/virt/disk/vfs/api.py.
"""

from __future__ import annotations

import pathlib
import typing as ty

from nova_xen_sched import versions
from nova_xen_sched.xenhost.finding import Finding
from nova_xen_sched.xenhost.finding import NOTE
from nova_xen_sched.xenhost.finding import RECOMMENDED
from nova_xen_sched.xenhost.setup import HVMLOADERS

if ty.TYPE_CHECKING:
    from nova_xen_sched.xenhost import Setup
    from nova_xen_sched.xenhost.nova_conf import NovaConf

#: From here on nova waits for ports alone of which Neutron tells it in time:
#: get_live_migration_plug_time_events() in nova/network/model.py.
_WAITS_RIGHTLY: versions.Version = (22, 2, 0)
#: By it os-vif makes a bridge for each interface, where Xen's vif-bridge puts
#: it (its vif-openvswitch sets no iface-id).
_HYBRID = (
    'iptables_hybrid',
    'neutron.agent.linux.iptables_firewall.OVSHybridIptablesFirewallDriver',
)


def findings(
    setup: Setup | None, nova: NovaConf | None
) -> ty.Iterator[Finding]:
    """All that is missing, as far as it is known.

    :param setup: of dom0, None where it isn't known.
    :param nova: of the host, likewise.
    """
    for_xen = nova is not None and nova.virt_type == 'xen'
    if nova is not None and for_xen:
        yield from _live_migration(nova)
        if not nova.force_raw_images:
            yield Finding(
                'vhd_not_converted',
                NOTE,
                'force_raw_images is false, and of an image in vhd no guest '
                "starts here then: Xen's libvirt driver refuses what nova "
                'makes of it',
                'have images in raw or qcow2, or set force_raw_images = true '
                'in [DEFAULT]',
            )
    if setup is None:
        return
    if for_xen and setup.ssh_key is False:
        yield Finding(
            'no_ssh_key',
            RECOMMENDED,
            '%s has no ssh key here, without which nova can neither migrate a '
            'guest cold nor resize it to another host, on shared storage '
            'either' % (setup.compute_user or 'the user of nova-compute'),
            'give the user by whom nova-compute runs a key that the other '
            'dom0s let in, and their host keys',
        )
    if nova is not None and for_xen:
        yield from _hvmloader(setup, nova)
    if setup.ovs_firewall not in (None, *_HYBRID):
        yield Finding(
            'ovs_firewall',
            NOTE,
            "Neutron's Open vSwitch agent has firewall_driver = %s, by which "
            "nova has Xen put a guest's interface straight into Open vSwitch: "
            'Xen does not give it the id by which Neutron knows it'
            % (setup.ovs_firewall or '(not set)'),
            'set firewall_driver = %s in [securitygroup] of '
            'openvswitch_agent.ini, unless another agent serves the guests'
            % _HYBRID[0],
        )
    if setup.linuxbridge:
        yield from _linuxbridge(setup)
    if for_xen and _scheme(nova).startswith('xen+tls') and setup.tls is False:
        yield Finding(
            'no_tls_certificates',
            RECOMMENDED,
            "live_migration_uri is xen+tls, and not all of libvirt's "
            'certificates and keys are where it looks for them by default: '
            'unless libvirtd.conf or the URI names others, guests neither '
            'leave nor come by live migration',
            "put them there: cacert.pem into /etc/pki/CA, a server's and a "
            "client's into /etc/pki/libvirt and its folder private",
        )
    if (
        nova is not None
        and nova.inject_partition != -2
        and setup.libguestfs is False
    ):
        yield Finding(
            'no_libguestfs',
            RECOMMENDED,
            "nova's Python can't import guestfs, with which it injects files "
            'into images; it mounts them in dom0 itself then',
            'install it (Debian: python3-guestfs, RPM: python3-libguestfs), '
            "unless nova's inject_partition is -2, its default",
        )


def _hvmloader(setup: Setup, nova: NovaConf) -> ty.Iterator[Finding]:
    path = nova.xen_hvmloader_path
    found = setup.hvmloaders
    # Elsewhere one may be that was not looked for.
    looked_for = pathlib.PurePosixPath(path).match('/' + HVMLOADERS)
    if found and path not in found and looked_for:
        yield Finding(
            'hvmloader',
            RECOMMENDED,
            'xen_hvmloader_path is %s, where no file is: no HVM guest starts'
            % path,
            'set xen_hvmloader_path = %s in [libvirt]' % found[-1],
        )


def _live_migration(nova: NovaConf) -> ty.Iterator[Finding]:
    if not nova.live_migration_uri:
        yield Finding(
            'live_migration_uri',
            RECOMMENDED,
            "live_migration_uri is not set; nova's own for Xen, xenmigr://, "
            'libvirt takes for TLS',
            'set live_migration_uri in [libvirt], such as xen+tls://%s/system '
            'or xen+ssh://root@%s/system',
        )
    elif not nova.live_migration_tunnelled or '+tcp' in _scheme(nova):
        yield Finding(
            'live_migration_unencrypted',
            NOTE,
            "a guest's memory goes to the other host unencrypted: "
            + (
                'live_migration_uri is xen+tcp'
                if nova.live_migration_tunnelled
                else 'beside what live_migration_uri says, as '
                'live_migration_tunnelled is not true'
            ),
            'set live_migration_tunnelled = true in [libvirt], with xen+tls '
            'or xen+ssh in live_migration_uri, unless that network is trusted',
        )
    version = _version(nova)
    waits = nova.waits_for_vif_plug and (
        version is None or versions.older(version, _WAITS_RIGHTLY)
    )
    if waits:
        yield Finding(
            'vif_plug_wait',
            NOTE if version is None else RECOMMENDED,
            'live_migration_wait_for_vif_plug is true: nova before %s waits '
            'for each port before a guest moves here, and on Xen a port of '
            "Neutron's linuxbridge is plugged while it moves: the migration "
            'times out' % versions.show(_WAITS_RIGHTLY),
            'set live_migration_wait_for_vif_plug = false in [compute]',
        )


def _version(nova: NovaConf) -> versions.Version | None:
    try:
        return versions.parse(nova.version or '')
    except ValueError:
        return None


def _scheme(nova: NovaConf | None) -> str:
    """Of live_migration_uri."""
    return ((nova and nova.live_migration_uri) or '').partition(':')[0]


def _linuxbridge(setup: Setup) -> ty.Iterator[Finding]:
    if setup.ebtables_nft:
        yield Finding(
            'ebtables_nft',
            RECOMMENDED,
            "ebtables is ebtables-nft here, with which Neutron's linuxbridge "
            'agent fails on Debian 11 ("RULE_DELETE failed (Invalid '
            'argument)"): ports of guests stay DOWN, without any firewall '
            'rule',
            'have ebtables be ebtables-legacy (Debian: update-alternatives '
            '--set ebtables /usr/sbin/ebtables-legacy)',
        )
