# SPDX-License-Identifier: Apache-2.0

"""What can go wrong on the way to nova, as one line with what to do."""

from __future__ import annotations

import contextlib
import typing as ty

from keystoneauth1 import exceptions as ks_exceptions
from nova import exception
from oslo_config import cfg
from oslo_db import exception as db_exception
import oslo_messaging
from oslo_messaging import exceptions as bus_exceptions
from sqlalchemy import exc as sa_exceptions

from nova_xen_sched import redact
from nova_xen_sched.cmd import base

#: What a URL is often wrong by; a ValueError may quote any part of it.
ENCODED = (
    ': in the password of a URL, / # ? @ [ and ] are written as %2F %23 %3F '
    '%40 %5B and %5D'
)


def one_line(error: BaseException | str) -> str:
    """An error in one line: SQLAlchemy's and oslo.db's have many."""
    # Before it is cut, or a part of a password might stay.
    text = redact.passwords(' '.join(str(error).split()))
    return text.split(' [SQL:')[0].split(' (Background')[0].rstrip('.')


@contextlib.contextmanager
def reading(what: str) -> ty.Iterator[None]:
    """Turn what reading nova's databases or placement raises into a Failure.

    :param what: what is read, "nova's API database ([api_database])".
    :raises base.Failure: one line.
    """
    try:
        yield
    except cfg.Error as e:
        raise base.Failure(
            "nova's configuration is wrong: %s." % one_line(e)
        ) from e
    except (db_exception.DBConnectionError, exception.DBNotAllowed) as e:
        raise base.Failure(
            "%s can't be reached: %s. Check the connection in nova.conf and "
            'that the database runs.' % (what, one_line(e))
        ) from e
    except (
        db_exception.CantStartEngineError,
        sa_exceptions.ArgumentError,
        ImportError,  # of the database's driver
    ) as e:
        raise base.Failure(
            '%s is not configured, or wrongly: %s. Check the connection in '
            'nova.conf.' % (what, one_line(e))
        ) from e
    except ValueError as e:
        raise base.Failure(
            '%s is not configured, or wrongly: %s. Check the connection in '
            'nova.conf%s.' % (what, type(e).__name__, ENCODED)
        ) from e
    except (db_exception.DBError, sa_exceptions.SQLAlchemyError) as e:
        raise base.Failure(
            "%s can't be read: %s. Check that nova-manage db sync was run "
            'for this nova.' % (what, one_line(e))
        ) from e
    except (
        bus_exceptions.MessagingException,
        oslo_messaging.DriverLoadFailure,
        oslo_messaging.InvalidTransportURL,
    ) as e:
        raise base.Failure(
            "%s can't be read, because a transport_url is wrong: %s. See "
            'nova-manage cell_v2 list_cells.' % (what, one_line(e))
        ) from e
    except ks_exceptions.ClientException as e:
        raise base.Failure(
            "%s can't be reached: %s: %s. Check the section [placement] of "
            'nova.conf and that the service runs.'
            # Up to the query, which is long and says nothing here.
            % (what, type(e).__name__, one_line(e).split('?')[0])
        ) from e
