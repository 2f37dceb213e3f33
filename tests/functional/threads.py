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


def _listener_init(real: Any) -> Any:
    def init(listener: Any, *args: Any, **kwargs: Any) -> None:
        real(listener, *args, **kwargs)
        listener._woken = threading.Event()
        _LISTENERS.add(listener)

    return init


def _listener_poll(real: Any) -> Any:
    @base.batch_poll_helper
    def poll(listener: Any, timeout: Any = None) -> Any:
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            # Before it looks, so that what comes later wakes it.
            listener._woken.clear()
            if listener._stopped.is_set():
                return None
            for target in listener._targets:
                exchange = listener._exchange_manager.get_exchange(
                    target.exchange
                )
                context, message, *rest = exchange.poll(target, listener._pool)
                if message is not None:
                    return impl_fake.FakeIncomingMessage(
                        context, message, *rest
                    )
            left = _LATEST
            if deadline is not None:
                left = deadline - time.monotonic()
                if left < 0:
                    return None
            listener._woken.wait(left)

    return poll


def _listener_stop(real: Any) -> Any:
    def stop(listener: Any) -> None:
        real(listener)
        listener._woken.set()

    return stop


def _deliver_message(real: Any) -> Any:
    def deliver_message(
        exchange: Any, topic: str, ctxt: Any, message: Any, **kwargs: Any
    ) -> None:
        real(exchange, topic, ctxt, message, **kwargs)
        server = kwargs.get('server')
        for listener in list(_LISTENERS):
            if any(
                target.topic == topic and server in (None, target.server)
                for target in listener._targets
            ):
                listener._woken.set()

    return deliver_message


def _worker_wait(real: Any) -> Any:
    def wait_for_work(worker: Any) -> Any:
        worker.idle = True
        while True:
            try:
                work = worker.work_queue.get(True, _LATEST)
            except queue.Empty:
                if worker._is_dying():
                    raise _thread._Stopping from None
                continue
            if work is None:
                worker.work_queue.task_done()
                raise _thread._Stopping
            worker.idle = False
            return work

    return wait_for_work


def _worker_stop(real: Any) -> Any:
    def stop(worker: Any, *args: Any) -> None:
        real(worker, *args)
        # One for each worker of a pool, whichever of them takes it.
        worker.work_queue.put(None)

    return stop


class SleepingThreads(fixtures.Fixture):
    """See above."""

    def _setUp(self) -> None:  # noqa: N802
        for owner, name, ours in (
            (impl_fake.FakeListener, '__init__', _listener_init),
            (impl_fake.FakeListener, 'poll', _listener_poll),
            (impl_fake.FakeListener, 'stop', _listener_stop),
            (impl_fake.FakeExchange, 'deliver_message', _deliver_message),
            (_thread.ThreadWorker, '_wait_for_work', _worker_wait),
            (_thread.ThreadWorker, 'stop', _worker_stop),
        ):
            self.useFixture(
                fixtures.MockPatchObject(
                    owner, name, ours(getattr(owner, name))
                )
            )
