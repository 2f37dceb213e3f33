# SPDX-License-Identifier: Apache-2.0

"""nova-xen-sched help, and what is said of a command that there isn't.

cliff's own opens a pager, and is coloured whatever NO_COLOR is.
"""

from __future__ import annotations

import argparse
import itertools
import typing as ty

from nova_xen_sched import log
from nova_xen_sched.cmd import base
from nova_xen_sched.cmd import errors
from nova_xen_sched.nearest import nearest


class Help(base.Command):
    """Show all commands, or the help of one."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            'words',
            metavar='COMMAND',
            nargs='*',
            help='The command, such as host list.',
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        manager, program = self.app.command_manager, self.app.NAME
        if parsed_args.words:
            factory, name, _ = find(manager, parsed_args.words)
            parser = factory(self.app, None).get_parser(
                '%s %s' % (program, name)
            )
            self.write(parser.format_help())
            return
        lines = [self.app.parser.format_help(), 'commands:']
        for name, entry_point in sorted(manager):
            text = entry_point.load()(self.app, None).get_description()
            first = text.split('\n')[0].rstrip('.')
            lines.append('  %s  %s' % (name.ljust(13), first))
        self.write('\n'.join(lines) + '\n')


def find(manager: ty.Any, argv: ty.Sequence[str]) -> ty.Any:
    """What cliff's command manager finds for these arguments.

    :raises errors.Failure: if they begin with no command.
    """
    try:
        return manager.find_command(argv)
    except ValueError:
        pass
    words = list(itertools.takewhile(lambda word: word[:1] != '-', argv))
    if not words:
        raise errors.Failure(
            'There is no option %s before a command. See nova-xen-sched '
            '--help.' % log.shown(argv[0])
        )
    every = sorted(name for name, _ in manager)
    found = [name for name in every if name.startswith(words[0] + ' ')]
    if len(words) > 1 or not found:
        likely = nearest(' '.join(words[:2]), found or every)
        likely = likely or nearest(words[0], every)
        found = [likely] if likely else found
    raise errors.Failure(
        'There is no command %s%s. See nova-xen-sched --help.'
        % (
            log.shown(' '.join(words[:2])),
            ' (nearest: %s)' % ', '.join(found) if found else '',
        )
    )
