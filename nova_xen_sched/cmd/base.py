# SPDX-License-Identifier: Apache-2.0

"""What all commands have in common: how they run, and what they print."""

from __future__ import annotations

import argparse
import inspect
import traceback
import typing as ty

from cliff import command
from cliff import display
from cliff import lister
from cliff import show
from stevedore import extension

from nova_xen_sched import redact
from nova_xen_sched.cmd import columns
from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd import options
from nova_xen_sched.cmd import plain
from nova_xen_sched.cmd import tables

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
        options.say_errors_in_a_line(parser)
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
            self.trace(e)
            self.say(str(e), error=True)
            return errors.FAILED
        except (BrokenPipeError, KeyboardInterrupt):
            raise
        except Exception as e:  # noqa: BLE001  no traceback, but for --debug
            self.trace(e)
            if not self.app.options.debug:
                self.say(errors.unexpected(e), error=True)
            return errors.FAILED
        return outcome or self.exit_code

    def check_usage(self, parsed_args: argparse.Namespace) -> None:
        """Refuse what can be refused before anything is read.

        :raises errors.Failure: naming it.
        """

    def trace(self, error: BaseException) -> None:
        """Show with --debug where in the code an error comes from."""
        if self.app.options.debug:
            found = traceback.format_exception(
                type(error), error, error.__traceback__
            )
            self.app.stderr.write(''.join(found))

    def say(self, line: str, error: bool = False) -> None:
        """A line for the person, beside what the command prints.

        :param error: whether it is said with --quiet, too.
        """
        if error or not self.app.options.quiet:
            self.app.stderr.write(line + '\n')
            self.app.stderr.flush()

    def say_missing(self, unreachable: ty.Mapping[str, str]) -> None:
        """Say that the answer is partial, if cells could not be read.

        :param unreachable: by the name of each such cell, why.
        """
        for why in unreachable.values():
            self.say('Hosts are missing here: %s' % why, error=True)
            self.exit_code = errors.FINDINGS

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

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        for action in self._formatter_group._group_actions:
            if action.dest in ('columns', 'sort_columns'):
                action.type = options.filled
            if action.dest == 'columns':
                action.help = 'Show only this; may be given several times.'
            elif action.dest == 'formatter':
                # Else each of its two names has all of them behind it.
                action.metavar = 'FORMAT'
                action.help = '%s; %s if not given.' % (
                    ', '.join(action.choices),
                    PLAIN,
                )
        return parser

    def produce_output(
        self,
        parsed_args: argparse.Namespace,
        column_names: ty.Iterable[str],
        data: ty.Iterable[ty.Any],
    ) -> int:
        cells = columns.shown(list(data), parsed_args.formatter)
        if cells or self.parts is None:
            super().produce_output(parsed_args, column_names, cells)
        for part in self.parts or ():
            if isinstance(part, str):
                width = plain.terminal(self.app.stdout)[0] or tables.WIDTH
                self.write(tables.paragraph(part, width) + '\n')
                continue
            rows = columns.shown(part.rows, PLAIN)
            rest = self.app.stdout, parsed_args
            if part.columns:
                self.formatter.emit_list(part.columns, rows, *rest)
            else:
                self.formatter.emit_one(*zip(*rows), *rest)
        return 0


class Lister(_Display, lister.Lister):
    """A command that prints a list; also as json, yaml, csv or value.

    take_action() returns the names of all columns, and the rows.

    :ivar COLUMNS: by name.
    """

    COLUMNS: ty.Mapping[str, tables.Column]

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        for action in self._formatter_group._group_actions:
            if action.dest == 'columns':
                action.help = (
                    'Show only this column, by its name below or its title; '
                    'may be given several times.'
                )
            elif action.dest == 'sort_columns':
                # cliff's says that it ignores columns that are none.
                action.metavar = 'COLUMN'
                action.help = (
                    'Sort by this column; may be given several times, the '
                    'first counts most.'
                )
        if any(each.shown == tables.LONG for each in self.COLUMNS.values()):
            self._formatter_group.add_argument(
                '--long',
                action='store_true',
                help='Show all columns.',
            )
        return parser

    def check_usage(self, parsed_args: argparse.Namespace) -> None:
        columns.check(parsed_args, self.COLUMNS)

    def produce_output(
        self,
        parsed_args: argparse.Namespace,
        column_names: ty.Iterable[str],
        data: ty.Iterable[ty.Any],
    ) -> int:
        names = list(column_names)
        rows = columns.ordered(list(data), names, parsed_args)
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
        columns.check(parsed_args, names)
        if self.FIELDS and parsed_args.formatter == PLAIN:
            names, cells = self._page(
                dict(zip(names, cells)), parsed_args.columns
            )
            parsed_args.columns = []
        return super().produce_output(parsed_args, names, cells)

    def _page(
        self, found: ty.Mapping[str, ty.Any], chosen: ty.Collection[str]
    ) -> tuple[list[str], list[ty.Any]]:
        """What a person reads: titles, and what is known or was chosen."""
        rows: list[tuple[str, ty.Any]] = []
        for heading, fields in self.FIELDS.items():
            shown = [
                (each.title, found[name])
                for name, each in fields.items()
                if (
                    name in chosen
                    if chosen
                    else each.shown == tables.BRIEF
                    and tables.text(found[name])
                )
            ]
            if heading and shown and not chosen:
                shown = [('  ' + title, cell) for title, cell in shown]
                rows += [('', ''), (heading, '')]
            rows += shown
        return [title for title, _ in rows], [cell for _, cell in rows]
