# SPDX-License-Identifier: Apache-2.0

"""A file written as a whole: readers see the old one or the new one."""

from __future__ import annotations

import contextlib
import os
import tempfile
import typing as ty


@contextlib.contextmanager
def replacing(path: str) -> ty.Iterator[ty.TextIO]:
    """A new file, which takes the place of another when the block has ended.

    :param path: of the other, which need not be there.
    :raises OSError: if it can't be written. Then, and where the block raises,
        the other is as it was.
    """
    path = os.path.realpath(path)
    # Its name begins with a dot: who reads the folder leaves it out.
    descriptor, temporary = tempfile.mkstemp(
        prefix='.' + os.path.basename(path), dir=os.path.dirname(path)
    )
    try:
        with open(descriptor, 'w', encoding='utf-8', newline='') as f:
            yield f
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
