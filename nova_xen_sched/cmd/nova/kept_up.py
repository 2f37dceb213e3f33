# SPDX-License-Identifier: Apache-2.0

"""Hosts whose computes stay up or down as they were when they were read.

nova compares the time of a compute's last report with what time it is: where
it takes longer than a minute to read a cloud and to judge, all would be down.
"""

from __future__ import annotations

import datetime
import time
import typing as ty


class KeptUp:
    """Is to be called before hosts are judged.

    :param states: the nova HostStates.
    :param at: when they were read, by time.monotonic(); None for now.
    """

    def __init__(
        self, states: ty.Iterable[ty.Any], at: float | None = None
    ) -> None:
        self._services = [
            (state, dict(state.service or {})) for state in states
        ]
        self._at = time.monotonic() if at is None else at
        self._passed = 0.0

    def __call__(self) -> None:
        passed = time.monotonic() - self._at
        # The least that nova's service_down_time can tell apart.
        if passed < self._passed + 1:
            return
        self._passed = passed
        later = datetime.timedelta(seconds=passed)
        for state, before in self._services:
            service = dict(before)
            for name in ('last_seen_up', 'created_at'):
                if isinstance(service.get(name), datetime.datetime):
                    service[name] += later
            state.service = service
