# SPDX-License-Identifier: Apache-2.0

"""What of a guest decides how it can be moved."""

from __future__ import annotations

from unittest import mock

from nova.objects import flavor
from nova.objects import instance_group
from nova.objects import request_spec
import pytest

from nova_xen_sched.cmd.nova import guests
from nova_xen_sched.planner.cloud import Group

SHARED = ['storage']


@pytest.mark.parametrize(
    ('is_bfv', 'ephemeral', 'swap', 'holds', 'shared'),
    [
        (True, 0, 0, {}, True),
        (True, 1, 0, {}, False),
        (True, 0, 64, {}, False),
        (False, 0, 0, {'host': {'DISK_GB': 1}}, False),
        (False, 0, 0, {'storage': {'DISK_GB': 1}}, True),
        (False, 0, 0, {'storage': {'CUSTOM_X': 1}}, False),
    ],
)
def test_disks_on_the_host(is_bfv, ephemeral, swap, holds, shared):
    server = mock.Mock()
    server.instance.flavor = flavor.Flavor(ephemeral_gb=ephemeral, swap=swap)
    server.instance.config_drive = ''
    server.request_spec = request_spec.RequestSpec(is_bfv=is_bfv)
    assert guests._is_shared(server, holds, SHARED) is shared
    # A config drive is on the host, too.
    server.instance.config_drive = 'True'
    assert guests._is_shared(server, holds, SHARED) is (
        'storage' in holds and shared
    )


@pytest.mark.parametrize(
    ('is_bfv', 'ephemeral', 'data'),
    [(False, 0, True), (True, 0, False), (True, 1, True)],
)
def test_data_on_a_disk_that_is_no_volume(is_bfv, ephemeral, data):
    """Swap and the config drive have none."""
    server = mock.Mock()
    server.instance.flavor = flavor.Flavor(ephemeral_gb=ephemeral, swap=64)
    server.instance.config_drive = 'True'
    server.request_spec = request_spec.RequestSpec(is_bfv=is_bfv)
    assert guests._has_data(server) is data


def test_without_a_stored_request_the_disk_is_on_the_host():
    server = mock.Mock(request_spec=None)
    assert not guests._is_shared(server, {}, SHARED)


@pytest.mark.parametrize(
    ('policy', 'rules', 'most'),
    [
        ('affinity', {}, None),
        ('anti-affinity', {}, 1),
        ('anti-affinity', {'max_server_per_host': '3'}, 3),
    ],
)
def test_groups_that_nova_enforces(policy, rules, most):
    spec = request_spec.RequestSpec(
        instance_group=instance_group.InstanceGroup(
            uuid='g', policy=policy, rules=rules
        )
    )
    assert guests._group(spec) == Group('g', most)


@pytest.mark.parametrize(
    'spec',
    [
        None,
        request_spec.RequestSpec(),
        request_spec.RequestSpec(instance_group=None),
        *(
            request_spec.RequestSpec(
                instance_group=instance_group.InstanceGroup(
                    uuid='g', policy=policy
                )
            )
            for policy in ('soft-affinity', 'soft-anti-affinity')
        ),
    ],
)
def test_groups_that_it_only_prefers(spec):
    assert guests._group(spec) is None
