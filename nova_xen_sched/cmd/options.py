# SPDX-License-Identifier: Apache-2.0

"""The options that both programs have, before and behind a command."""

from __future__ import annotations

import argparse
from importlib import metadata
import logging


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


def parser(prog: str, description: str) -> argparse.ArgumentParser:
    """A parser that has them: all but help.

    :returns: it sets ``verbose_level``, ``quiet``, ``debug``, ``config_file``
        and ``config_dir`` (lists or None).
    """
    # An abbreviation might be that of a command's own option.
    found = argparse.ArgumentParser(
        prog, description=description, add_help=False, allow_abbrev=False
    )
    found.add_argument(
        '--version',
        action='version',
        version='%s %s' % (prog, version()),
    )
    amount = found.add_mutually_exclusive_group()
    amount.add_argument(
        '-v',
        '--verbose',
        action='count',
        dest='verbose_level',
        default=0,
        help='Say on stderr what is done and how long it took; -vv logs all.',
    )
    amount.add_argument(
        '-q',
        '--quiet',
        action='store_true',
        help='Say nothing on stderr but errors.',
    )
    found.add_argument(
        '--debug',
        action='store_true',
        help='Show where an error comes from.',
    )
    found.add_argument(
        '--config-file',
        metavar='PATH',
        action='append',
        help='A configuration file of nova; may be given several times. '
        "Without it, what nova's own services read: /etc/nova/nova.conf "
        'and others of oslo.config.',
    )
    found.add_argument(
        '--config-dir',
        metavar='PATH',
        action='append',
        help='A folder with configuration files of nova.',
    )
    return found
