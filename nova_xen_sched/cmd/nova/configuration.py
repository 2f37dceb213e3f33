# SPDX-License-Identifier: Apache-2.0

"""Loading nova's configuration, as nova-manage does."""

from __future__ import annotations

from importlib import metadata
import logging
import os
import typing as ty

from nova import objects
import nova.conf
import oslo_messaging

from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd.nova import failures
from nova_xen_sched.cmd.nova import private
from nova_xen_sched.conf import files

CONF = nova.conf.CONF

#: The oldest major release of nova that this was ever run with.
OLDEST = 22

_USUAL = '/etc/nova'

#: What logs a good deal by itself. What of it matters comes as an error.
_CHATTY = ('nova', 'oslo', 'oslo_db', 'oslo_messaging', 'sqlalchemy')


def load(
    config_files: ty.Sequence[str],
    config_dirs: ty.Sequence[str],
    verbose_level: int = 0,
) -> None:
    """Load it into nova.conf.CONF, and get nova's objects ready.

    :param config_files: instead of those that nova's services read.
    :param config_dirs: as well.
    :param verbose_level: of the application: from 2 on nova may log.
    :raises errors.Failure: if there is none, or nova can't read it.
    """
    _check_version()
    if verbose_level < 2:
        for name in _CHATTY:
            logging.getLogger(name).setLevel(logging.CRITICAL)
    _parse(config_files, config_dirs)
    if not CONF.config_file and not CONF.config_dir:
        if os.path.isdir(_USUAL) and not os.access(_USUAL, os.X_OK):
            raise errors.Failure(
                "nova's configuration can't be read: %s: permission denied: "
                'run this as a user who may read it, such as nova or root.'
                % _USUAL
            )
        raise errors.Failure(
            "No configuration of nova was found in nova's usual places, as "
            '/etc/nova/nova.conf: run this on a machine with nova-scheduler, '
            'or name it with --config-file.'
        )
    objects.register_all()


def release() -> int:
    """The major release of the nova at hand; 0 if its version is none."""
    major = metadata.version('nova').split('.')[0]
    return int(major) if major.isdigit() else 0


def _check_version() -> None:
    if 0 < release() < OLDEST:
        raise errors.Failure(
            'nova %s is too old: nova-xen-sched needs %d.0.0 or later.'
            % (metadata.version('nova'), OLDEST)
        )


def _parse(
    config_files: ty.Sequence[str], config_dirs: ty.Sequence[str]
) -> None:
    arguments = files.arguments(config_files, config_dirs)
    try:
        private.configure(['nova-xen-sched', *arguments])
    except files.ERRORS as e:
        raise errors.Failure(
            files.complaint(e, config_files, config_dirs)
        ) from e
    except oslo_messaging.InvalidTransportURL as e:
        raise errors.Failure(
            "nova's configuration is wrong: %s." % errors.one_line(e)
        ) from e
    except ValueError as e:
        raise errors.Failure(
            "nova's configuration is wrong: [DEFAULT] transport_url can't be "
            'read%s.' % failures.ENCODED
        ) from e
