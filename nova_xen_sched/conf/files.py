# SPDX-License-Identifier: Apache-2.0

"""Where the options are set: in which files, or in the environment."""

from __future__ import annotations

import glob
import os
import typing as ty

from oslo_config import cfg

GROUP = 'xen_scheduler'


def places(conf: cfg.ConfigOpts, name: str) -> ty.Iterator[tuple[str, str]]:
    """Where an option is set, and to what; the first place counts.

    oslo.config names a file that has the section, which need not be the one
    that has the option.
    """
    variable = 'OS_%s__%s' % (GROUP.upper(), name.upper())
    if variable in os.environ:
        yield 'the environment variable ' + variable, os.environ[variable]
    for path, options in reversed(list(files(conf))):
        if name in options:
            yield path, options[name][-1]


def files(
    conf: cfg.ConfigOpts,
) -> ty.Iterator[tuple[str, dict[str, list[str]]]]:
    """The files that were read, and the options' values in each."""
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
            if name.lower() == GROUP:
                for option, texts in found.items():
                    options.setdefault(option, []).extend(texts)
        yield path, options
