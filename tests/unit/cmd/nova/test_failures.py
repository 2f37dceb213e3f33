# SPDX-License-Identifier: Apache-2.0

"""Each thing that can go wrong on the way to nova is one line."""

from __future__ import annotations

from keystoneauth1 import exceptions as ks_exceptions
from oslo_config import cfg
from oslo_db import exception as db_exception
import pytest
from sqlalchemy import exc as sa_exceptions

from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd.nova import failures


@pytest.mark.parametrize(
    ('error', 'words'),
    [
        (
            db_exception.DBConnectionError('(2003, "Can\'t connect")'),
            "The database can't be reached: (2003",
        ),
        (
            db_exception.CantStartEngineError('No connection'),
            'The database is not configured, or wrongly: No connection.',
        ),
        (
            sa_exceptions.ArgumentError('Could not parse URL'),
            'The database is not configured, or wrongly: Could not parse URL.',
        ),
        (
            ModuleNotFoundError("No module named 'pymysql'"),
            "lacks the driver that its connection names (No module named 'py",
        ),
        (
            db_exception.DBError('no such table\n[SQL: SELECT 1]'),
            "The database can't be read: no such table. Check",
        ),
        (
            ks_exceptions.MissingAuthPlugin('An auth plugin is required'),
            "The database can't be reached: MissingAuthPlugin: An auth",
        ),
        (
            cfg.ConfigFileValueError('Value for option x is not valid'),
            "nova's configuration is wrong: Value for option x",
        ),
    ],
)
def test_an_error_becomes_one_line(error, words):
    with pytest.raises(errors.Failure) as caught, failures.reading(
        'The database'
    ):
        raise error
    assert words in str(caught.value)
    assert '\n' not in str(caught.value)
    assert caught.value.__cause__ is error


def test_other_errors_stay_what_they_are():
    with pytest.raises(KeyError), failures.reading('The database'):
        raise KeyError('a defect')
