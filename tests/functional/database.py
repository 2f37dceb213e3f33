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

"""Connections to nova's databases, which outlive a transaction."""

from __future__ import annotations

from typing import Any

import fixtures
from sqlalchemy import pool


class _Pool(pool.QueuePool):
    def __init__(self, creator: Any, **kwargs: Any) -> None:
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
