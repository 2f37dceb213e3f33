# SPDX-License-Identifier: Apache-2.0

"""A host on which a guest was put is as if the guest were there."""

from __future__ import annotations

from hypothesis import given
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from nova import objects
import nova.conf
import pytest

from nova_xen_sched.cmd.nova import xen_hosts
from nova_xen_sched.cmd.simulate import booking
from nova_xen_sched.load import mode_of
from tests.unit import builders

CONF = nova.conf.CONF
pytestmark = pytest.mark.usefixtures('clean')

WAY = {'allocations': {}, 'mappings': {}}


def state(stats=(), guests=0, **attributes):
    """A Xen host whose reserve is known, with guests that are not."""
    return builders.state(
        'a',
        stats={
            'xen_dom0_memory_mb': '4096',
            'xen_reserved_host_memory_mb': '4608',
            'num_instances': str(guests),
            **dict(stats),
        },
        num_instances=guests,
        total_usable_ram_mb=65536,
        free_ram_mb=65536 - 4608 - guests * 1024,
        vcpus_used=guests,
        free_disk_mb=100 * 1024,
        service={'version': 66},
        **attributes,
    )


def spec(ram=512, vcpus=1, disk=1, is_bfv=False):
    flavor = objects.Flavor(
        memory_mb=ram, vcpus=vcpus, root_gb=disk, ephemeral_gb=0
    )
    return builders.spec(
        flavor=flavor,
        is_bfv=is_bfv,
        pci_requests=None,
        numa_topology=None,
        requested_resources=[],
    )


def load(of):
    return xen_hosts.read([of])[0].load


GUESTS = st.lists(
    st.tuples(
        st.sampled_from(['hvm', 'xen', 'pvh', None]),
        st.integers(64, 4096),
        st.integers(1, 8),
    ),
    min_size=1,
    max_size=5,
)


@given(
    GUESTS,
    st.sampled_from(['none', 'xenapi', 'libxl']),
    st.sampled_from(['xen', 'hvm']),
    st.sampled_from([{}, {'xen_free_memory_mb': '50000'}]),
    st.integers(0, 3),
)
@hypothesis_settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_the_load_is_that_of_the_model_with_the_guest(
    guests, overhead, default, stats, there
):
    CONF.set_override('guest_memory_overhead', overhead, 'xen_scheduler')
    CONF.set_override('default_vm_mode', default, 'xen_scheduler')
    settings = xen_hosts.settings()
    host = booking.copied(state(stats, there))
    put = booking.Booking(settings).put
    expected = load(host)
    for number, (vm_mode, ram, vcpus) in enumerate(guests, 1):
        one = booking.request_for_one(spec(ram, vcpus))
        put(host, one, vm_mode, WAY)
        expected = settings.dom0_model.plus(
            expected, mode_of(vm_mode, settings), ram, vcpus
        )
        found = load(host)
        if stats:
            # A compute reports whole MiB; what is lost doesn't add up.
            assert expected.free_mb - 1 < found.free_mb <= expected.free_mb
        assert found._replace(free_mb=None) == expected._replace(free_mb=None)
        assert found.guests == there + number


def test_the_first_guest_of_a_host_whose_reserve_is_not_known():
    """Then nova counts what the host had in use as this scheduler reserves."""
    CONF.set_override('reserved_host_memory_mb', 1024)
    CONF.set_override('fact_sources', ['aggregate'], 'xen_scheduler')
    host = booking.copied(state())
    assert load(host).guests_memory_mb == 0
    booking.Booking(xen_hosts.settings()).put(host, spec(), 'hvm', WAY)
    assert load(host).guests_memory_mb == 4608 - 1024 + 512


def test_guests_nobody_tracks_are_of_unknown_mode():
    CONF.set_override('track_instance_changes', False, 'filter_scheduler')
    host = booking.copied(state())
    booking.Booking(xen_hosts.settings()).put(host, spec(), 'hvm', WAY)
    assert (load(host).unknown, load(host).hvm) == (1, 0)


def test_the_original_stays_as_it_is():
    original = state(
        {'xen_free_memory_mb': '50000', 'failed_builds': '2'},
        instances={'x': builders.instance()},
        limits={'memory_mb': 3},
        num_io_ops=2,
        failed_builds=2,
    )
    before = {
        name: dict(value) if isinstance(value, dict) else value
        for name, value in vars(original).items()
    }
    host = booking.copied(original)
    booking.Booking(xen_hosts.settings()).put(host, spec(), 'hvm', WAY)
    host.limits['memory_mb'] = 7
    assert vars(original) == before
    assert len(host.instances) == 2
    # Built, and nothing else is being built.
    assert (host.num_io_ops, host.failed_builds) == (2, 0)
    assert host.free_disk_mb == 99 * 1024


def test_a_volume_takes_no_disk_of_the_host():
    host = booking.copied(state())
    booking.Booking(xen_hosts.settings()).put(
        host, spec(is_bfv=True), 'hvm', WAY
    )
    assert host.free_disk_mb == 100 * 1024


def test_what_xen_reports_is_never_below_0():
    host = booking.copied(state({'xen_free_memory_mb': '100'}))
    booking.Booking(xen_hosts.settings()).put(host, spec(), 'hvm', WAY)
    assert load(host).free_mb == 0


def test_what_cant_be_read_stays_unknown():
    host = booking.copied(state({'xen_free_memory_mb': 'much'}))
    booking.Booking(xen_hosts.settings()).put(host, spec(), 'hvm', WAY)
    assert load(host).free_mb is None


def test_each_request_is_one_of_its_own():
    kind = spec()
    one, other = (booking.request_for_one(kind) for _ in range(2))
    assert len({e.instance_uuid for e in (kind, one, other)}) == 3
    one.flavor.memory_mb = 1
    assert kind.flavor.memory_mb == other.flavor.memory_mb == 512
