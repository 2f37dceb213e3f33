# SPDX-License-Identifier: Apache-2.0

"""Where the files are that came with the package, for an operator to copy."""

from __future__ import annotations

from importlib import metadata
import os

_FOLDER = 'etc/nova_xen_sched'


def where(name: str) -> str:
    """Say where a file of etc/nova_xen_sched is.

    :param name: such as host-facts.yaml.
    :returns: the path where pip put the file, or etc/nova_xen_sched/NAME, as
        in the source, if the package was not installed by a wheel.
    """
    path = '%s/%s' % (_FOLDER, name)
    try:
        files = metadata.files('nova-xen-sched') or ()
    except metadata.PackageNotFoundError:
        files = ()
    for each in files:
        if each.as_posix().endswith('/' + path):
            found = os.path.normpath(str(each.locate()))
            if os.path.exists(found):
                return found
    return path
