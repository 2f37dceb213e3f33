# SPDX-License-Identifier: Apache-2.0

"""What the scheduler's filters are asked, and what they leave."""

from __future__ import annotations

import copy
import dataclasses
import typing as ty

import fixtures
from nova import objects
from nova.scheduler import filters


@dataclasses.dataclass
class Asked:
    """One call of the scheduler's filters, as it was when they began.

    ``candidates`` and ``spec`` are nova's own objects, which nova may change
    later; the other fields are copies.
    """

    during: str
    instance_uuid: ty.Optional[str]
    image: ty.Dict[str, ty.Any]
    disk_format: ty.Optional[str]
    is_bfv: ty.Optional[bool]
    ignore_hosts: ty.List[str]
    force_hosts: ty.List[str]
    force_nodes: ty.List[str]
    scheduler_hints: ty.Dict[str, ty.List[str]]
    destination_host: ty.Optional[str]
    destination_cell: ty.Optional[str]
    index: int
    num_instances: ty.Optional[int]
    candidates: ty.List[ty.Any]
    spec: objects.RequestSpec
    names_in: ty.List[str]
    #: None while the filters run, if one of them raised, or said to stop.
    names_out: ty.Optional[ty.List[str]] = None

    @classmethod
    def of(
        cls, during: str, candidates: ty.List[ty.Any], spec: ty.Any, index: int
    ) -> Asked:
        """Read what nova is about to hand to the filters."""

        def field(obj: ty.Any, name: str, default: ty.Any = None) -> ty.Any:
            # An unset field of a nova object raises.
            value = getattr(obj, name) if obj and name in obj else None
            return default if value is None else value

        image = field(spec, 'image')
        properties = field(image, 'properties')
        destination = field(spec, 'requested_destination')
        cell = field(destination, 'cell')
        return cls(
            during=during,
            instance_uuid=field(spec, 'instance_uuid'),
            image={
                name: getattr(properties, name)
                for name in (properties.fields if properties else ())
                if name in properties
            },
            disk_format=field(image, 'disk_format'),
            is_bfv=field(spec, 'is_bfv'),
            ignore_hosts=list(field(spec, 'ignore_hosts', ())),
            force_hosts=list(field(spec, 'force_hosts', ())),
            force_nodes=list(field(spec, 'force_nodes', ())),
            scheduler_hints=copy.deepcopy(field(spec, 'scheduler_hints', {})),
            destination_host=field(destination, 'host'),
            destination_cell=cell.uuid if cell else None,
            index=index,
            num_instances=field(spec, 'num_instances'),
            candidates=candidates,
            spec=spec,
            names_in=sorted(h.host for h in candidates),
        )


class Recorder(fixtures.Fixture):
    """Has each call of the scheduler's filters noted."""

    def __init__(
        self, note: ty.Callable[[ty.List[ty.Any], ty.Any, int], Asked]
    ) -> None:
        """:param note: is called before the filters run, in nova's thread"""
        super().__init__()
        self._note = note

    def _setUp(self) -> None:  # noqa: N802
        real = filters.HostFilterHandler.get_filtered_objects

        def record(
            handler: ty.Any,
            chain: ty.Any,
            objs: ty.Any,
            spec: ty.Any,
            index: int = 0,
        ) -> ty.Any:
            candidates = list(objs)
            asked = self._note(candidates, spec, index)
            left = real(handler, chain, candidates, spec, index)
            if left is not None:
                asked.names_out = sorted(h.host for h in left)
            return left

        self.useFixture(
            fixtures.MockPatchObject(
                filters.HostFilterHandler, 'get_filtered_objects', record
            )
        )
