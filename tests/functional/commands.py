# SPDX-License-Identifier: Apache-2.0

"""Running the commands against a Cloud, in its own process."""

from __future__ import annotations

import io
import json
import os
import typing as ty
from unittest import mock

from nova_xen_sched.cmd import application
from nova_xen_sched.cmd.nova import configuration


class Ran(ty.NamedTuple):
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> ty.Any:
        return json.loads(self.out)

    @property
    def lines(self) -> ty.List[str]:
        return self.out.splitlines()


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def run(*argv: str, width: int = 0) -> Ran:
    """nova-xen-sched with these arguments.

    :param width: of the terminal that it writes to; 0 if there is none.

    Only two things are not as on an operator's machine: nova's configuration
    is the one that the fixtures have loaded, as nova can't load a second one
    in one process, and the logging stays as it is.
    """
    out, err = (_Terminal if width else io.StringIO)(), io.StringIO()
    terminal = {'COLUMNS': str(width), 'TERM': 'xterm'} if width else {}
    with mock.patch.dict(os.environ, terminal), mock.patch.object(
        configuration, 'load'
    ), mock.patch.object(application.App, 'configure_logging'):
        code = application.App(stdout=out, stderr=err).run(list(argv))
    return Ran(code, out.getvalue(), err.getvalue())
