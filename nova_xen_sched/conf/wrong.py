# SPDX-License-Identifier: Apache-2.0

"""What is said of a wrong value: its place, itself, what is allowed."""

from __future__ import annotations

import glob
import os
import typing as ty

from oslo_config import cfg

from nova_xen_sched import log

#: Characters of a value that a line shows.
_MOST_SHOWN = 80


def complaint(
    conf: cfg.ConfigOpts, group: str, opt: cfg.Opt, why: str = ''
) -> str:
    """One line: the option, its place, the value there, what is allowed.

    :param why: the value can't be used, where what is allowed doesn't say it.
    """
    places = list(_places(conf, group, opt))
    if not why:
        # The first counts, unless a file was changed since it was read.
        places = [each for each in places if _is_wrong(opt, each[1])] or places
    text = '[%s] %s has a wrong value' % (group, opt.dest)
    if places:
        text += ' in %s: %s' % (
            places[0][0],
            log.shown(places[0][1], _MOST_SHOWN),
        )
    if why:
        text += ' (%s)' % ' '.join(why.split())
    return '%s; allowed: %s' % (text, opt.type.allowed)


def _is_wrong(opt: cfg.Opt, text: str) -> bool:
    try:
        opt.type(text)
    except ValueError:
        return True
    return False


def _places(
    conf: cfg.ConfigOpts, group: str, opt: cfg.Opt
) -> ty.Iterator[tuple[str, str]]:
    """Where an option is set, and to what; the first place counts.

    oslo.config names a file that has the section, which need not be the one
    that has the option.
    """
    variable = 'OS_%s__%s' % (group.upper(), opt.dest.upper())
    if variable in os.environ:
        yield 'the environment variable ' + variable, os.environ[variable]
    for path, options in reversed(list(files(conf, group))):
        if opt.dest in options:
            yield path, options[opt.dest][-1]


def files(
    conf: cfg.ConfigOpts, group: str
) -> ty.Iterator[tuple[str, dict[str, list[str]]]]:
    """The files that were read, and the values that each has in a group."""
    paths = list(getattr(conf, 'config_file', None) or [])
    for folder in getattr(conf, 'config_dir', None) or []:
        paths += sorted(glob.glob(os.path.join(folder, '*.conf')))
    for path in paths:
        sections: dict[str, dict[str, list[str]]] = {}
        try:
            cfg.ConfigParser(path, sections).parse()
        except (OSError, cfg.ParseError, UnicodeDecodeError):
            continue  # what oslo.config can't read it has complained of
        options: dict[str, list[str]] = {}
        for name, found in sections.items():
            # In any case, as oslo.config has it.
            if name.lower() == group:
                for option, texts in found.items():
                    options.setdefault(option, []).extend(texts)
        yield path, options
