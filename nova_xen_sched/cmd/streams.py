# SPDX-License-Identifier: Apache-2.0

"""What reaches stderr: neither passwords nor the chatter of libraries."""

from __future__ import annotations

import contextlib
import logging
import sys
import typing as ty
import warnings

from nova_xen_sched import redact

_LEVELS = {
    # They chat about each connection.
    ('stevedore', 'urllib3', 'keystoneauth', 'openstack'): logging.WARNING,
    # They warn before they end in an error, which is said. Not all of
    # keystoneauth: where to log in by a browser is a warning of it, too.
    (
        'keystoneauth.discover',
        'keystoneauth.identity.generic',
    ): logging.ERROR,
    # A wrong option ends the command, too.
    ('nova_xen_sched.plugin',): logging.CRITICAL + 1,
}


def quieten() -> None:
    """Keep what libraries deprecate from an operator, unless it is asked for.

    nova has eventlet imported, which tells of its end in nine lines.
    """
    if not sys.warnoptions:
        warnings.simplefilter('ignore')


def quieten_loggers(verbose_level: int = 0) -> None:
    """Keep libraries from saying too much, and passwords out of all logs.

    Call it when the handlers are there.

    :param verbose_level: of the application: from 2 on all may be logged.
    """
    # At every level: keystoneauth logs the URL of Keystone as configured.
    for handler in logging.getLogger().handlers:
        handler.addFilter(redact.FILTER)
    # Whether a traceback is printed of a log call that is wrong in itself.
    logging.raiseExceptions = verbose_level > 1
    if verbose_level < 2:
        for names, level in _LEVELS.items():
            for name in names:
                logging.getLogger(name).setLevel(level)


class SafeStream:
    """A stream to write to, for persons: what passes has no passwords.

    Where it can't be written there is nobody to be told of it.
    """

    def __init__(self, stream: ty.Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        if self._stream is not None:
            with contextlib.suppress(OSError):
                self._stream.write(redact.passwords(text))
        return len(text)

    def flush(self) -> None:
        if self._stream is not None:
            with contextlib.suppress(OSError):
                self._stream.flush()

    def __getattr__(self, name: str) -> ty.Any:
        return getattr(self._stream, name)


def safe_stderr() -> ty.ContextManager[ty.Any]:
    """While what is written to stderr has no passwords."""
    return contextlib.redirect_stderr(SafeStream(sys.stderr))
