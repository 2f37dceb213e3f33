# SPDX-License-Identifier: Apache-2.0

"""How a command ends: its exit codes, and the errors that it tells of."""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import traceback
import typing as ty

from nova_xen_sched import redact

FINE = 0
#: There are findings, or the answer is partial.
FINDINGS = 1
#: Wrong usage, or something needed is out of reach.
FAILED = 2

#: What begins that no person needs.
_BESIDE = re.compile(
    r' \[SQL:| \(Background|[^\w.)]*Traceback \(most recent call last\)'
)


class Failure(Exception):
    """An error that a person can do something about.

    :param message: one line: what failed, where, and what to do; with a full
        stop.
    """


class Refused(Failure):
    """What nova refuses of a request, whatever the hosts."""


def one_line(error: BaseException | str) -> str:
    """An error in one line, without passwords and the full stop.

    SQLAlchemy's and oslo.db's have many lines, oslo.utils' a traceback.
    """
    # Before it is cut, or a part of a password might stay.
    text = redact.passwords(' '.join(str(error).split()))
    return _BESIDE.split(text)[0].rstrip('.')


def unexpected(error: BaseException) -> str:
    """One line of an error that nobody has foreseen, with where it is from."""
    frames = traceback.extract_tb(error.__traceback__)
    where = ''
    if frames:
        where = ' (%s, line %s)' % (
            os.sep.join(frames[-1].filename.split(os.sep)[-2:]),
            frames[-1].lineno,
        )
    return (
        'Unexpected %s: %s%s. Run it again with --debug, and report what that '
        'prints.' % (type(error).__name__, one_line(error), where)
    )


def need(library: str) -> None:
    """Refuse what can't be done without a library of an extra.

    :raises Failure: if it is not there.
    """
    with _importing(library):
        importlib.import_module(library)


def openstacksdk() -> ty.ContextManager[None]:
    """While modules are imported that need openstacksdk.

    Commands import them when they run: where it is not there, as in many a
    dom0, the others work, and help names these.

    :raises Failure: if it is not there.
    """
    return _importing('openstacksdk', ', or run this where it is')


@contextlib.contextmanager
def _importing(library: str, otherwise: str = '') -> ty.Iterator[None]:
    try:
        yield
    except ImportError as e:
        raise Failure(
            "%s can't be imported (%s): pip install %s beside "
            'nova-xen-sched%s.' % (library, e, library, otherwise)
        ) from e


@contextlib.contextmanager
def writing(path: str) -> ty.Iterator[None]:
    """While a file is written that was asked for.

    :raises Failure: if it can't be.
    """
    try:
        yield
    except OSError as e:
        raise Failure(
            "%s can't be written: %s." % (path, e.strerror or e)
        ) from e
