# SPDX-License-Identifier: Apache-2.0

"""Guests with ports of a real Neutron: ML2, by default with linuxbridge."""

from __future__ import annotations

import time
import typing as ty

from tests.e2e.client import host_of
from tests.e2e.client import Server
from tests.e2e.processes import until
from tests.e2e.report import Step
from tests.xen.e2e import libxl
from tests.xen.e2e import moves
from tests.xen.e2e import networks
from tests.xen.e2e.cloud import Cloud
from tests.xen.e2e.cloud import PATIENCE
from tests.xen.e2e.guests import domain
from tests.xen.e2e.hosts import NAMES
from tests.xen.e2e.speaker import Speaker

TITLE = 'Guests with network ports'

#: Of what the guests say to each other over TCP.
_TCP = 7000


def run(cloud: Cloud) -> None:
    by(cloud, 'linuxbridge')


def by(cloud: Cloud, kind: str) -> None:
    """All of this chapter.

    :param kind: what connects the guests: linuxbridge, openvswitch
    """
    with cloud.report.step("Neutron's agents on both hosts") as step:
        cloud.empty()
        cloud.need_network(kind)
        agents = cloud.network.ask('GET', '/v2.0/agents')['agents']
        step.says(
            ', '.join(
                sorted(
                    '%s on %s' % (each['agent_type'], each['host'])
                    for each in agents
                )
            )
        )
    if not cloud.connected_by(kind):
        return
    guests: dict[str, Speaker] = {}
    for name, host in zip(('one', 'two'), NAMES):
        _boot(cloud, guests, name, host)
    if len(guests) == 2:
        _rules(cloud, guests['one'], guests['two'])
        _live_migrate(cloud, guests['one'], guests['two'])
        if kind == 'linuxbridge':
            _hvm(cloud, guests['one'])
            _live_migrate_hvm(cloud)
    _delete(cloud)
    cloud.end_network()


def _boot(
    cloud: Cloud, guests: dict[str, Speaker], name: str, host: str
) -> None:
    with cloud.report.step('boot a PV guest with a port') as step:
        began = cloud.report.elapsed
        guest = cloud.speaker(step, name, host, port=True)
        guests[name] = guest
        step.says(
            'on %s, it answers after %d s'
            % (guest.host, cloud.report.elapsed - began)
        )
        address = guest.address()
        port = cloud.network.port(guest.server['id'])
        mac = guest.run('cat /sys/class/net/eth0/address')
        driver = guest.run(
            'basename $(readlink -f /sys/class/net/eth0/device/driver)'
        )
        step.says(
            'by DHCP it has %s, its driver is %s' % (address, driver),
            *_interface(cloud, guest.server),
        )
        step.check(
            (address, mac, driver)
            == (networks.address(port), port['mac_address'], 'vif'),
            'the port has %s, %s; the guest %s, %s, %s'
            % (
                networks.address(port),
                port['mac_address'],
                address,
                mac,
                driver,
            ),
        )
        _wired(cloud, step, guest.server)


def _hvm(cloud: Cloud, other: Speaker) -> None:
    """iPXE, with its netfront driver; its image names no model."""
    with cloud.report.step('boot an HVM guest with a port') as step:
        began = cloud.report.elapsed
        # By way of the network between the hosts.
        host = cloud.pair.other(other.host).name
        server = cloud.boot(step, 'three', host, 'ipxe', port=True)
        cloud.server['ipxe'] = server
        (interface,) = _interface(cloud, server)
        step.says(
            'ACTIVE on %s after %d s'
            % (host_of(server), cloud.report.elapsed - began),
            interface,
        )
        step.check("<model type='netfront'/>" in interface, 'no netfront')
        _wired(cloud, step, server)
        address = networks.address(cloud.network.port(server['id']))
        rule = cloud.network.allow(protocol='icmp')
        # It answers once it has its address by DHCP.
        _until_pings(step, other, address, 'with a rule', True)
        cloud.network.forbid(rule)
        _until_pings(step, other, address, 'without it', False)
        # It was for the rule.
        rule = cloud.network.allow(protocol='icmp')
        _until_pings(step, other, address, 'with it again', True)
        cloud.network.forbid(rule)


def _live_migrate_hvm(cloud: Cloud) -> None:
    """iPXE can't have its device back after one: no frames are asked for."""
    if 'ipxe' not in cloud.server:
        return
    with cloud.report.step('live-migrate the HVM guest with its port') as step:
        server = cloud.server['ipxe']
        began, source = cloud.report.elapsed, host_of(server)
        server = libxl.repeated(
            step, cloud.pair, lambda: cloud.client.live_migrate(server)
        )
        step.says(
            '%s to %s in %d s'
            % (source, host_of(server), cloud.report.elapsed - began),
            *_interface(cloud, server),
        )
        _wired(cloud, step, server)


def _interface(cloud: Cloud, server: Server) -> list[str]:
    """How libvirt has it."""
    printed = cloud.pair[host_of(server)].run(
        'virsh -c xen:///system dumpxml %s | '
        "sed -n '/<interface/,/<.interface/p'" % domain(server)
    )
    return ['%s: %s' % (host_of(server), ' '.join(printed.split()))]


def _wired(cloud: Cloud, step: Step, server: Server) -> None:
    """Its tap is in the network's bridge, and its port is ACTIVE there."""
    host = host_of(server)
    port = until(
        lambda: _active(cloud, server['id'], host),
        'the port to be ACTIVE on %s' % host,
        PATIENCE,
    )
    tap, bridge = networks.tap(port), networks.bridge(port)
    in_bridge = cloud.pair[host].run('ls /sys/class/net/%s/brif' % bridge)
    step.check(
        tap in in_bridge.split(),
        '%s has no %s in %s: %s' % (host, tap, bridge, in_bridge),
    )
    other = cloud.pair.other(host)
    step.check(
        tap not in other.run('ls /sys/class/net').split(),
        '%s has its tap too' % other.name,
    )
    step.says('%s in %s, port ACTIVE on %s' % (tap, bridge, host))


def _active(cloud: Cloud, server_id: str, host: str) -> ty.Any:
    port = cloud.network.port(server_id)
    if port['status'] == 'ACTIVE' and port['binding:host_id'] == host:
        return port
    return None


def _until_pings(
    step: Step, guest: Speaker, address: str, when: str, wanted: bool
) -> None:
    """Until all that it sends are answered, or none."""
    began = time.monotonic()
    found = (0, 0)

    def as_wanted() -> bool:
        nonlocal found
        found = guest.pings(address)
        return found[1] == (found[0] if wanted else 0)

    until(
        as_wanted,
        'pings %s to be %s' % (when, 'answered' if wanted else 'blocked'),
        PATIENCE,
    )
    step.says(
        '%s %d of %d answered (after %d s)'
        % (when, found[1], found[0], time.monotonic() - began)
    )


def _tcp(guest: Speaker, other: Speaker) -> str:
    """What comes from one guest to another over TCP; empty if nothing."""
    other.run(
        'killall nc 2>/dev/null; rm -f /heard;'
        ' nc -l -p %d </dev/null >/heard 2>&1 & sleep 1' % _TCP
    )
    guest.status('echo hello | nc -w 5 %s %d' % (other.address(), _TCP))
    return other.run('sleep 1; cat /heard')


def _rules(cloud: Cloud, guest: Speaker, other: Speaker) -> None:
    network = cloud.network
    with cloud.report.step('security group rules, between two hosts') as step:
        step.check(
            guest.host != other.host, 'both guests are on %s' % guest.host
        )
        there = other.address()
        _until_pings(step, guest, there, 'without a rule', False)
        rule = network.allow(protocol='icmp')
        _until_pings(step, guest, there, 'with one for ICMP', True)
        heard = _tcp(guest, other)
        step.check(not heard, 'TCP came through without a rule: %s' % heard)
        tcp = network.allow(
            protocol='tcp', port_range_min=_TCP, port_range_max=_TCP
        )
        until(lambda: _tcp(guest, other) == 'hello', 'TCP', PATIENCE)
        network.forbid(tcp)
        until(lambda: not _tcp(guest, other), 'no TCP', PATIENCE)
        step.says('TCP blocked, let in by a rule for its port, blocked again')
        network.forbid(rule)
        _until_pings(step, guest, there, 'without it again', False)


def _live_migrate(cloud: Cloud, guest: Speaker, other: Speaker) -> None:
    """With pings going on both ways."""
    with cloud.report.step('live-migrate the PV guest with its port') as step:
        rule = cloud.network.allow(protocol='icmp')
        try:
            _until_pings(step, guest, other.address(), 'before', True)
            for here, there in ((guest, other), (other, guest)):
                here.run(
                    'ping %s >/pings 2>&1 & echo $! >/pinging'
                    % there.address()
                )
            moves.speaker(cloud, step, guest)
            step.says('', *_interface(cloud, guest.server))
            _wired(cloud, step, guest.server)
            for here in (guest, other):
                _went_on(step, here)
            _until_pings(step, other, guest.address(), 'afterwards', True)
        finally:
            cloud.network.forbid(rule)
        # Its rules came along.
        _until_pings(step, other, guest.address(), 'without a rule', False)


def _went_on(step: Step, guest: Speaker) -> None:
    """The pings that it sends all the time are answered again."""

    def sequence() -> int:
        last = guest.run('grep seq= /pings | tail -n 1')
        return int(last.partition('seq=')[2].split()[0])

    seen = sequence()
    until(
        lambda: sequence() > seen,
        'pings of the guest on %s to be answered' % guest.host,
        PATIENCE,
    )
    printed = guest.run('kill -INT $(cat /pinging); sleep 1; cat /pings')
    said = [each for each in printed.split('\n') if 'transmitted' in each]
    step.says('from the guest on %s: %s' % (guest.host, ''.join(said)))


def _delete(cloud: Cloud) -> None:
    with cloud.report.step('delete them') as step:
        taps = [networks.tap(each) for each in cloud.network.ports()]
        step.check(taps, 'there are no ports')
        cloud.empty()
        until(
            lambda: not cloud.network.ports(), 'no port to be left', PATIENCE
        )
        deadline = time.monotonic() + PATIENCE
        for host in cloud.pair.all:
            while set(taps) & set(host.run('ls /sys/class/net').split()):
                step.check(
                    time.monotonic() < deadline,
                    'a tap is left on %s' % host.name,
                )
                time.sleep(1)
        step.says('no port and no tap is left')
