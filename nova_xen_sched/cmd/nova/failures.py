# SPDX-License-Identifier: Apache-2.0

"""What can go wrong on the way to nova, as one line with what to do."""

from __future__ import annotations

import contextlib
import re
import textwrap
import typing as ty

from keystoneauth1 import exceptions as ks_exceptions
from nova import exception
from oslo_config import cfg
from oslo_db import exception as db_exception
import oslo_messaging
from oslo_messaging import exceptions as bus_exceptions
from sqlalchemy import exc as sa_exceptions

from nova_xen_sched.cmd import errors

#: What a URL is often wrong by; a ValueError may quote any part of it.
ENCODED = (
    ': in the password of a URL, / # ? @ [ and ] are written as %2F %23 %3F '
    '%40 %5B and %5D'
)

_NOT_CONFIGURED = (
    '{what} is not configured, or wrongly: {error}. Check the connection in '
    'nova.conf'
)

#: What is said of which error; the first that fits counts.
_READING: ty.Sequence[tuple[ty.Any, str]] = (
    (cfg.Error, "nova's configuration is wrong: {error}."),
    (
        (db_exception.DBConnectionError, exception.DBNotAllowed),
        "{what} can't be reached: {error}. Check the connection in nova.conf "
        'and that the database runs.',
    ),
    (
        ImportError,
        "{what} can't be reached: the Python that runs this lacks the driver "
        'that its connection names ({error}). Install that driver, or run '
        'this with the Python that nova-scheduler runs with.',
    ),
    (
        (
            db_exception.CantStartEngineError,
            sa_exceptions.ArgumentError,
        ),
        _NOT_CONFIGURED + '.',
    ),
    (
        ValueError,
        _NOT_CONFIGURED.replace('{error}', '{kind}') + ENCODED + '.',
    ),
    (
        (db_exception.DBError, sa_exceptions.SQLAlchemyError),
        "{what} can't be read: {error}. Check that nova-manage db sync was "
        'run for this nova.',
    ),
    (
        (
            bus_exceptions.MessagingException,
            oslo_messaging.DriverLoadFailure,
            oslo_messaging.InvalidTransportURL,
        ),
        "{what} can't be read, because a transport_url is wrong: {error}. See "
        'nova-manage cell_v2 list_cells.',
    ),
    (
        ks_exceptions.ClientException,
        "{what} can't be reached: {kind}: {brief}. Check the section "
        '[placement] of nova.conf and that the service runs.',
    ),
)


#: What reading() is told where nova's API database is read.
API_DATABASE = "nova's API database ([api_database])"


@contextlib.contextmanager
def reading(what: str) -> ty.Iterator[None]:
    """Turn what reading nova's databases or placement raises into a Failure.

    What isn't foreseen passes.

    :param what: what is read, such as API_DATABASE.
    :raises errors.Failure: one line.
    """
    try:
        yield
    except Exception as e:
        text = next(
            (text for kind, text in _READING if isinstance(e, kind)), ''
        )
        if not text:
            raise
        line = errors.one_line(e)
        raise errors.Failure(
            text.format(
                what=what,
                kind=type(e).__name__,
                error=line,
                # Up to the query, which is long and says nothing here.
                brief=line.split('?')[0],
            )
        ) from e


@contextlib.contextmanager
def refusing(what: str) -> ty.Iterator[None]:
    """Turn what nova refuses a request with into a Refused.

    :param what: what nova refuses, "this request".
    :raises errors.Refused: one line.
    """
    try:
        yield
    except exception.PciRequestAliasNotDefined as e:
        raise errors.Refused(
            'nova refuses %s: %s. nova-api reads [pci] alias of its own '
            'nova.conf; this command needs the same option in the one that it '
            'reads.' % (what, errors.one_line(e))
        ) from e
    except (ValueError, TypeError, exception.NovaException) as e:
        raise errors.Refused(
            'nova refuses %s: %s.' % (what, errors.one_line(e))
        ) from e


@contextlib.contextmanager
def running(what: str) -> ty.Iterator[None]:
    """Turn what a plugin of nova-scheduler raises into a Failure.

    :param what: "filter FooFilter".
    :raises errors.Failure: one line.
    """
    try:
        yield
    except Exception as e:
        raise errors.Failure(
            'The %s fails with %s: %s. nova-scheduler would fail as well, and '
            'put the server into ERROR.'
            % (what, type(e).__name__, errors.one_line(e))
        ) from e


@contextlib.contextmanager
def starting() -> ty.Iterator[None]:
    """Turn what our own plugins refuse to start with into a Failure.

    :raises errors.Failure: which option is wrong.
    """
    try:
        yield
    except SystemExit as e:
        raise errors.Failure(str(e)) from e


@contextlib.contextmanager
def loading(what: str) -> ty.Iterator[None]:
    """Turn what a filter or weigher of nova-scheduler ends it with.

    :param what: what can't be, "weight_classes names x, which can't be loaded"
    :raises errors.Failure: one line.
    """
    try:
        yield
    except Exception as e:
        raise errors.Failure(
            'nova-scheduler would not start: [filter_scheduler] %s: %s: %s. '
            'Correct the option, or what it names.'
            % (what, type(e).__name__, errors.one_line(e))
        ) from e


def answered(answer: ty.Any) -> str:
    """What to say of an answer of placement that is an error.

    :param answer: a requests.Response.
    """
    remedy = {
        401: 'Check the user and the password in the section [placement] of '
        'nova.conf.',
        403: 'The user of the section [placement] of nova.conf needs the role '
        'that placement asks for.',
        404: 'Check the endpoint of placement: openstack endpoint list '
        '--service placement.',
    }.get(answer.status_code, 'See the log of placement.')
    return 'Placement answers with an error: %s %s. %s' % (
        answer.status_code,
        detail(answer).rstrip('.'),
        remedy,
    )


def detail(answer: ty.Any) -> str:
    """What placement says in an error, in its words."""
    try:
        text = str(answer.json()['errors'][0]['detail'])
    except (ValueError, LookupError, TypeError):
        # Of a proxy, or of what isn't placement.
        text = re.sub('<[^>]*>', ' ', answer.text)
    # Its own words stand behind those of the status.
    line = errors.one_line(text.strip().split('\n\n')[-1])
    return textwrap.shorten(line, 200, placeholder=' ...')
