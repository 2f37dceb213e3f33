# SPDX-License-Identifier: Apache-2.0

"""How a command ends: its exit codes, and the errors that it tells of."""

from __future__ import annotations

import contextlib
import typing as ty

from nova_xen_sched import redact

FINE = 0
#: There are findings, or the answer is partial.
FINDINGS = 1
#: Wrong usage, or something needed is out of reach.
FAILED = 2


class Failure(Exception):
    """An error that a person can do something about.

    :param message: one line: what failed, where, and what to do; with a full
        stop.
    """

    exit_code = FAILED


def one_line(error: BaseException | str) -> str:
    """An error in one line, without passwords and the full stop.

    SQLAlchemy's and oslo.db's have many lines.
    """
    # Before it is cut, or a part of a password might stay.
    text = redact.passwords(' '.join(str(error).split()))
    return text.split(' [SQL:')[0].split(' (Background')[0].rstrip('.')


@contextlib.contextmanager
def openstacksdk() -> ty.Iterator[None]:
    """While modules are imported that need openstacksdk.

    Commands import them when they run: where it is not there, as in many a
    dom0, the others work, and help names these.

    :raises Failure: if it is not there.
    """
    try:
        yield
    except ImportError as e:
        raise Failure(
            "openstacksdk can't be imported (%s): pip install openstacksdk "
            'beside nova-xen-sched, or run this where it is.' % e
        ) from e
