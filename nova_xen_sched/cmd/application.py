# SPDX-License-Identifier: Apache-2.0

"""The application nova-xen-sched: what operators ask of their hosts."""

from __future__ import annotations

import argparse
import logging
import sys
import traceback
import typing as ty

from cliff import app
from cliff import command
from cliff import commandmanager
import stevedore

from nova_xen_sched.cmd import complete
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd import help as help_command
from nova_xen_sched.cmd import options
from nova_xen_sched.cmd import streams
from nova_xen_sched.cmd.progress import Progress

NAMESPACE = 'nova_xen_sched.commands'

# Which package has which module: cliff reads the metadata of all that are
# installed, to name that of a command which is another's than the program.
command._dists_by_mods = {}


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
    CONSOLE_MESSAGE_FORMAT = '%(message)s'

    def __init__(self, **pipes: ty.Any) -> None:
        pipes['stderr'] = streams.SafeStream(pipes.get('stderr') or sys.stderr)
        super().__init__(
            description=(
                'What nova-scheduler knows of Xen hosts, and why it chooses '
                'as it does.'
            ),
            version=options.version(),
            command_manager=Commands(NAMESPACE),
            deferred_help=True,
            **pipes,
        )
        self.command_manager.add_command('complete', complete.Complete)
        self.command_manager.add_command('help', help_command.Help)
        # cliff takes the name that it was started by.
        self.NAME = App.NAME

    def build_option_parser(
        self,
        description: str | None,
        version: str | None,
        argparse_kwargs: dict[str, ty.Any] | None = None,
    ) -> argparse.ArgumentParser:
        parser = options.parser(App.NAME, description or '')
        parser.usage = '%(prog)s [options] COMMAND'
        parser.add_argument(
            '--log-file',
            metavar='PATH',
            type=options.filled,
            help='A file to log to, as well as stderr.',
        )
        parser.add_argument(
            '-h',
            '--help',
            dest='deferred_help',
            action='store_true',
            help='Show this, or the help of a command, and exit.',
        )
        return parser

    def configure_logging(self) -> None:
        try:
            super().configure_logging()
        except OSError as e:
            self._say_log_file_fails(e)
            raise SystemExit(errors.FAILED) from e
        for handler in logging.getLogger().handlers:
            if isinstance(handler, logging.FileHandler):
                self._say_once(handler)
        # That of stderr.
        console = logging.getLogger().handlers[-1]
        console.setLevel(options.level(self.options))
        streams.quieten_loggers(self.options.verbose_level)

    def _say_once(self, handler: logging.Handler) -> None:
        """Have the log file say once that it is full, with no traceback."""

        def handle_error(record: logging.LogRecord) -> None:
            error = sys.exc_info()[1]
            if isinstance(error, OSError):
                # Nothing more is logged to it.
                handler.setLevel(logging.CRITICAL + 1)
                self._say_log_file_fails(error)

        handler.handleError = handle_error  # type: ignore[method-assign]

    def _say_log_file_fails(self, error: OSError) -> None:
        self.stderr.write(
            "The log file %s can't be written: %s. Name another with "
            '--log-file.\n' % (self.options.log_file, error.strerror)
        )

    def initialize_app(self, argv: list[str]) -> None:
        Progress.verbose = self.options.verbose_level > 0

    def run_subcommand(self, argv: list[str]) -> int:
        try:
            help_command.find(self.command_manager, argv)
        except errors.Failure as e:
            self.stderr.write('%s\n' % e)
            return errors.FAILED
        return int(super().run_subcommand(argv))

    def print_help_if_requested(self) -> None:
        if self.options.deferred_help:
            raise SystemExit(self.run_subcommand(['help']))

    def interact(self) -> None:
        """Without a command show the help; cliff would begin a shell."""
        self.run_subcommand(['help'])
        raise SystemExit(errors.FAILED)


def run(argv: list[str]) -> int:
    """Run a command; returns its exit code."""
    streams.quieten()
    with streams.safe_stderr():
        try:
            return App().run(argv)
        except Exception as e:  # noqa: BLE001  of a command's import
            if '--debug' in argv:
                traceback.print_exc()
            else:
                sys.stderr.write(errors.unexpected(e) + '\n')
            return errors.FAILED
