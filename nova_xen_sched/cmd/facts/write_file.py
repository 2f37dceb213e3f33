# SPDX-License-Identifier: Apache-2.0

"""A facts file replaced as a whole: readers see the old one or the new one."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import typing as ty

from nova_xen_sched.cmd import whole_file
from nova_xen_sched.facts import file
from nova_xen_sched.facts import read_yaml


def read(path: str) -> str | None:
    """The content of a facts file, None if there is none.

    :raises file.FileError: if it can't be read, is no text in UTF-8, or
        nothing that a scheduler would read: a device, or too large.
    """
    try:
        content, _ = file.read(path)
    except FileNotFoundError:
        return None
    except OSError as e:
        raise file.FileError(e.strerror or str(e)) from e
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise file.FileError(str(read_yaml.no_text(content))) from None


@contextlib.contextmanager
def alone(path: str) -> ty.Iterator[None]:
    """While nobody else who asks so writes in the file's folder.

    :raises file.FileError: if the folder is not there.
    """
    try:
        folder = os.open(os.path.dirname(os.path.realpath(path)), os.O_RDONLY)
    except OSError as e:
        raise file.FileError('its folder: %s' % (e.strerror or e)) from e
    try:
        # Not every file system knows locks; read again before writing then
        # still finds what others did.
        with contextlib.suppress(OSError):
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def replace(path: str, before: str | None, text: str) -> None:
    """Write a file, with the owner and mode that it had.

    :param before: its content as it was read, None if there was none.
    :raises file.FileError: if it has changed since, or can't be written; it
        is as it was then.
    """
    path = os.path.realpath(path)
    try:
        with whole_file.replacing(path) as f:
            f.write(text)
            f.flush()
            _like(path, f.fileno())
            os.fsync(f.fileno())
            if read(path) != before:
                raise file.FileError(
                    'it has changed meanwhile; run this again'
                )
        _sync(os.path.dirname(path))
    except OSError as e:
        raise file.FileError(e.strerror or str(e)) from e


def _like(path: str, descriptor: int) -> None:
    """Give a new file the owner and mode of the one that it replaces."""
    try:
        old = os.stat(path)
    except FileNotFoundError:
        os.fchmod(descriptor, 0o644)
        return
    new = os.fstat(descriptor)
    if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
        try:
            os.fchown(descriptor, old.st_uid, old.st_gid)
        except PermissionError as e:
            raise file.FileError(
                'it belongs to another user or group, and only root can '
                'keep it so'
            ) from e
    os.fchmod(descriptor, stat.S_IMODE(old.st_mode))


def _sync(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
