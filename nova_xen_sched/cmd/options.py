# SPDX-License-Identifier: Apache-2.0

"""The options that both programs have, before and behind a command."""

from __future__ import annotations

import argparse
from importlib import metadata
import logging
import re
import typing as ty

from nova_xen_sched import log
from nova_xen_sched.cmd import errors


def version() -> str:
    """The version of what is installed."""
    try:
        return metadata.version('nova-xen-sched')
    except metadata.PackageNotFoundError:
        return 'not installed'


def level(options: argparse.Namespace) -> int:
    """From which level on libraries log to stderr."""
    if options.quiet:
        return logging.ERROR
    return logging.DEBUG if options.verbose_level > 1 else logging.WARNING


def say_errors_in_a_line(parser: argparse.ArgumentParser) -> None:
    """Have a parser say what is wrong in one line, without its usage."""

    def error(message: str) -> ty.NoReturn:
        # A value of any length is quoted in it.
        short = re.sub(
            r"[^'\s]{50,}", lambda m: log.shown(m[0])[1:-1], message
        )
        parser.exit(
            errors.FAILED,
            '%s: %s. See %s --help.\n' % (parser.prog, short, parser.prog),
        )

    parser.error = error  # type: ignore[method-assign]


def filled(text: str) -> str:
    """A name or a path, for argparse.

    It is none where a variable of a shell isn't set.
    """
    if not text.strip():
        raise argparse.ArgumentTypeError(
            'the value is empty: give one, or leave the argument out'
        )
    return text


def parser(prog: str, description: str) -> argparse.ArgumentParser:
    """A parser that has them: all but help.

    :returns: it sets ``verbose_level``, ``quiet``, ``debug``, ``config_file``
        and ``config_dir`` (lists or None).
    """
    # An abbreviation might be that of a command's own option.
    found = argparse.ArgumentParser(
        prog, description=description, add_help=False, allow_abbrev=False
    )
    say_errors_in_a_line(found)
    found.add_argument(
        '--version',
        action='version',
        version='%s %s' % (prog, version()),
        help='Show the version, and exit.',
    )
    amount = found.add_mutually_exclusive_group()
    amount.add_argument(
        '-v',
        '--verbose',
        action='count',
        dest='verbose_level',
        default=0,
        help='Write to stderr what is done and how long it took. -vv: also '
        'the logs of all libraries.',
    )
    amount.add_argument(
        '-q',
        '--quiet',
        action='store_true',
        help='Write nothing to stderr but errors.',
    )
    found.add_argument(
        '--debug',
        action='store_true',
        help='Show where in the code an error comes from.',
    )
    found.add_argument(
        '--config-file',
        metavar='PATH',
        type=filled,
        action='append',
        help='A configuration file of nova; may be given several times. '
        "Without it, what nova's own services read: /etc/nova/nova.conf "
        'and others of oslo.config.',
    )
    found.add_argument(
        '--config-dir',
        metavar='PATH',
        type=filled,
        action='append',
        help='A folder with configuration files of nova.',
    )
    return found
