# SPDX-License-Identifier: Apache-2.0

"""Waiting for nova to be done with what it was asked to do."""

from __future__ import annotations

import contextlib
import time
import typing as ty

from nova import context
import sqlalchemy

Server = ty.Dict[str, ty.Any]

_INSTANCE = sqlalchemy.text(
    'SELECT vm_state, task_state, host FROM instances'
    ' WHERE uuid = :uuid AND deleted = 0'
)
#: Of the newest action of a name; one row of NULL if it has no event yet.
_EVENTS = sqlalchemy.text(
    'SELECT e.event, e.result, e.traceback, e.finish_time'
    ' FROM instance_actions AS a'
    ' LEFT JOIN instance_actions_events AS e ON e.action_id = a.id'
    ' WHERE a.id = (SELECT MAX(id) FROM instance_actions'
    ' WHERE instance_uuid = :uuid AND action = :action) ORDER BY e.id'
)
_MIGRATION = sqlalchemy.text(
    'SELECT uuid, status FROM migrations'
    ' WHERE instance_uuid = :uuid AND deleted = 0 ORDER BY id DESC LIMIT 1'
)


class Waiting:
    """The part of a Cloud that its operations wait with."""

    #: Seconds; a loaded machine may take many times what an idle one does.
    TIMEOUT = 60.0

    api: ty.Any
    cell_mappings: ty.Dict[str, ty.Any]
    #: What is being done, for the recorder.
    _during = ''

    @contextlib.contextmanager
    def _doing(self, what: str) -> ty.Iterator[None]:
        before, self._during = self._during, what
        try:
            yield
        finally:
            self._during = before

    def _act(
        self,
        server: Server,
        action: str,
        body: ty.Dict[str, ty.Any],
        done: ty.Callable[[Server, Server], bool],
        fails: ty.Optional[str] = None,
        during: ty.Optional[str] = None,
        leaves: ty.Optional[str] = None,
    ) -> Server:
        """Post a server action and wait for its end.

        :param action: its name among the instance actions
        :param done: is it, judged by the server before and now
        :param leaves: the vm_state it leaves, if it has no task_state
        """
        server = self.api.get_server(server['id'])
        with self._doing(during or action):
            self.api.post_server_action(server['id'], body)
            return self._ended(
                server, action, lambda now: done(server, now), fails, leaves
            )

    def _ended(
        self,
        server: Server,
        action: str,
        arrived: ty.Callable[[Server], bool],
        fails: ty.Optional[str],
        leaves: ty.Optional[str] = None,
    ) -> Server:
        now = server
        failure: ty.Optional[str] = None

        def done() -> bool:
            nonlocal now, failure
            if self._busy(server['id'], leaves):
                return False
            now = self.api.get_server(server['id'])
            failure = self._failure(now, action)
            return failure is not None or (
                arrived(now) and self._migration_ended(now)
            )

        self._until(done, '%s of %s' % (action, server['id']))
        if failure is None and fails is not None:
            raise AssertionError(
                '%s did not fail, the server is on %s'
                % (action, now['OS-EXT-SRV-ATTR:host'])
            )
        if failure is not None and (fails is None or fails not in failure):
            raise AssertionError('%s failed: %s' % (action, failure))
        return now

    def _busy(self, server_id: str, leaves: ty.Optional[str]) -> bool:
        """Is nova at work on it, or is it still in the state it will leave?"""
        for row in self._rows(_INSTANCE, uuid=server_id):
            return row.task_state is not None or row.vm_state == leaves
        return True

    def _rows(self, statement: ty.Any, **values: str) -> ty.List[ty.Any]:
        """What the cell has that has any.

        Read from the cells' databases: asking the API takes far longer, of
        the processor that all of this nova shares.
        """
        # cell0, which is the first, has only what could not be scheduled.
        for cell in reversed(self.cell_mappings.values()):
            with context.target_cell(
                context.get_admin_context(), cell
            ) as ctxt, ctxt.db_connection.reader.using(ctxt) as session:
                rows = session.execute(statement, values).fetchall()
            if rows:
                return rows
        return []

    def _failure(self, now: Server, action: str) -> ty.Optional[str]:
        """What nova recorded of an action that failed; None if it did not."""
        if now['OS-EXT-STS:task_state'] is not None:
            return None
        if now['status'] == 'ERROR':
            # The fault is recorded a moment after the status.
            fault = now.get('fault')
            return fault and '%s\n%s' % (
                fault['message'],
                fault.get('details', ''),
            )
        events = [
            row
            for row in self._rows(_EVENTS, uuid=now['id'], action=action)
            if row.event is not None
        ]
        errors = [e for e in events if (e.result or '').lower() == 'error']
        if errors:
            return '\n'.join('%s: %s' % (e.event, e.traceback) for e in errors)
        if (
            action == 'unshelve'
            and now['status'] == 'SHELVED_OFFLOADED'
            and events
            and all(e.finish_time for e in events)
        ):
            return 'NoValidHost, which nova only logs when unshelving'
        return None

    def _migration_ended(self, now: Server) -> bool:
        """Has nova closed the record, and cleared the source's allocation?"""
        for newest in self._rows(_MIGRATION, uuid=now['id']):
            if newest.status in ('completed', 'confirmed'):
                return not self._get_allocations_by_server_uuid(newest.uuid)
            return newest.status in ('finished', 'done', 'error', 'failed')
        return True

    def _until(self, done: ty.Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + self.TIMEOUT
        while not done():
            if time.monotonic() > deadline:
                raise AssertionError(
                    'waited %ds for %s' % (self.TIMEOUT, what)
                )
            time.sleep(0.03)
