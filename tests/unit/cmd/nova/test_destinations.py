# SPDX-License-Identifier: Apache-2.0

"""Which servers' requests are alike, and are asked about once."""

from __future__ import annotations

from unittest import mock

from nova.objects import flavor as nova_flavor
from nova.objects import image_meta
from nova.objects import instance_group
from nova.objects import instance_pci_requests
from nova.objects import request_spec
import pytest

from nova_xen_sched.cmd.nova import destinations
from nova_xen_sched.cmd.nova.scheduler import Server
from nova_xen_sched.planner.cloud import Operation


def server(uuid, **fields):
    """A server with a request as nova stores it."""
    flavor = nova_flavor.Flavor(
        name='m1',
        memory_mb=512,
        vcpus=1,
        root_gb=1,
        ephemeral_gb=0,
        swap=0,
        extra_specs={},
    )
    image = image_meta.ImageMeta(
        id=fields.pop('image_id', 'i'),
        disk_format='raw',
        properties=image_meta.ImageMetaProps(hw_vm_mode='hvm'),
    )
    spec = request_spec.RequestSpec(
        **{
            'instance_uuid': uuid,
            'flavor': flavor,
            'image': image,
            'is_bfv': False,
            'availability_zone': None,
            'numa_topology': None,
            'pci_requests': None,
            'project_id': 'p',
            'user_id': 'u',
            **fields,
        }
    )
    cell = mock.Mock(uuid='cell')
    return Server(mock.Mock(uuid=uuid), spec, cell)


@pytest.fixture
def asked(monkeypatch):
    """How many times nova is asked about two servers."""

    def count(first, second, filters=()):
        judged = destinations.Judged(
            mock.Mock(filters=filters), [], mock.Mock()
        )
        judge = mock.Mock()
        monkeypatch.setattr(judged, '_judge', judge)
        for each in (first, second):
            judged.destinations(each, Operation.LIVE)
        return judge.call_count

    return count


def test_those_alike_once(asked):
    assert asked(server('1'), server('2', project_id='q', image_id='j')) == 1


@pytest.mark.parametrize(
    'fields',
    [
        {'availability_zone': 'z'},
        {'is_bfv': True},
        {'scheduler_hints': {'same_host': ['3']}},
        {'instance_group': instance_group.InstanceGroup(uuid='g')},
    ],
    ids=str,
)
def test_others_by_themselves(asked, fields):
    assert asked(server('1'), server('2', **fields)) == 2


@pytest.mark.parametrize(
    'fields',
    [
        {'scheduler_hints': {'different_host': ['3']}},
        {'instance_group': instance_group.InstanceGroup(uuid='g')},
        {
            'pci_requests': instance_pci_requests.InstancePCIRequests(
                requests=[instance_pci_requests.InstancePCIRequest(count=1)]
            )
        },
    ],
    ids=str,
)
def test_what_names_other_servers_or_devices_is_a_servers_own(asked, fields):
    assert asked(server('1', **fields), server('2', **fields)) == 2


class Strange:
    """A filter of neither nova's nor ours."""


def test_filters_that_may_look_at_the_project(asked):
    pair = server('1'), server('2', project_id='q')
    assert asked(*pair, filters=[Strange()]) == 2
