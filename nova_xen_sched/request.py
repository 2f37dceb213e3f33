# SPDX-License-Identifier: Apache-2.0

"""What a request asks for, and what it does: a RequestSpec, read once.

nova is imported where a RequestSpec is read, so that the rules can be asked
where there is none.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import typing as ty

from nova_xen_sched import log
from nova_xen_sched import redact

LOG = log.logger(__name__)


class Kind(enum.Enum):
    """What a request does."""

    BOOT = 'boot'
    REBUILD = 'rebuild'
    #: Resize, cold migration, unshelve.
    MOVE = 'move'
    LIVE_MIGRATION = 'live migration'
    EVACUATION = 'evacuation'

    def __str__(self) -> str:
        return self.value


#: What a request may do that its RequestSpec can't tell apart.
ANY_MOVE = frozenset({Kind.MOVE, Kind.LIVE_MIGRATION, Kind.EVACUATION})


@dataclasses.dataclass(frozen=True)
class GuestRequest:
    """What one request asks of a host.

    None stands for what the image doesn't name. Architecture,
    hypervisor_type and vm_mode are in nova's canonical spelling, where
    vm_mode xen means PV.

    :ivar kinds: what the request may do; more than one where only the
        instance in its cell can tell.
    :ivar hypervisor_version_requires: a predicate like '>=4.14,<5'.
    :ivar maxphysaddr_bits: the least physical address bits of the host.
    :ivar disk_format: Glance's disk_format, in lower case.
    :ivar boot_from_volume: whether the root disk is a volume.
    :ivar memory_mb: the flavor's memory, MiB.
    :ivar vcpus: the flavor's vCPUs.
    """

    kinds: frozenset[Kind] = frozenset({Kind.BOOT})
    instance_uuid: str | None = None
    architecture: str | None = None
    hypervisor_type: str | None = None
    vm_mode: str | None = None
    hypervisor_version_requires: str | None = None
    maxphysaddr_bits: int | None = None
    disk_format: str | None = None
    boot_from_volume: bool = False
    memory_mb: int = 0
    vcpus: int = 0

    @property
    def names_a_type(self) -> bool:
        """Whether the image names any part of a guest type.

        nova's ImagePropertiesFilter looks at the other properties only then.
        """
        return bool(self.architecture or self.hypervisor_type or self.vm_mode)


def _get(obj: ty.Any, name: str) -> ty.Any:
    """A field of a nova object, or None where it, or the object, is none."""
    return getattr(obj, name) if obj is not None and name in obj else None


#: Where a RequestSpec of our own making says what it does. It is no field of
#: nova's object, so that none which came from elsewhere can have it.
_KIND = 'nova_xen_sched_kind'


def set_kind(spec: ty.Any, kind: Kind) -> None:
    """Say what a RequestSpec does, for one that was never nova's request.

    :param spec: a nova RequestSpec, made to explain what would happen.
    """
    setattr(spec, _KIND, kind)


def kinds_of(spec: ty.Any) -> frozenset[Kind]:
    """What a request may do, as far as its RequestSpec tells.

    A rebuild is told by nova's own hint *and* force_hosts, which nova sets
    beside it: users of some novas can send the hint, but not force a host.
    Every other request about a guest that exists names its cell. Of those,
    an unshelve has no hosts to ignore, and a live migration or evacuation
    never leaves its cell; the rest look alike (seen on nova 22, 26, 30 and
    34). A patched nova may say that it live-migrates, by a hint; users can
    send that with a boot, and nova 22 keeps it for whatever is done to the
    guest later, so it tells no more than that this may be one.

    :param spec: a nova RequestSpec.
    """
    kind = vars(spec).get(_KIND)
    if kind is not None:
        return frozenset({kind})
    hints = _get(spec, 'scheduler_hints') or {}
    check_type = hints.get('_nova_check_type')
    if check_type == ['rebuild'] and _get(spec, 'force_hosts'):
        return frozenset({Kind.REBUILD})
    destination = _get(spec, 'requested_destination')
    if destination is None:
        return frozenset({Kind.BOOT})
    if _get(destination, 'allow_cross_cell_move'):
        # Towards a named host nova takes the cell away again.
        return frozenset({Kind.MOVE})
    if _get(destination, 'cell') is None:
        return frozenset({Kind.BOOT})
    if not _get(spec, 'ignore_hosts') and check_type != ['live_migrate']:
        return frozenset({Kind.MOVE})
    return ANY_MOVE


def from_spec(
    spec: ty.Any, default_architecture: str | None = None
) -> GuestRequest:
    """Read a nova RequestSpec.

    :param spec: a nova RequestSpec.
    :param default_architecture: what
        [filter_scheduler]image_properties_default_architecture says; it
        stands for an image's missing architecture.
    """
    from nova.objects import fields

    image, flavor = _get(spec, 'image'), _get(spec, 'flavor')
    props = _get(image, 'properties')
    props = {} if props is None else props
    return GuestRequest(
        kinds=kinds_of(spec),
        instance_uuid=_get(spec, 'instance_uuid'),
        architecture=fields.Architecture.canonicalize(
            props.get('hw_architecture', default_architecture)
        ),
        hypervisor_type=fields.HVType.canonicalize(props.get('img_hv_type')),
        vm_mode=fields.VMMode.canonicalize(props.get('hw_vm_mode')),
        hypervisor_version_requires=props.get('img_hv_requested_version'),
        maxphysaddr_bits=(
            # nova 22 has no such image property; its get() raises for it.
            props.get('hw_maxphysaddr_bits')
            if 'hw_maxphysaddr_bits' in getattr(props, 'fields', ())
            else None
        ),
        disk_format=(_get(image, 'disk_format') or '').lower() or None,
        boot_from_volume=bool(_get(spec, 'is_bfv')),
        memory_mb=_get(flavor, 'memory_mb') or 0,
        vcpus=_get(flavor, 'vcpus') or 0,
    )


def kind_in_cell(spec: ty.Any, timeout: float) -> ty.Callable[[], Kind | None]:
    """What tells what a move is, from its instance in its cell.

    The RequestSpec can't tell a live migration, an evacuation and others apart
    (seen on nova 22, 26, 30 and 34). The instance can: nova's API sets its
    task_state before the scheduler is asked.

    :param spec: a nova RequestSpec; its requested_destination has a cell.
    :param timeout: seconds to wait for the read.
    :returns: a function that reads it once at most, and returns None where
        it can't be told.
    """

    @functools.lru_cache(maxsize=None)
    def read() -> Kind | None:
        try:
            return _read_cell(spec, timeout)
        except Exception:  # noqa: BLE001  nothing may reach nova
            log.unexpected(
                'reading what a request does; live_migration_unknown decides'
            )
            return None

    return read


def _read_cell(spec: ty.Any, timeout: float) -> Kind | None:
    from nova import context as nova_context
    from nova.compute import task_states

    # What nova's API sets before it has the scheduler asked.
    kinds = {
        task_states.MIGRATING: Kind.LIVE_MIGRATION,
        task_states.REBUILDING: Kind.EVACUATION,
        task_states.RESIZE_PREP: Kind.MOVE,
        task_states.UNSHELVING: Kind.MOVE,
    }
    cell = spec.requested_destination.cell
    results = nova_context.scatter_gather_cells(
        nova_context.get_admin_context(),
        [cell],
        timeout,
        _task_state,
        spec.instance_uuid,
    )
    answer = results.get(cell.uuid)
    kind = None
    why = 'its cell gave no answer in %s s' % timeout
    if isinstance(answer, tuple):
        kind = kinds.get(answer[0])
        why = 'its task_state is %s' % answer[0]
    elif isinstance(answer, Exception):
        # SQLAlchemy has the whole statement below.
        reason = redact.passwords(str(answer)).partition('\n')[0]
        why = 'its cell failed: %s: %s' % (type(answer).__name__, reason)
    if kind is None:
        LOG.warning(
            "Can't tell what the request for instance %(uuid)s in cell "
            '%(cell)s does: %(why)s. live_migration_unknown decides.',
            {'uuid': spec.instance_uuid, 'cell': cell.uuid, 'why': why},
        )
    return kind


def _task_state(context: ty.Any, uuid: str) -> tuple[str | None] | Exception:
    """The instance's task_state, in a tuple to tell it from a failure.

    A failure is returned: of what is raised here nova logs a traceback.
    """
    from nova import objects

    try:
        instance = objects.Instance.get_by_uuid(
            context, uuid, expected_attrs=[]
        )
        return (instance.task_state,)
    except Exception as e:  # noqa: BLE001
        return e
