# SPDX-License-Identifier: Apache-2.0

"""MariaDB: a server of the run, with a database for each service."""

from __future__ import annotations

import getpass
import os
import typing as ty

import pymysql

from tests.e2e.processes import PATIENCE
from tests.e2e.processes import Process
from tests.e2e.settings import Settings

DATABASES = (
    'keystone',
    'glance',
    'placement',
    'nova_api',
    'nova_cell0',
    'nova',
    # Those that tests.xen.e2e has beside them.
    'neutron',
    'cinder',
)
_USER = 'openstack'


class Database:
    """The server, and what the run asks of it itself."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._server: Process | None = None
        self._socket = os.path.join(settings.sockets, 'mariadb')

    def start(self) -> None:
        s = self._settings
        data = s.path('mariadb')
        user = getpass.getuser()
        conf = s.write(
            'etc',
            'mariadb.cnf',
            text='\n'.join(
                (
                    '[mysqld]',
                    'user = %s' % user,
                    'datadir = %s' % data,
                    'socket = %s' % self._socket,
                    'pid-file = %s.pid' % data,
                    'bind-address = 127.0.0.1',
                    'port = %d' % s.ports['mariadb'],
                    'max_connections = 1000',
                    'character-set-server = utf8mb3',
                    'skip-name-resolve',
                    # What it holds is worth nothing after the run.
                    'innodb_flush_log_at_trx_commit = 0',
                    'innodb_doublewrite = 0',
                    'innodb_flush_method = nosync',
                    '',
                )
            ),
        )
        s.processes.run(
            'mariadb-install-db',
            [
                '/usr/bin/mariadb-install-db',
                '--defaults-file=' + conf,
                '--auth-root-authentication-method=normal',
                '--skip-test-db',
            ],
        )
        self.start_server()
        self.execute(
            "CREATE USER %s@'127.0.0.1' IDENTIFIED BY %s", _USER, s.password
        )
        for name in DATABASES:
            self.execute('CREATE DATABASE ' + name)
            self.execute("GRANT ALL ON %s.* TO %s@'127.0.0.1'" % (name, _USER))

    def start_server(self) -> None:
        """Start it, and wait until it answers."""
        s = self._settings
        self._server = s.processes.start(
            'mariadb',
            [
                '/usr/sbin/mariadbd',
                '--defaults-file=' + s.path('etc', 'mariadb.cnf'),
            ],
        )
        self._server.until(self._answers, 'the first answer')

    def stop_server(self) -> None:
        assert self._server is not None
        self._server.end()

    def _answers(self) -> bool:
        try:
            self.execute('SELECT 1')
        except pymysql.err.OperationalError:
            return False
        return True

    def url(self, database: str, port: str = 'mariadb') -> str:
        """What goes into [database]connection."""
        s = self._settings
        return 'mysql+pymysql://%s:%s@127.0.0.1:%d/%s?charset=utf8' % (
            _USER,
            s.password,
            s.ports[port],
            database,
        )

    def execute(self, statement: str, *values: ty.Any) -> list[ty.Any]:
        """Run a statement as root; its rows."""
        connection = pymysql.connect(
            unix_socket=self._socket,
            user='root',
            autocommit=True,
            read_timeout=PATIENCE,
        )
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, values or None)
                return list(cursor.fetchall())
        finally:
            connection.close()
