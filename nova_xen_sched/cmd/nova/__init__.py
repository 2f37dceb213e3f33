# SPDX-License-Identifier: Apache-2.0

"""The cloud as nova-scheduler sees it now, read only.

Commands ask it instead of nova, so that what differs between novas, and what
can go wrong on the way to nova's databases and to placement, is in one place.
It claims nothing and changes nothing.

Nothing of nova is imported before :func:`open_cloud`.
"""

from __future__ import annotations

import typing as ty

from nova_xen_sched.cmd import errors
from nova_xen_sched.cmd.progress import Progress

if ty.TYPE_CHECKING:
    from nova_xen_sched.cmd.nova.scheduler import Cloud


def open_cloud(options: ty.Any) -> Cloud:
    """The cloud of the nova-scheduler that is configured here.

    nova's configuration is loaded, as nova-manage would.

    :param options: the application's: ``config_file``, ``config_dir`` (lists
        or None) and ``verbose_level``.
    :raises errors.Failure: if there is no nova, no configuration or a wrong
        one, nova's databases can't be read, no cell is mapped, or
        nova-scheduler itself would not start.
    """
    with Progress('Loading nova'):
        try:
            from nova_xen_sched.cmd.nova import configuration
        except ImportError as e:
            raise errors.Failure(
                "nova can't be imported (%s): run this with the Python that "
                'nova-scheduler runs with.' % e
            ) from e
        configuration.load(
            options.config_file or [],
            options.config_dir or [],
            options.verbose_level,
        )
        from nova_xen_sched.cmd.nova import scheduler
    with Progress("Reading nova's databases"):
        return scheduler.Cloud()
