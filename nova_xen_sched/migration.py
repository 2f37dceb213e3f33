# SPDX-License-Identifier: Apache-2.0

"""Is a move a live migration, an evacuation, or neither?

The RequestSpec can't tell (seen on nova 22, 26, 30 and 34). The instance in
its cell can: nova's API sets its task_state before the scheduler is asked.
"""

from __future__ import annotations

import typing as ty

from nova import context as nova_context
from nova import objects
from nova.compute import task_states

from nova_xen_sched import log
from nova_xen_sched import redact
from nova_xen_sched.request import Kind

LOG = redact.logger(__name__)


#: What nova's API sets before it has the scheduler asked.
_KINDS = {
    task_states.MIGRATING: Kind.LIVE_MIGRATION,
    task_states.REBUILDING: Kind.EVACUATION,
    task_states.RESIZE_PREP: Kind.MOVE,
    task_states.UNSHELVING: Kind.MOVE,
}


class KindInCell:
    """Reads what a request does from its instance, once at most.

    :param spec: a nova RequestSpec; its requested_destination has a cell.
    :param timeout: seconds to wait for the read.
    """

    def __init__(self, spec: ty.Any, timeout: float) -> None:
        self._spec = spec
        self._timeout = timeout
        self._kinds: list[Kind | None] = []

    def __call__(self) -> Kind | None:
        """What the request does; None if that can't be told."""
        if not self._kinds:
            kind = None
            try:
                kind = self._read()
            except Exception:  # noqa: BLE001  nothing may reach nova
                log.unexpected(
                    'reading what a request does; '
                    'live_migration_unknown counts'
                )
            self._kinds.append(kind)
        return self._kinds[0]

    def _read(self) -> Kind | None:
        cell = self._spec.requested_destination.cell
        uuid = self._spec.instance_uuid
        results = nova_context.scatter_gather_cells(
            nova_context.get_admin_context(),
            [cell],
            self._timeout,
            _task_state,
            uuid,
        )
        answer = results.get(cell.uuid)
        if isinstance(answer, tuple):
            kind = _KINDS.get(answer[0])
            why = 'its task_state is %s' % answer[0]
        else:
            kind = None
            why = (
                'its cell failed: %s: %s'
                % (
                    type(answer).__name__,
                    # SQLAlchemy has the whole statement below.
                    redact.passwords(str(answer)).partition('\n')[0],
                )
                if isinstance(answer, Exception)
                else 'its cell gave no answer in %s s' % self._timeout
            )
        if kind is None:
            LOG.warning(
                "Can't tell what the request for instance %(uuid)s in cell "
                '%(cell)s does: %(why)s. live_migration_unknown counts.',
                {'uuid': uuid, 'cell': cell.uuid, 'why': why},
            )
        return kind


def _task_state(context: ty.Any, uuid: str) -> tuple[str | None] | Exception:
    """The instance's task_state, in a tuple to tell it from a failure.

    A failure is returned: of what is raised here nova logs a traceback.
    """
    try:
        instance = objects.Instance.get_by_uuid(
            context, uuid, expected_attrs=[]
        )
        return (instance.task_state,)
    except Exception as e:  # noqa: BLE001
        return e
