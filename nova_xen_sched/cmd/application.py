# SPDX-License-Identifier: Apache-2.0

"""The application nova-xen-sched: what operators ask of their hosts."""

from __future__ import annotations

import argparse
from importlib import metadata
import sys
import typing as ty

from cliff import app
from cliff import command
from cliff import commandmanager
import stevedore

from nova_xen_sched.cmd import base
from nova_xen_sched.cmd import errors

NAMESPACE = 'nova_xen_sched.commands'

# Which package has which module: cliff reads the metadata of all that are
# installed, to name that of a command which is another's than the program.
command._dists_by_mods = {}


def version() -> str:
    """The version of what is installed."""
    try:
        return metadata.version('nova-xen-sched')
    except metadata.PackageNotFoundError:
        return 'not installed'


class Commands(commandmanager.CommandManager):
    """The commands, by their names; cliff's would import all of them."""

    def load_commands(self, namespace: str) -> None:
        """Find commands, and import none.

        :param namespace: of their entry points.
        """
        found = stevedore.NamedExtensionManager(
            namespace, names=[], warn_on_missing_entrypoint=False
        )
        for each in found.list_entry_points():
            self.commands[each.name.replace('_', ' ')] = each


class App(app.App):
    """The application; its commands are entry points."""

    NAME = 'nova-xen-sched'
    # Warnings and errors; -v adds what happens, -vv all.
    CONSOLE_MESSAGE_FORMAT = '%(message)s'
    DEFAULT_VERBOSE_LEVEL = 0

    def __init__(self, **streams: ty.Any) -> None:
        streams['stderr'] = base.SafeStream(
            streams.get('stderr') or sys.stderr
        )
        super().__init__(
            description=(
                'What nova-scheduler knows of Xen hosts, and why it chooses '
                'as it does.'
            ),
            version=version(),
            command_manager=Commands(NAMESPACE),
            deferred_help=True,
            **streams,
        )
        # cliff takes the name that it was started by.
        self.NAME = App.NAME

    def build_option_parser(
        self,
        description: str | None,
        version: str | None,
        argparse_kwargs: dict[str, ty.Any] | None = None,
    ) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().build_option_parser(
            description, version, argparse_kwargs
        )
        parser.add_argument(
            '--config-file',
            metavar='PATH',
            action='append',
            help='A configuration file of nova; may be given several times. '
            "Without it, what nova's own services read: /etc/nova/nova.conf "
            'and others of oslo.config.',
        )
        parser.add_argument(
            '--config-dir',
            metavar='PATH',
            action='append',
            help='A folder with configuration files of nova.',
        )
        return parser

    def configure_logging(self) -> None:
        try:
            super().configure_logging()
        except OSError as e:
            self.stderr.write(
                "The log file %s can't be written: %s. Name another with "
                '--log-file.\n' % (self.options.log_file, e.strerror)
            )
            raise SystemExit(errors.FAILED) from e
        base.quieten_loggers(self.options.verbose_level)


def run(argv: list[str]) -> int:
    """Run a command; returns its exit code."""
    base.quieten()
    with base.safe_stderr():
        try:
            return App().run(argv)
        except Exception as e:  # of a command's import
            if '--debug' in argv:
                raise
            sys.stderr.write(errors.unexpected(e) + '\n')
            return errors.FAILED
