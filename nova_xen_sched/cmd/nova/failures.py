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

from nova_xen_sched.cmd import errors

#: What a URL is often wrong by; a ValueError may quote any part of it.
ENCODED = (
    ': in the password of a URL, / # ? @ [ and ] are written as %2F %23 %3F '
    '%40 %5B and %5D'
)


@contextlib.contextmanager
def reading(what: str) -> ty.Iterator[None]:
    """Turn what reading nova's databases or placement raises into a Failure.

    :param what: what is read, "nova's API database ([api_database])".
    :raises errors.Failure: one line.
    """
    try:
        yield
    except cfg.Error as e:
        raise errors.Failure(
            "nova's configuration is wrong: %s." % errors.one_line(e)
        ) from e
    except (db_exception.DBConnectionError, exception.DBNotAllowed) as e:
        raise errors.Failure(
            "%s can't be reached: %s. Check the connection in nova.conf and "
            'that the database runs.' % (what, errors.one_line(e))
        ) from e
    except (
        db_exception.CantStartEngineError,
        sa_exceptions.ArgumentError,
        ImportError,  # of the database's driver
    ) as e:
        raise errors.Failure(
            '%s is not configured, or wrongly: %s. Check the connection in '
            'nova.conf.' % (what, errors.one_line(e))
        ) from e
    except ValueError as e:
        raise errors.Failure(
            '%s is not configured, or wrongly: %s. Check the connection in '
            'nova.conf%s.' % (what, type(e).__name__, ENCODED)
        ) from e
    except (db_exception.DBError, sa_exceptions.SQLAlchemyError) as e:
        raise errors.Failure(
            "%s can't be read: %s. Check that nova-manage db sync was run "
            'for this nova.' % (what, errors.one_line(e))
        ) from e
    except (
        bus_exceptions.MessagingException,
        oslo_messaging.DriverLoadFailure,
        oslo_messaging.InvalidTransportURL,
    ) as e:
        raise errors.Failure(
            "%s can't be read, because a transport_url is wrong: %s. See "
            'nova-manage cell_v2 list_cells.' % (what, errors.one_line(e))
        ) from e
    except ks_exceptions.ClientException as e:
        raise errors.Failure(
            "%s can't be reached: %s: %s. Check the section [placement] of "
            'nova.conf and that the service runs.'
            # Up to the query, which is long and says nothing here.
            % (what, type(e).__name__, errors.one_line(e).split('?')[0])
        ) from e
