# SPDX-License-Identifier: Apache-2.0

"""The parsers of our programs, as they are; for the pages and their tests."""

from __future__ import annotations

import argparse
import typing as ty
from unittest import mock

from nova_xen_sched.cmd import application
from nova_xen_sched.cmd.upgrade_check import checks


class _Found(Exception):
    """Carries a parser out of the program that makes it."""


def commands() -> list[str]:
    """The commands of nova-xen-sched, by their words."""
    app = application.App()
    return sorted(set(app.command_manager.commands) - {'help'})


def parser(program: str) -> argparse.ArgumentParser:
    """The parser of a command, or of a program alone.

    :param program: as in "nova-xen-sched host list".
    :raises ValueError: if there is no such command.
    """
    name, _, words = program.partition(' ')
    if name == 'nova-xen-sched-status':

        def give(self: ty.Any, *_: ty.Any) -> ty.NoReturn:
            raise _Found(self)

        with mock.patch.object(argparse.ArgumentParser, 'parse_args', give):
            try:
                checks.run([])
            except _Found as e:
                found: argparse.ArgumentParser = e.args[0]
                return found
    app = application.App()
    if not words:
        whole: argparse.ArgumentParser = app.parser
        return whole
    factory, _, _ = app.command_manager.find_command(words.split())
    command = factory(app, None, cmd_name=words)
    of_command: argparse.ArgumentParser = command.get_parser(program)
    return of_command
