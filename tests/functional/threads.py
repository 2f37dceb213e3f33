# SPDX-License-Identifier: Apache-2.0
"""Threads of nova that sleep until there is something to do.

As they are, the RPC servers look for messages 20 times a second, each, and,
from nova 34 on, each idle thread of nova's pools for work 100 times a second.
These threads are hundreds, and took more of the processor than nova's work.
"""

from __future__ import annotations

import queue
import threading
import time
import typing as ty
import weakref

import fixtures
from futurist import _thread
from oslo_messaging._drivers import base
from oslo_messaging._drivers import impl_fake

try:
    from nova import thread_pool_factory
except ImportError:  # older novas
    pass
else:
    # A service that stops shuts all pools of its process for good, in a thread
    # that may come to it when the test is over; nova's fixture forbids it no
    # longer. This process has further tests to run.
    thread_pool_factory.shutdown_all_executors = lambda: None

#: Seconds after which each looks all the same.
_LATEST = 5.0

_LISTENERS: ty.Any = weakref.WeakSet()


def _listener_init(real: ty.Any) -> ty.Any:
    def init(listener: ty.Any, *args: ty.Any, **kwargs: ty.Any) -> None:
        real(listener, *args, **kwargs)
        listener._woken = threading.Event()
        _LISTENERS.add(listener)

    return init


def _listener_poll(real: ty.Any) -> ty.Any:
    @base.batch_poll_helper
    def poll(listener: ty.Any, timeout: ty.Any = None) -> ty.Any:
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


def _listener_stop(real: ty.Any) -> ty.Any:
    def stop(listener: ty.Any) -> None:
        real(listener)
        listener._woken.set()

    return stop


def _deliver_message(real: ty.Any) -> ty.Any:
    def deliver_message(
        exchange: ty.Any,
        topic: str,
        ctxt: ty.Any,
        message: ty.Any,
        **kwargs: ty.Any,
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


def _worker_wait(real: ty.Any) -> ty.Any:
    def wait_for_work(worker: ty.Any) -> ty.Any:
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


def _worker_stop(real: ty.Any) -> ty.Any:
    def stop(worker: ty.Any, *args: ty.Any) -> None:
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
