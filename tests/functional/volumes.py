# SPDX-License-Identifier: Apache-2.0

"""Volumes made from images, which not every CinderFixture has."""

from __future__ import annotations

from typing import Any
from typing import Dict
from typing import Optional

import fixtures
from nova.volume import cinder
from oslo_utils import uuidutils


class Volumes(fixtures.Fixture):
    """Put on top of a CinderFixture."""

    def __init__(self, glance: Any) -> None:
        super().__init__()
        self._glance = glance
        self._volumes: Dict[str, Dict[str, Any]] = {}

    def _setUp(self) -> None:  # noqa: N802
        fixture_get = cinder.API().get

        def get(
            api: Any, ctxt: Any, volume_id: str, microversion: Any = None
        ) -> Dict[str, Any]:
            volume = fixture_get(ctxt, volume_id, microversion)
            volume.update(self._volumes.get(volume_id, {}))
            return volume

        def create(
            api: Any, ctxt: Any, size: int, *args: Any, **kwargs: Any
        ) -> Dict[str, Any]:
            return get(api, ctxt, self.create(kwargs['image_id'], size))

        for name, ours in (('get', get), ('create', create)):
            self.useFixture(
                fixtures.MonkeyPatch('nova.volume.cinder.API.' + name, ours)
            )

    def create(self, image_id: Optional[str], size: int) -> str:
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
