# SPDX-License-Identifier: Apache-2.0

"""Connections to nova's databases, which outlive a transaction."""

from __future__ import annotations

import typing as ty

import fixtures
from sqlalchemy import pool


class _Pool(pool.QueuePool):
    def __init__(self, creator: ty.Any, **kwargs: ty.Any) -> None:
        super().__init__(creator, **dict(kwargs, max_overflow=-1))


class KeptConnections(fixtures.Fixture):
    """Keep connections to SQLite files as nova keeps those to MySQL.

    The databases are files where nova runs threads, and in memory where it
    runs on eventlet. oslo.db connects to a file anew for each transaction,
    and SQLite then reads the whole schema: a fifth of the tests' time.
    """

    def _setUp(self) -> None:  # noqa: N802
        self.useFixture(
            fixtures.MonkeyPatch('sqlalchemy.pool.NullPool', _Pool)
        )
