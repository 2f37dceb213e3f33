# SPDX-License-Identifier: Apache-2.0

"""What all commands have in common: how they run, and what they print."""

from __future__ import annotations

import argparse
import contextlib
import inspect
import logging
import sys
import threading
import time
import traceback
import typing as ty
import warnings

from cliff import command
from cliff import display
from cliff import lister
from cliff import show
from stevedore import extension

from nova_xen_sched import redact
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd import plain
from nova_xen_sched.cmd import tables

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


#: The format by default, and all that are for persons to read.
PLAIN = 'plain'
PERSONS = (PLAIN, 'table')


class Command(command.Command):
    """A command that ends in an exit code of ours, never in a traceback.

    take_action() raises :class:`errors.Failure` for what it can't do, and
    sets ``exit_code`` to FINDINGS where its answer is partial or has
    findings.
    """

    exit_code = errors.FINE

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        if parser.epilog:
            # Its lines stay as they are.
            parser.formatter_class = argparse.RawDescriptionHelpFormatter
        return parser

    # cliff would rather say nothing than end a sentence.
    def get_description(self) -> str:
        return inspect.cleandoc(self.__doc__ or '')

    def run(self, parsed_args: argparse.Namespace) -> int:
        try:
            self.check_usage(parsed_args)
            outcome = super().run(parsed_args)
        except errors.Failure as e:
            if self.app.options.debug:
                traceback.print_exc(file=self.app.stderr)
            self.say(str(e), error=True)
            return e.exit_code
        except (BrokenPipeError, KeyboardInterrupt):
            raise
        except Exception as e:  # noqa: BLE001  no traceback, but for --debug
            if self.app.options.debug:
                traceback.print_exc(file=self.app.stderr)
            else:
                self.say(errors.unexpected(e), error=True)
            return errors.FAILED
        return outcome or self.exit_code

    def check_usage(self, parsed_args: argparse.Namespace) -> None:
        """Refuse what can be refused before anything is read.

        :raises errors.Failure: naming it.
        """

    def say(self, line: str, error: bool = False) -> None:
        """A line for the person, beside what the command prints.

        :param error: whether it is said with --quiet, too.
        """
        if error or not self.app.options.quiet:
            self.app.stderr.write(line + '\n')
            self.app.stderr.flush()

    def write(self, text: str) -> None:
        """Print what is no table."""
        self.app.stdout.write(redact.values(text))
        self.app.stdout.flush()


class _Display(Command, display.DisplayCommandBase):
    """A command that prints cells in the format that is asked for.

    :ivar parts: what is written for a person behind the table, which is left
        out then if it has no rows; None for the table alone.
    """

    parts: ty.Sequence[tables.Part] | None = None

    def _load_formatter_plugins(self) -> ty.Any:
        # No entry point of cliff's, or its other programs would have it too.
        found = super()._load_formatter_plugins()
        ours = plain.Plain()
        found.extensions.append(
            extension.Extension(PLAIN, None, plain.Plain, ours)
        )
        return found

    @property
    def formatter_default(self) -> str:
        return PLAIN

    def produce_output(
        self,
        parsed_args: argparse.Namespace,
        column_names: ty.Iterable[str],
        data: ty.Iterable[ty.Any],
    ) -> int:
        column_names = list(column_names)
        _check_columns(parsed_args, column_names)
        cells = shown(list(data), parsed_args.formatter)
        if cells or self.parts is None:
            super().produce_output(parsed_args, column_names, cells)
        for part in self.parts or ():
            if isinstance(part, str):
                width = plain.terminal(self.app.stdout)[0] or tables.WIDTH
                self.write(tables.paragraph(part, width) + '\n')
            else:
                self.formatter.emit_list(
                    part.columns,
                    shown(part.rows),
                    self.app.stdout,
                    parsed_args,
                )
        return 0


class Lister(_Display, lister.Lister):
    """A command that prints a list; also as json, yaml, csv or value.

    take_action() returns the names of all columns, and the rows.

    :cvar COLUMNS: by name.
    """

    COLUMNS: ty.ClassVar[ty.Mapping[str, tables.Column]]

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        for action in self._formatter_group._group_actions:
            if action.dest == 'sort_columns':
                # cliff's says that it ignores columns that are none.
                action.help = (
                    'Sort by this column; may be given several times, the '
                    'first counts most.'
                )
        if any(each.shown == tables.LONG for each in self.COLUMNS.values()):
            self._formatter_group.add_argument(
                '--long',
                action='store_true',
                help='All columns, for a person, too.',
            )
        return parser

    def check_usage(self, parsed_args: argparse.Namespace) -> None:
        _check_columns(parsed_args, self.COLUMNS)

    def produce_output(
        self,
        parsed_args: argparse.Namespace,
        column_names: ty.Iterable[str],
        data: ty.Iterable[ty.Any],
    ) -> int:
        names = list(column_names)
        rows = _sorted(list(data), names, parsed_args)
        is_whole = not parsed_args.columns
        if is_whole and parsed_args.formatter in PERSONS:
            long = getattr(parsed_args, 'long', False)
            kinds = {tables.BRIEF, tables.LONG} if long else {tables.BRIEF}
            parsed_args.columns = [
                name for name in names if self.COLUMNS[name].shown in kinds
            ]
        code = super().produce_output(parsed_args, names, rows)
        if is_whole and parsed_args.formatter in PERSONS:
            self._write_below(names, rows)
        return code

    def _write_below(
        self, names: ty.Sequence[str], rows: ty.Sequence[ty.Any]
    ) -> None:
        """Write the commands to paste, a line each."""
        for index, name in enumerate(names):
            if self.COLUMNS[name].shown == tables.BELOW:
                found = [tables.text(row[index]) for row in rows]
                each = [line for line in dict.fromkeys(found) if line]
                if each:
                    self.write('\n%s\n' % '\n'.join(each))

    def _generate_columns_and_selector(
        self, parsed_args: argparse.Namespace, column_names: ty.Any
    ) -> tuple[list[str], ty.Any]:
        names, selector = super()._generate_columns_and_selector(
            parsed_args, column_names
        )
        if parsed_args.formatter == PLAIN:
            names = [self.COLUMNS[name].title for name in names]
        return names, selector


class ShowOne(_Display, show.ShowOne):
    """A command that prints one thing; also as json, yaml or value.

    :ivar FIELDS: by name, under the headings of a person's page.
    """

    FIELDS: ty.Mapping[str, ty.Mapping[str, tables.Column]] = {}

    def produce_output(
        self,
        parsed_args: argparse.Namespace,
        column_names: ty.Iterable[str],
        data: ty.Iterable[ty.Any],
    ) -> int:
        names, cells = list(column_names), list(data)
        _check_columns(parsed_args, names)
        if self.FIELDS and parsed_args.formatter == PLAIN:
            names, cells = self._page(
                dict(zip(names, cells)), parsed_args.columns
            )
            parsed_args.columns = []
        return super().produce_output(parsed_args, names, cells)

    def _page(
        self, found: ty.Mapping[str, ty.Any], chosen: ty.Collection[str]
    ) -> tuple[list[str], list[ty.Any]]:
        """What a person reads: titles, and what is known."""
        rows: list[tuple[str, ty.Any]] = []
        for heading, fields in self.FIELDS.items():
            shown = [
                (each.title, found[name])
                for name, each in fields.items()
                if (name in chosen if chosen else each.shown == tables.BRIEF)
                and tables.text(found[name])
            ]
            if heading and shown and not chosen:
                shown = [('  ' + title, cell) for title, cell in shown]
                rows += [('', ''), (heading, '')]
            rows += shown
        return [title for title, _ in rows], [cell for _, cell in rows]


def _sorted(
    rows: list[ty.Any],
    names: ty.Sequence[str],
    parsed_args: argparse.Namespace,
) -> list[ty.Any]:
    """Rows in the order that is asked for; cliff knows no cells."""
    for name in reversed(parsed_args.sort_columns):
        index = names.index(name)
        rows = sorted(
            rows,
            key=lambda row, index=index: tables.order(row[index]),
            reverse=getattr(parsed_args, 'sort_direction', None) == 'desc',
        )
    parsed_args.sort_columns = []
    return rows


def _check_columns(
    parsed_args: argparse.Namespace, known: ty.Collection[str]
) -> None:
    """Refuse columns that are none: cliff leaves out some in silence."""
    for option in ('columns', 'sort_columns'):
        names = getattr(parsed_args, option, None) or []
        # As newer releases of cliff read them.
        asked = [name.lower().strip().replace(' ', '_') for name in names]
        for name in asked:
            if name not in known:
                raise errors.Failure(
                    'There is no column %s. Name some of %s.'
                    % (name, ', '.join(known))
                )
        setattr(parsed_args, option, asked)


def shown(data: ty.Any, formatter: str = PLAIN) -> ty.Any:
    """Cells as they may be shown: without passwords, whatever the format.

    :param data: a cell, or lists and tuples of them.
    :param formatter: cliff's; csv and value have '' for None.
    """
    if isinstance(data, (list, tuple)):
        return [shown(each, formatter) for each in data]
    is_structured = isinstance(data, tables.Structured)
    if is_structured and formatter not in ('json', 'yaml'):
        data = tables.Cell(data.human_readable(), bad=data.bad)
    is_cell = isinstance(data, tables.Cell)
    value = redact.values(data.machine_readable() if is_cell else data)
    if formatter in ('csv', 'value'):
        return '' if value is None else value
    if is_cell:
        text = redact.values(data.human_readable())
        return tables.Cell(value, text, data.bad)
    return value


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
    if verbose_level < 2:
        for names, level in _LEVELS.items():
            for name in names:
                logging.getLogger(name).setLevel(level)


class Progress:
    """One line on the terminal for what takes longer than a second.

    Use it as a context; where stderr is no terminal it says nothing. A thread
    writes the line, so that a stage of one long step has it, too. Of stages
    within stages the innermost is shown.

    :cvar verbose: whether a line stays of each stage, with the time it took.
    :param what: what is done, "Asking hosts".
    :param total: of how many, or 0 where that isn't known.
    """

    AFTER = 1.0

    verbose = False
    _innermost: ty.ClassVar[Progress | None] = None

    def __init__(
        self, what: str, total: int = 0, stream: ty.Any = None
    ) -> None:
        self._what = what
        self._total = total
        self._stream = sys.stderr if stream is None else stream
        try:
            self._active = self._stream.isatty()
        except (AttributeError, ValueError):
            self._active = False
        self._done = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)

    def __enter__(self) -> Progress:
        self._outer, Progress._innermost = Progress._innermost, self
        self._began = time.monotonic()
        if self._active:
            self._thread.start()
        return self

    def step(self, done: int | None = None) -> None:
        """One more is done, or so many in all."""
        self._done = self._done + 1 if done is None else done

    def _write(self) -> None:
        shown = 0
        while not self._ended.wait(0.2 if shown else self.AFTER):
            text = self._text() if Progress._innermost is self else ''
            if text or shown:
                self._stream.write('\r' + text.ljust(shown))
                self._stream.flush()
            shown = len(text)
        if shown:
            self._stream.write('\r' + ' ' * shown + '\r')
            self._stream.flush()

    def _text(self, seconds: str = '%d') -> str:
        text = self._what
        if self._total:
            text += ': %d of %d' % (self._done, self._total)
        elif self._done:
            text += ': %d' % self._done
        return '%s, %s s' % (text, seconds % (time.monotonic() - self._began))

    def __exit__(self, *_exc: ty.Any) -> None:
        Progress._innermost = self._outer
        self._ended.set()
        if self._active:
            self._thread.join()
        if self.verbose:
            self._stream.write(self._text('%.1f') + '\n')
            self._stream.flush()


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
