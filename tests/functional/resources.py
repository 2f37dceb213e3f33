# SPDX-License-Identifier: Apache-2.0

"""What servers are made of and where: images, flavors, aggregates."""

from __future__ import annotations

import typing as ty

from tests.functional.volumes import Volumes


class Resources:
    """The part of a Cloud that has what users and operators set up."""

    api: ty.Any
    glance: ty.Any
    host_manager: ty.Any
    _volumes: Volumes

    def create_image(
        self, name: str, disk_format: str = 'raw', **properties: str
    ) -> str:
        """An image with properties as users set them in Glance."""
        return self.glance.create(
            None,
            {
                'name': name,
                'container_format': 'bare',
                'disk_format': disk_format,
                'size': 1024 * 1024,
                'min_ram': 0,
                'min_disk': 0,
                'visibility': 'public',
                'tags': [],
                'properties': properties,
            },
        )['id']

    def create_volume(self, image_id: ty.Optional[str], size: int = 1) -> str:
        """A bootable volume as Cinder makes it from an image."""
        return self._volumes.create(image_id, size)

    def create_flavor(
        self,
        ram: int = 512,
        vcpus: int = 1,
        disk: int = 1,
        extra_specs: ty.Optional[ty.Dict[str, str]] = None,
    ) -> str:
        return self._create_flavor(
            memory_mb=ram,
            vcpu=vcpus,
            disk=disk,
            ephemeral=0,
            extra_spec=extra_specs,
        )

    def create_aggregate(
        self,
        name: str,
        hosts: ty.Iterable[str] = (),
        metadata: ty.Optional[ty.Dict[str, ty.Optional[str]]] = None,
    ) -> int:
        aggregate_id = self._create_aggregate(name)
        for host in hosts:
            self.api.add_host_to_aggregate(aggregate_id, host)
        self.set_aggregate_metadata(aggregate_id, metadata or {})
        return aggregate_id

    def set_aggregate_metadata(
        self, aggregate_id: int, metadata: ty.Dict[str, ty.Optional[str]]
    ) -> None:
        """Set keys, or remove those of value None."""
        action = {'set_metadata': {'metadata': metadata}}
        self.api.post_aggregate_action(aggregate_id, action)
        path = '/os-aggregates/%s' % aggregate_id
        now = self.api.api_get(path).body['aggregate']

        # The API tells the scheduler by a message nobody waits for.
        def known() -> bool:
            seen = self.host_manager.aggs_by_id.get(aggregate_id)
            return (
                seen is not None
                and seen.metadata == now['metadata']
                and sorted(seen.hosts) == sorted(now['hosts'])
            )

        self._until(known, 'the scheduler to learn of %s' % now)
