# SPDX-License-Identifier: Apache-2.0

"""Connections to nova's databases, and what is compiled for them, kept."""

from __future__ import annotations

import typing as ty

import fixtures
from oslo_db.sqlalchemy import engines
from sqlalchemy import pool
from sqlalchemy import util


class _Pool(pool.QueuePool):
    def __init__(self, creator: ty.Any, **kwargs: ty.Any) -> None:
        super().__init__(creator, **dict(kwargs, max_overflow=-1))


class _Compiled(util.LRUCache):
    """Of one database as of another: without the dialect, each one's own."""

    def get(self, key: ty.Any, default: ty.Any = None) -> ty.Any:
        return super().get(key[1:], default)

    def __setitem__(self, key: ty.Any, value: ty.Any) -> None:
        super().__setitem__(key[1:], value)


_COMPILED = _Compiled(5000)


class KeptConnections(fixtures.Fixture):
    """Keep connections to SQLite files as nova keeps those to MySQL.

    The databases are files where nova runs threads, and in memory where it
    runs on eventlet. oslo.db connects to a file anew for each transaction,
    and SQLite then reads the whole schema: a fifth of the tests' time. And
    each test has databases of its own, for which SQLAlchemy would compile
    nova's statements anew.
    """

    def _setUp(self) -> None:  # noqa: N802
        self.useFixture(
            fixtures.MonkeyPatch('sqlalchemy.pool.NullPool', _Pool)
        )
        create_engine = engines.create_engine

        def create(*args: ty.Any, **kwargs: ty.Any) -> ty.Any:
            engine = create_engine(*args, **kwargs)
            engine._compiled_cache = _COMPILED
            return engine

        self.useFixture(
            fixtures.MonkeyPatch(
                'oslo_db.sqlalchemy.engines.create_engine', create
            )
        )
