# SPDX-License-Identifier: Apache-2.0

"""Tests which run a real nova, all of it in one process.

nova.tests.functional patches the process for eventlet, or refuses to, as
OS_NOVA_DISABLE_EVENTLET_PATCHING says, and so must be imported before
anything else of nova. Run these tests in a process of their own.
"""

from __future__ import annotations

from importlib import metadata
import os
import sys

THREADS = 'OS_NOVA_DISABLE_EVENTLET_PATCHING'


def _import_nova() -> None:
    if 'nova.tests.functional' in sys.modules:
        return
    early = [
        name
        for name in sys.modules
        if name.startswith(('nova.', 'oslo_messaging', 'oslo_service'))
    ]
    # Older novas heed it too, but can't run without eventlet: they hang.
    if int(metadata.version('nova').split('.')[0]) < 33:
        os.environ.pop(THREADS, None)
    import nova.tests.functional  # noqa: F401

    # Locks made before eventlet patched the process are not its own: some
    # request would hang, much later and with no hint at the reason.
    if early and 'eventlet' in sys.modules:
        del sys.modules['nova.tests.functional']
        raise ImportError(
            'tests.functional must be imported before %s: run these tests '
            'apart from the others' % early[0]
        )


_import_nova()
