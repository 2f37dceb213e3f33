# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.
"""Threads of nova that sleep until there is something to do.

As they are, the RPC servers look for messages 20 times a second, each, and,
from nova 34 on, each idle thread of nova's pools for work 100 times a second.
These threads are hundreds, and took more of the processor than nova's work.
"""

from __future__ import annotations

import queue
import threading
import time
from typing import Any
import weakref

import fixtures
from futurist import _thread
from oslo_messaging._drivers import base
from oslo_messaging._drivers import impl_fake

#: Seconds after which each looks all the same.
_LATEST = 5.0

_LISTENERS: Any = weakref.WeakSet()
_deliver_message = impl_fake.FakeExchange.deliver_message


class _Listener(impl_fake.FakeListener):
    """Woken by each message that may be for it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._woken = threading.Event()
        _LISTENERS.add(self)

    @base.batch_poll_helper
    def poll(self, timeout: Any = None) -> Any:
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            # Before it looks, so that what comes later wakes it.
            self._woken.clear()
            if self._stopped.is_set():
                return None
            for target in self._targets:
                exchange = self._exchange_manager.get_exchange(target.exchange)
                context, message, *rest = exchange.poll(target, self._pool)
                if message is not None:
                    return impl_fake.FakeIncomingMessage(
                        context, message, *rest
                    )
            left = _LATEST
            if deadline is not None:
                left = deadline - time.monotonic()
                if left < 0:
                    return None
            self._woken.wait(left)

    def stop(self) -> None:
        super().stop()
        self._woken.set()

    @staticmethod
    def deliver_message(
        exchange: Any, topic: str, ctxt: Any, message: Any, **kwargs: Any
    ) -> None:
        _deliver_message(exchange, topic, ctxt, message, **kwargs)
        server = kwargs.get('server')
        for listener in list(_LISTENERS):
            if any(
                target.topic == topic and server in (None, target.server)
                for target in listener._targets
            ):
                listener._woken.set()


class _Worker(_thread.ThreadWorker):
    """Woken by None in the queue, of which its pool's others take theirs."""

    def _wait_for_work(self) -> Any:
        self.idle = True
        while True:
            try:
                work = self.work_queue.get(True, _LATEST)
            except queue.Empty:
                if self._is_dying():
                    raise _thread._Stopping from None
                continue
            if work is None:
                self.work_queue.task_done()
                raise _thread._Stopping
            self.idle = False
            return work

    def stop(self) -> None:
        super().stop()
        self.work_queue.put(None)


class SleepingThreads(fixtures.Fixture):
    """See above."""

    def _setUp(self) -> None:  # noqa: N802
        for target, attribute, ours in (
            (impl_fake, 'FakeListener', _Listener),
            (
                impl_fake.FakeExchange,
                'deliver_message',
                _Listener.deliver_message,
            ),
            (_thread, 'ThreadWorker', _Worker),
        ):
            self.useFixture(fixtures.MockPatchObject(target, attribute, ours))
