# SPDX-License-Identifier: Apache-2.0

"""The harness itself, with nova's stock filters and none of this plugin."""

from __future__ import annotations

from nova import exception
import nova.conf
from nova.tests.functional.api import client
from oslo_config import cfg
import pytest

from tests.functional import cloud
from tests.functional import hosts

CONF = nova.conf.CONF

CONF.register_opt(cfg.IntOpt('probe', default=1, mutable=True), 'harness')

STOCK_CONF = """
[filter_scheduler]
enabled_filters = ComputeFilter,ImagePropertiesFilter
"""


class Base(cloud.Cloud):
    NOVA_CONF = STOCK_CONF

    def setUp(self) -> None:
        super().setUp()
        self.start_hosts(
            [hosts.xen('xen-a'), hosts.xen('xen-b'), hosts.kvm('kvm-a')]
        )
        self.hvm = self.create_image(
            'hvm', hypervisor_type='xen', vm_mode='hvm'
        )
        self.kvm = self.create_image('kvm', hypervisor_type='kvm')
        self.cell = self.cell_mappings['cell1'].uuid

    def one_asked(self) -> cloud.Asked:
        """What the filters were asked, once, since this was last called."""
        (asked,) = self.asked
        self.asked.clear()
        return asked

    def other(self, host: str) -> str:
        return {'xen-a': 'xen-b', 'xen-b': 'xen-a'}[host]


class TestMoves(Base):
    def test_boot_and_move(self) -> None:
        server = self.boot(self.hvm)
        first = self.host_of(server)
        assert first in ['xen-a', 'xen-b']
        asked = self.one_asked()
        assert asked.during == 'boot'
        assert asked.instance_uuid == server['id']
        assert asked.image == {'img_hv_type': 'xen', 'hw_vm_mode': 'hvm'}
        assert asked.disk_format == 'raw'
        assert asked.is_bfv is False
        assert asked.names_in == ['kvm-a', 'xen-a', 'xen-b']
        assert asked.names_out == ['xen-a', 'xen-b']
        assert asked.ignore_hosts == []
        assert asked.destination_cell is None

        second = self.other(first)
        moves = (
            ('live_migrate', ()),
            ('cold_migrate', ()),
            ('resize', (self.create_flavor(ram=1024),)),
        )
        for name, arguments in moves:
            server = getattr(self, name)(server, *arguments)
            assert server['status'] == 'ACTIVE'
            assert self.host_of(server) == second
            asked = self.one_asked()
            assert asked.during == name
            assert asked.ignore_hosts == [first]
            assert asked.destination_cell == self.cell
            assert asked.scheduler_hints == {}
            assert asked.names_in == ['kvm-a', second]
            assert asked.names_out == [second]
            first, second = second, first

    def test_evacuate(self) -> None:
        server = self.boot(self.hvm)
        first = self.host_of(server)
        self.asked.clear()
        server = self.evacuate(server)
        assert self.host_of(server) == self.other(first)
        assert server['status'] == 'ACTIVE'
        asked = self.one_asked()
        assert asked.ignore_hosts == [first]
        assert asked.destination_cell == self.cell

        # No Xen host is left now.
        for move in (self.live_migrate, self.cold_migrate):
            server = move(server, fails='NoValidHost')
            assert server['status'] == 'ACTIVE'
            assert self.host_of(server) == self.other(first)
            assert self.one_asked().names_out == []
        with pytest.raises(AssertionError, match='NoValidHost'):
            self.live_migrate(server)

    def test_rebuild_and_unshelve(self) -> None:
        server = self.boot(self.hvm)
        host = self.host_of(server)
        self.asked.clear()
        other = self.create_image('other', hypervisor_type='xen')
        server = self.rebuild(server, other)
        assert server['image']['id'] == other
        asked = self.one_asked()
        assert asked.force_hosts == [host]
        assert asked.scheduler_hints == {'_nova_check_type': ['rebuild']}
        assert asked.names_in == [host]

        server = self.shelve_offload(server)
        assert self.host_of(server) is None
        assert self.asked == []
        server = self.unshelve(server)
        assert self.host_of(server) in ['xen-a', 'xen-b']
        asked = self.one_asked()
        assert asked.ignore_hosts == []
        assert asked.destination_cell == self.cell

        server = self.shelve_offload(server)
        for name in ('xen-a', 'xen-b'):
            self.stop_host(name)
        server = self.unshelve(server, fails='NoValidHost')
        assert server['status'] == 'SHELVED_OFFLOADED'

    def test_rebuild_fails(self) -> None:
        server = self.boot(self.hvm)
        self.rebuild(server, self.kvm, fails='NoValidHost')


class TestBoot(Base):
    def test_volumes(self) -> None:
        for kind in (True, 'existing'):
            server = self.boot(self.hvm, volume=kind)
            assert self.host_of(server) in ['xen-a', 'xen-b']
            asked = self.one_asked()
            assert asked.is_bfv is True
            assert asked.image['hw_vm_mode'] == 'hvm'
            self.live_migrate(server)
            assert self.one_asked().is_bfv is True

    def test_many(self) -> None:
        servers = self.boot(self.hvm, count=2, hints={'colour': 'blue'})
        assert len({server['id'] for server in servers}) == 2
        assert {server['id'] for server in servers} == {
            asked.instance_uuid for asked in self.asked
        }
        # nova asks for the last instance once more, for its alternates.
        assert [asked.index for asked in self.asked] == [0, 1, 1]
        for asked in self.asked:
            assert asked.num_instances == 2
            assert asked.scheduler_hints == {'colour': ['blue']}

    def test_where(self) -> None:
        server = self.boot(self.hvm, host='xen-b')
        assert self.host_of(server) == 'xen-b'
        assert self.one_asked().destination_host == 'xen-b'
        # Filters are not asked for a forced host.
        server = self.boot(self.hvm, az='nova:kvm-a')
        assert self.host_of(server) == 'kvm-a'
        assert self.asked == []

        server = self.boot(self.hvm, host='kvm-a', wait='ERROR')
        assert 'No valid host' in server['fault']['message']
        assert self.one_asked().names_out == []
        with pytest.raises(AssertionError, match='No valid host'):
            self.boot(self.hvm, host='kvm-a')
        with pytest.raises(AssertionError, match='did not fail'):
            self.boot(self.hvm, wait='ERROR')
        wrong = self.create_image('wrong', hypervisor_type='foo')
        with pytest.raises(client.OpenStackApiException, match='400'):
            self.boot(wrong)

    def test_hook(self) -> None:
        def no_hints(asked: cloud.Asked) -> None:
            asked.spec.scheduler_hints = {}

        self.on_asked = no_hints
        self.boot(self.hvm, hints={'colour': 'blue'})
        asked = self.one_asked()
        assert asked.scheduler_hints == {'colour': ['blue']}
        assert asked.spec.scheduler_hints == {}

    def test_sizes_are_the_profile_s(self) -> None:
        self.start_hosts(
            [hosts.xen('xen-c', memory_mb=2048, vcpus=3, local_gb=70)]
        )
        inventory = self._get_provider_inventory(
            self._get_provider_uuid_by_host('xen-c')
        )
        assert {
            name: (of['total'], of['allocation_ratio'])
            for name, of in inventory.items()
        } == {'VCPU': (3, 4.0), 'MEMORY_MB': (2048, 1.0), 'DISK_GB': (70, 1.0)}
        reserved = inventory['MEMORY_MB']['reserved']
        assert reserved == CONF.reserved_host_memory_mb
        flavor = self.create_flavor(ram=2048 - reserved)
        server = self.boot(self.hvm, flavor, host='xen-c')
        self.boot(self.hvm, host='xen-c', wait='ERROR')
        self.delete(server)
        self.boot(self.hvm, flavor, host='xen-c')


class TestFacts(Base):
    def state(self, host: str):
        """The HostState of a host, as filters are given it now."""
        self.boot(self.hvm, host=host)
        (state,) = self.one_asked().candidates
        return state

    def test_what_hosts_report(self) -> None:
        profile = hosts.xen(
            'xen-c', stats={'xen_version': '4.17.5'}, service_version=15
        )
        self.start_hosts([profile])
        state = self.state('xen-c')
        assert state.hypervisor_type == 'Xen'
        assert state.hypervisor_version == 4017000
        assert state.supported_instances == [
            ['x86_64', 'xen', 'xen'],
            ['i686', 'xen', 'hvm'],
            ['x86_64', 'xen', 'hvm'],
        ]
        assert state.total_usable_ram_mb == 32768
        assert state.stats['xen_version'] == '4.17.5'
        assert state.service['version'] == 15

        self.change_host(
            profile.but(stats={'xen_version': '4.18.0'}, service_version=31)
        )
        state = self.state('xen-c')
        assert state.stats['xen_version'] == '4.18.0'
        assert state.service['version'] == 31

    def test_aggregates(self) -> None:
        aggregate = self.create_aggregate('one', ['xen-a'], {'a': '1'})
        (seen,) = self.state('xen-a').aggregates
        assert seen.metadata == {'a': '1'}
        self.set_aggregate_metadata(aggregate, {'a': None, 'b': '2'})
        (seen,) = self.state('xen-a').aggregates
        assert seen.metadata == {'b': '2'}
        assert self.state('xen-b').aggregates == []

    def test_nova_conf(self) -> None:
        assert CONF.harness.probe == 1
        self.rewrite_conf(STOCK_CONF + '[harness]\nprobe = 2\n')
        assert CONF.harness.probe == 2

    def test_next_test_has_its_own_conf(self) -> None:
        assert CONF.harness.probe == 1
        assert CONF.filter_scheduler.enabled_filters == [
            'ComputeFilter',
            'ImagePropertiesFilter',
        ]


class Broken(cloud.Cloud):
    NOVA_CONF = '[filter_scheduler]\nenabled_filters = NoSuchFilter\n'


def test_running() -> None:
    with pytest.raises(exception.SchedulerHostFilterNotFound), cloud.running(
        Broken
    ):
        pass
    with cloud.running(Base) as case:
        server = case.boot(case.kvm)
        assert case.host_of(server) == 'kvm-a'
