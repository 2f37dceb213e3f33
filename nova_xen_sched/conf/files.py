# SPDX-License-Identifier: Apache-2.0

"""Files of configuration: where the options are set, what can't be read."""

from __future__ import annotations

import glob
import os
import typing as ty

from oslo_config import cfg

from nova_xen_sched import redact

GROUP = 'xen_scheduler'

#: What oslo.config raises for files of configuration.
ERRORS = (cfg.Error, OSError, UnicodeDecodeError)


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


def arguments(
    config_files: ty.Iterable[str] | None = None,
    config_dirs: ty.Iterable[str] | None = None,
) -> list[str]:
    """The arguments that name files and folders, for oslo.config.

    What isn't named it looks for: files, though folders are; and folders.
    """
    return [
        *('--config-file=' + path for path in config_files or ()),
        *('--config-dir=' + path for path in config_dirs or ()),
    ]


def complaint(
    error: Exception,
    config_files: ty.Sequence[str] | None = None,
    config_dirs: ty.Sequence[str] | None = None,
    prog: str | None = None,
) -> str:
    """Why nova's configuration can't be used, in one line with a full stop.

    oslo.config doesn't name the file that is no text.

    :param error: one of ERRORS.
    :param config_files: those that are named; none for what oslo.config looks
        for, and so with folders.
    :param prog: by whom it was to be read, as oslo.config has it.
    """
    # What oslo.config reads, in its order, and whether that is a folder.
    paths = [
        (path, False)
        for path in config_files or cfg.find_config_files('nova', prog)
    ]
    for folder in config_dirs or cfg.find_config_dirs('nova', prog):
        paths.append((folder, True))
        found = sorted(glob.glob(os.path.join(folder, '*.conf')))
        paths += [(path, False) for path in found]
    for path, is_folder in paths:
        why = _unreadable(path, is_folder)
        if why:
            return "nova's configuration can't be read: %s." % why
    text = redact.passwords(' '.join(str(error).split())).rstrip('.')
    return "nova's configuration is wrong: %s." % text


def _unreadable(path: str, is_folder: bool) -> str:
    """Why a file or a folder can't be read, and what to do; '' if it can."""
    try:
        if is_folder:
            os.listdir(path)
            return ''
        with open(path, 'rb') as f:
            content = f.read()
        at = content.find(b'\0')
        content.decode()
    except FileNotFoundError:
        return 'there is no %s: check the path' % path
    except IsADirectoryError:
        return '%s is a folder: name it with --config-dir' % path
    except PermissionError:
        return (
            '%s: permission denied: run this as a user who may read it, such '
            'as nova or root' % path
        )
    except OSError as e:
        return '%s: %s' % (path, e.strerror)
    except UnicodeDecodeError as e:
        at = e.start
    if at < 0:
        return ''
    return '%s is no text (UTF-8) in line %d: write that line again' % (
        path,
        content.count(b'\n', 0, at) + 1,
    )
