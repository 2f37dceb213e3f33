# SPDX-License-Identifier: Apache-2.0

"""Volumes made from images, which not every CinderFixture has."""

from __future__ import annotations

import typing as ty

import fixtures
from nova.volume import cinder
from oslo_utils import uuidutils


class Volumes(fixtures.Fixture):
    """Put on top of a CinderFixture."""

    def __init__(self, glance: ty.Any) -> None:
        super().__init__()
        self._glance = glance
        self._volumes: ty.Dict[str, ty.Dict[str, ty.Any]] = {}

    def _setUp(self) -> None:  # noqa: N802
        fixture_get = cinder.API().get

        def get(
            api: ty.Any,
            ctxt: ty.Any,
            volume_id: str,
            microversion: ty.Any = None,
        ) -> ty.Dict[str, ty.Any]:
            volume = fixture_get(ctxt, volume_id, microversion)
            volume.update(self._volumes.get(volume_id, {}))
            return volume

        def create(
            api: ty.Any,
            ctxt: ty.Any,
            size: int,
            *args: ty.Any,
            **kwargs: ty.Any,
        ) -> ty.Dict[str, ty.Any]:
            return get(api, ctxt, self.create(kwargs['image_id'], size))

        for name, ours in (('get', get), ('create', create)):
            self.useFixture(
                fixtures.MonkeyPatch('nova.volume.cinder.API.' + name, ours)
            )

    def create(self, image_id: ty.Optional[str], size: int) -> str:
        """A bootable volume as Cinder makes it from an image."""
        volume_id = uuidutils.generate_uuid()
        self._volumes[volume_id] = {'size': size}
        if image_id:
            image = self._glance.show(None, image_id)
            self._volumes[volume_id].update(
                bootable=True,
                volume_image_metadata=dict(
                    image['properties'],
                    image_id=image_id,
                    image_name=image['name'],
                    disk_format=image['disk_format'],
                    container_format=image['container_format'],
                    min_ram='0',
                    min_disk='0',
                ),
            )
        return volume_id
